/**
 * What the stories of runner mode ask of GitHub and of the runners on a machine. Text fields come from outside: see `plain`.
 */

/** A job of this run attempt, as GitHub shows it. A state that is not listed here is kept as it is, and counts as unfinished. */
export interface RunJob {
  readonly id: number;
  readonly name: string;
  /** `queued`, `in_progress`, `completed`, `waiting` (for an approval), `pending` (for a concurrency group), `requested`, … */
  readonly status: string;
  /** `success`, `failure`, `cancelled`, `skipped`, `timed_out`, …; undefined while it is not completed. */
  readonly conclusion?: string;
  readonly labels: readonly string[];
  readonly runnerName?: string;
  /** Milliseconds since the epoch. */
  readonly startedAt?: number;
  readonly completedAt?: number;
  readonly url?: string;
  /** Names of its steps that GitHub shows as running. */
  readonly runningSteps: readonly string[];
}

/** The jobs of this run attempt. */
export interface RunJobs {
  /**
   * Every job that is known, fresh from GitHub. What is the same as at the last look costs no rate limit.
   * `thorough: false` may leave out pages that cannot have changed what we know of our label (see `JobsReading.whole`).
   */
  look(options: { readonly signal: AbortSignal; readonly thorough?: boolean }): Promise<JobsReading>;
  /** What the last looks have shown; asks nobody. */
  known(): JobsReading;
  /** Milliseconds to wait before the next look, at least `wanted`: stretched to our fair share of what the rate limit leaves. */
  pause(wanted: number): number;
}

export interface JobsReading {
  readonly jobs: readonly RunJob[];
  /** All pages are as fresh as this look. */
  readonly whole: boolean;
}

/** A runner that GitHub knows. */
export interface RunnerRecord {
  readonly id: number;
  readonly name: string;
}

/** A just-in-time configuration: it admits one runner, for one job. `configuration` is a secret. */
export interface Registration extends RunnerRecord {
  readonly configuration: string;
  /** On the ticks of the clock. */
  readonly mintedAt: number;
}

export interface Registrations {
  /**
   * Makes a configuration for a runner that carries our labels and nothing else. `name` is tried first, with suffixes where it is
   * taken. `onIntent` is told each name right before it is asked for, so that a record whose answer was lost can be found.
   */
  mint(name: string, options: { readonly signal: AbortSignal; onIntent(name: string): void }): Promise<Registration>;
  /** `gone` is GitHub's own word (404). */
  status(
    record: RunnerRecord,
    signal: AbortSignal,
  ): Promise<{ readonly state: "online" | "offline" | "gone"; readonly busy: boolean }>;
  /** Resolves when the record is gone. A record without an id is looked for by its exact name. A busy one (422) is tried again. */
  remove(record: { readonly name: string; readonly id?: number }, signal: AbortSignal): Promise<void>;
}

/** An archive of the runner application. */
export interface RunnerArchive {
  readonly url: string;
  /** 64 hex digits. */
  readonly sha256: string;
}

/** The runner application for each architecture that GitHub offers it for. */
export interface RunnerApplication {
  readonly version: string;
  readonly x64?: RunnerArchive;
  readonly arm64?: RunnerArchive;
}

/** Everything of GitHub's that runner mode needs, for one label, run attempt and place to register. */
export interface RunnerService {
  readonly jobs: RunJobs;
  readonly registrations: Registrations;
  /** The application to install, verified to have a checksum. Throws GitHubFailure when there is none. */
  resolveApplication(version: string, signal: AbortSignal): Promise<RunnerApplication>;
  /** Asks for the cancellation of this run. */
  cancelRun(signal: AbortSignal): Promise<void>;
}

/** What the boot script of a runner machine has to know. It holds a secret (`configuration`). */
export interface BootSettings {
  readonly application: RunnerApplication;
  /** Runners on the machine, 1 or more; GPUs are split evenly among them. */
  readonly runners: number;
  readonly gpuCount: number;
  readonly docker: "auto" | "require" | "none";
  /** Milliseconds from the purchase until the machine stops its runners and powers itself off. */
  readonly lifetime: number;
  /** What nvidia-smi must show before a runner starts; absent with `verify-gpu: false`. */
  readonly expectedGpus?: { readonly count: number };
  /** JIT configuration of the first runner. */
  readonly configuration: string;
  /** When it was made, in milliseconds since the epoch. */
  readonly mintedAt: number;
}

/** What happens on the machine, as its boot log tells it: a hint, for job code can write there too. `slot` counts from 1. */
export type MachineEvent =
  | { readonly kind: "phase"; readonly name: string; readonly seconds: number }
  /** The machine cannot run any runner. */
  | { readonly kind: "failed"; readonly reason: string }
  /** The runner in this slot can start as soon as it gets a configuration; `why` the one it had is not used. */
  | { readonly kind: "wants-configuration"; readonly slot: number; readonly why: string }
  | { readonly kind: "started"; readonly slot: number }
  | { readonly kind: "listening"; readonly slot: number }
  | { readonly kind: "job-started"; readonly slot: number; readonly job: string }
  | { readonly kind: "job-ended"; readonly slot: number; readonly job: string; readonly result: string }
  /** GitHub refused the configuration. */
  | { readonly kind: "refused"; readonly slot: number; readonly reason: string }
  /** The runner's process has ended. */
  | { readonly kind: "ended"; readonly slot: number }
  | { readonly kind: "powering-off" };

/** The runners of one machine, over its SSH connection. */
export interface MachineRunners {
  /** Tells every event from the machine's first on, each as it comes. Rejects with SshFailure when the connection is lost. */
  follow(onEvent: (event: MachineEvent) => void, signal: AbortSignal): Promise<void>;
  /** Hands a fresh configuration to a slot over standard input, and starts its runner. Resolves when the machine has taken it. */
  start(slot: number, configuration: string, signal: AbortSignal): Promise<void>;
  /** The last lines of the boot log, redacted. */
  readBootLog(signal: AbortSignal): Promise<readonly string[]>;
}
