import type { WorldClock } from "../world-clock.ts";
import type { Changes } from "./changes.ts";

export type JobStatus = "queued" | "in_progress" | "completed" | "waiting" | "pending" | "requested";
export type Conclusion = "success" | "failure" | "cancelled" | "skipped" | "timed_out" | "neutral" | "action_required";

export interface JobSpec {
  /** Jobs of a matrix are named `job (1)`, `job (2)`. */
  readonly name: string;
  /** `ubuntu-latest` unless told. */
  readonly labels?: readonly string[];
  /** Names of jobs, or of the job of a whole matrix. It is listed once they have succeeded, and skipped when one has not. */
  readonly needs?: readonly string[];
  /** Shell that the runner runs with `bash -e`; `true` unless told. */
  readonly script?: string;
  /** The script ends with this code in the end. */
  readonly exitCode?: number;
  /** Its failure is no failure of the run; the API shows it as one all the same. */
  readonly continueOnError?: boolean;
  /** The status in which it is listed; `queued` unless told. */
  readonly status?: "queued" | "waiting" | "pending" | "requested" | "in_progress";
  /** Of a job that is listed as in progress, or that the test starts. */
  readonly runnerName?: string;
  readonly runningStep?: string;
}

/** A job that a test watches, and that it plays itself where no runner of the stand does. Moments are the world's. */
export interface StandJob {
  readonly spec: JobSpec;
  readonly name: string;
  readonly labels: readonly string[];
  /** Undefined while it is not listed. */
  readonly id: number | undefined;
  readonly status: JobStatus | undefined;
  readonly conclusion: Conclusion | undefined;
  readonly runnerName: string | undefined;
  readonly startedAt: number | undefined;
  readonly completedAt: number | undefined;
  /** Somebody asked for its cancellation while it was in progress. */
  readonly cancelRequested: boolean;
  /** What its script printed so far, on a runner of the stand. */
  output(): string;
  /** As a hosted machine begins it. */
  start(on?: { readonly runnerName?: string; readonly runningStep?: string }): void;
  complete(conclusion?: Conclusion): void;
  /** The approval or the concurrency group lets it go. */
  release(): void;
  /** Rejects after `limitMs` real milliseconds (20,000 unless told). */
  waitFor(state: JobStatus | Conclusion | "cancel-requested", limitMs?: number): Promise<void>;
}

/** What the stand knows of a job. */
export interface JobState {
  readonly spec: JobSpec;
  readonly labels: readonly string[];
  id?: number;
  status?: JobStatus;
  conclusion?: Conclusion;
  runner?: { readonly id: number; readonly name: string };
  runningStep?: string;
  createdAt?: number;
  startedAt?: number;
  completedAt?: number;
  cancelRequested: boolean;
  output: string;
}

export interface JobEvents {
  readonly clock: WorldClock;
  readonly changes: Changes;
  /** Something of a job is another than before. */
  changed(): void;
}

export function newJob(spec: JobSpec): JobState {
  return { spec, labels: spec.labels ?? ["ubuntu-latest"], cancelRequested: false, output: "" };
}

export function startJob(job: JobState, runner: { readonly id: number; readonly name: string }, now: number): void {
  if (job.status === undefined || job.status === "completed" || job.status === "in_progress")
    throw new Error(`The job '${job.spec.name}' cannot start: it is ${job.status ?? "not listed"}.`);
  job.status = "in_progress";
  job.runner = runner;
  job.startedAt = now;
}

export function completeJob(job: JobState, conclusion: Conclusion, now: number): void {
  if (job.status === undefined || job.status === "completed")
    throw new Error(`The job '${job.spec.name}' cannot complete: it is ${job.status ?? "not listed"}.`);
  job.status = "completed";
  job.conclusion = conclusion;
  job.completedAt = now;
  delete job.runningStep;
}

/** What a test holds of a job. */
export function handleJob(state: JobState, { clock, changes, changed }: JobEvents): StandJob {
  const is = (wanted: JobStatus | Conclusion | "cancel-requested") =>
    wanted === "cancel-requested" ? state.cancelRequested : state.status === wanted || state.conclusion === wanted;
  return {
    spec: state.spec,
    name: state.spec.name,
    labels: state.labels,
    get id() {
      return state.id;
    },
    get status() {
      return state.status;
    },
    get conclusion() {
      return state.conclusion;
    },
    get runnerName() {
      return state.runner?.name;
    },
    get startedAt() {
      return state.startedAt;
    },
    get completedAt() {
      return state.completedAt;
    },
    get cancelRequested() {
      return state.cancelRequested;
    },
    output: () => state.output,
    start(on = {}) {
      startJob(state, { id: 1, name: on.runnerName ?? state.spec.runnerName ?? "GitHub Actions 2" }, clock.now());
      const step = on.runningStep ?? state.spec.runningStep;
      if (step !== undefined) state.runningStep = step;
      changed();
    },
    complete(conclusion = "success") {
      completeJob(state, conclusion, clock.now());
      changed();
    },
    release() {
      if (state.status !== "waiting" && state.status !== "pending" && state.status !== "requested")
        throw new Error(`The job '${state.spec.name}' waits for nothing: it is ${state.status ?? "not listed"}.`);
      state.status = "queued";
      changed();
    },
    waitFor: (wanted, limitMs = 20_000) =>
      changes.until(`job '${state.spec.name}' to be ${wanted} (${state.spec.labels?.join(", ")})`, () => is(wanted), limitMs),
  };
}
