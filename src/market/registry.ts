import { JournalFailure } from "../lease/failure.ts";
import { plain } from "../lease/plain.ts";
import type { Providers } from "../lease/provider-facts.ts";
import { cloreMarketplace } from "./clore/market.ts";
import { computeClearMarketplace } from "./compute-clear/market.ts";
import type { Marketplace } from "./provider.ts";

/** One line for each marketplace. */
const markets: Readonly<Record<string, Marketplace>> = {
  "compute-clear": computeClearMarketplace,
  clore: cloreMarketplace,
};

export const providers: Providers = Object.fromEntries(Object.entries(markets).map(([name, { facts }]) => [name, facts]));

/** Throws JournalFailure for a name that no marketplace has: the inputs let none through, but a journal may be another version's. */
export function marketplaceNamed(name: string): Marketplace {
  const found = Object.entries(markets).find(([one]) => one === name);
  if (found === undefined) {
    throw new JournalFailure(
      `The lease journal names the marketplace '${plain(name, 40)}', which this version of gpu-provision does not know.`,
      "A machine may still be billing. Look at the marketplace's console for a machine whose name begins with 'gpup-' and delete it.",
    );
  }
  return found[1];
}
