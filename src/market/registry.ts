import type { Log } from "../lease/log.ts";
import type { ProviderName } from "../lease/provider-names.ts";
import { byHandAtComputeClear, openComputeClear } from "./compute-clear/market.ts";
import type { ManualCommands, Market } from "./provider.ts";

export interface Marketplace {
  readonly open: (options: { token: string; apiUrl: string; log: Log }) => Market;
  /** For when there is no token to open it with. */
  readonly byHand: (apiUrl: string) => ManualCommands;
}

/** One line for each marketplace. */
export const markets = {
  "compute-clear": { open: openComputeClear, byHand: byHandAtComputeClear },
} satisfies Record<ProviderName, Marketplace>;
