import type { Faults } from "./faults.ts";
import type { Ledger } from "./ledger.ts";
import type { RecordedRequest } from "./requests.ts";
import type { Watcher } from "./serve.ts";
import type { WorldClock } from "./world-clock.ts";

/** What every stand-in marketplace offers to tests and the demo. */
export interface MarketStand {
  /** Without a trailing slash. */
  readonly url: string;
  readonly token: string;
  readonly faults: Faults;
  readonly ledger: Ledger;
  readonly clock: WorldClock;
  /** Every request that came, in the order in which they were read. */
  readonly requests: readonly RecordedRequest[];
  /** Is told of each moment of each request from now on. */
  watch(watcher: Watcher): void;
  /** Why machines did not boot or stop. */
  bootFailures(): readonly unknown[];
  /** Takes a machine back, as happens to spot machines. */
  reclaim(resourceId: string): void;
  /** Ends the server, its timers and every machine. */
  close(): Promise<void>;
}
