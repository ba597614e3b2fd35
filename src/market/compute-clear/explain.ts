import type { Wish } from "../../lease/plan.ts";
import { compare } from "../catalogue.ts";
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
