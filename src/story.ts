import type { Clock } from "./lease/clock.ts";
import type { Journal } from "./lease/journal.ts";
import type { Log, MachineOutput } from "./lease/log.ts";
import type { Offer } from "./lease/offer.ts";
import type { Outputs } from "./lease/outputs.ts";
import type { Plan, RunContext } from "./lease/plan.ts";
import type { MachineKit } from "./machine/kit.ts";
import type { Machine } from "./machine/machine.ts";
import type { Market } from "./market/provider.ts";

/** Everything that the story of main touches the world with. */
export interface StoryDeps {
  readonly plan: Plan;
  readonly context: RunContext;
  /** Where the files go with which the next steps reach the machine. The journal names it, so that post removes it. */
  readonly accessDirectory: string;
  readonly market: Market;
  readonly clock: Clock;
  readonly log: Log;
  readonly journal: Journal;
  /** Fires when the step is cancelled. */
  readonly signal: AbortSignal;
  readonly outputs: (values: Outputs) => void;
  /** Puts offers into the job summary, for a dry run. */
  readonly reportOffers: (offers: readonly Offer[]) => Promise<void>;
  /** Shows lines of a machine, which may hold anything. */
  readonly showMachineOutput: () => MachineOutput;
  /** Loads the SSH stack, which only a purchase needs. */
  readonly loadMachineKit: () => Promise<MachineKit>;
  /** Leaves somebody behind who deletes the machine when its lease ends before the job does. */
  readonly watchExpiry: () => void;
}

/** A machine that is bought, reached and checked. */
export interface Rented {
  readonly attempt: number;
  readonly machine: Machine;
  /** Fires when the step is cancelled or the lease ends. */
  readonly signal: AbortSignal;
  /** Closes the connection; the machine stays. */
  close(): void;
}
