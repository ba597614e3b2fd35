import type { Clock, Deadline } from "./lease/clock.ts";
import type { Journal } from "./lease/journal.ts";
import type { Log, MachineOutput } from "./lease/log.ts";
import type { Offer } from "./lease/offer.ts";
import type { Outputs } from "./lease/outputs.ts";
import type { Plan, RunContext } from "./lease/plan.ts";
import type { CloudInitPart } from "./machine/cloud-init-parts.ts";
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
  /** Logs in once more, where the connection was lost. Rejects as `connect` does. */
  readonly reconnect: (deadline: Deadline) => Promise<Machine>;
  /** Fires when the step is cancelled or the lease ends. */
  readonly signal: AbortSignal;
  /** Closes the connection; the machine stays. */
  close(): void;
}

/** What a machine is rented for: all in which ssh mode and runner mode differ. */
export interface Purpose {
  /** What the boot script brings beside keys and the user's own; asked for right before each purchase. `lifetime`: milliseconds. */
  equip(lease: { readonly name: string; readonly lifetime: number }, signal: AbortSignal): Promise<readonly CloudInitPart[]>;
  /** Readies a machine that is reached and checked, by the deadline. A rejection fails the attempt. */
  engage(rented: Rented, deadline: Deadline): Promise<void>;
  /** Uses the machine. A rejection fails the step. */
  use(rented: Rented): Promise<void>;
  /** The machine stays for the steps that follow; else it is deleted as soon as it was used. */
  readonly handsOver: boolean;
  /** How the release after the use ends main: with the proof, or as soon as the deletion is taken. */
  readonly provesInMain: boolean;
}
