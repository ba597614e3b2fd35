import { closest, distance } from "fastest-levenshtein";
import { plain } from "../lease/plain.ts";

/** A sentence for every value of an input that is not among the names that are `shown` to people, or `alsoKnown`. */
export function compare(
  input: string,
  asked: readonly string[],
  shown: readonly string[],
  alsoKnown: readonly string[] = [],
): string[] {
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
