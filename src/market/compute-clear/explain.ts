import { closest, distance } from "fastest-levenshtein";
import { plain } from "../../lease/plain.ts";
import type { Wish } from "../../lease/plan.ts";
import type { Http } from "../http.ts";
import { ask } from "./client.ts";
import { gpusReply, namesReply } from "./replies.ts";

/** A sentence for every input whose value the marketplace's own catalogue does not know. */
export async function explain(http: Http, wish: Wish, signal?: AbortSignal): Promise<readonly string[]> {
  const list = async (path: string, key: string) => ask(http, { kind: "read", method: "GET", path, signal }, namesReply(key));
  const [gpus, vendors, regions, contracts] = await Promise.allSettled([
    ask(http, { kind: "read", method: "GET", path: "/available_gpus", signal }, gpusReply),
    list("/available_vendors", "vendors"),
    list("/available_regions", "regions"),
    list("/available_contracts", "contracts"),
  ]);
  signal?.throwIfAborted();
  // The catalogue only explains what has already failed; a part of it that cannot be read explains nothing.
  const families = gpus.status === "fulfilled" ? Object.keys(gpus.value) : [];
  const canonical = gpus.status === "fulfilled" ? Object.values(gpus.value).flat() : [];
  return [
    ...compare("gpu-type", wish.gpuTypes, families, canonical),
    ...compare("vendor", wish.vendors, vendors.status === "fulfilled" ? vendors.value : []),
    ...compare("region", wish.regions, regions.status === "fulfilled" ? regions.value : []),
    ...compare("contract-type", [wish.contractType], contracts.status === "fulfilled" ? contracts.value : []),
  ];
}

function compare(input: string, asked: readonly string[], shown: readonly string[], alsoKnown: readonly string[] = []): string[] {
  const known = [...shown, ...alsoKnown].filter((name) => name !== "");
  if (known.length === 0) return [];
  const normal = new Set(known.map(normalise));
  return asked
    .filter((value) => !normal.has(normalise(value)))
    .map((value) => {
      const guess = closest(
        value.toLowerCase(),
        known.map((name) => name.toLowerCase()),
      );
      const meant = known.find((name) => name.toLowerCase() === guess);
      const near = meant !== undefined && distance(value.toLowerCase(), guess) <= Math.max(1, Math.floor(value.length / 3));
      const onSale = plain([...shown].sort().join(", "), 400);
      return `${input} '${plain(value, 60)}' is not on sale here${near ? `: did you mean ${plain(meant, 60)}?` : "."} On sale now: ${onSale}.`;
    });
}

function normalise(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}
