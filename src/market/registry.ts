import type { Log } from "../lease/log.ts";
import type { ProviderName } from "../lease/provider-names.ts";
import { openComputeClear } from "./compute-clear/market.ts";
import type { Market } from "./provider.ts";

export type MarketFactory = (options: { token: string; apiUrl: string; log: Log }) => Market;

/** One line for each marketplace. */
export const markets = {
  "compute-clear": openComputeClear,
} satisfies Record<ProviderName, MarketFactory>;
