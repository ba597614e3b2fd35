import type { WorldClock } from "../world-clock.ts";
import type { Changes } from "./changes.ts";
import { completeJob, handleJob, type JobSpec, type JobState, newJob, type StandJob } from "./job.ts";

export interface RunSpec {
  /** 8123456789 unless told, as the stand-in runner's GITHUB_RUN_ID. */
  readonly runId?: number;
  /** 1 unless told. Each attempt has jobs of its own. */
  readonly attempt?: number;
  /** `owner/name`; the first repository of the stand unless told. */
  readonly repository?: string;
  readonly jobs: readonly JobSpec[];
}

/** One attempt of a run. */
export interface StandRun {
  readonly id: number;
  readonly attempt: number;
  readonly repository: string;
  /** All jobs of the specification, listed or not. */
  readonly jobs: readonly StandJob[];
  /** Throws when there is no such job. */
  job(name: string): StandJob;
  /** Adds a job, as a matrix that was generated does. */
  addJob(spec: JobSpec): StandJob;
  readonly isOver: boolean;
  readonly cancelRequested: boolean;
  /** As a user does in the browser. */
  cancel(): void;
  /** Rejects after `limitMs` real milliseconds (20,000 unless told). */
  waitForCancel(limitMs?: number): Promise<void>;
}

export interface RunState {
  readonly id: number;
  readonly attempt: number;
  readonly repository: string;
  readonly createdAt: number;
  readonly jobs: JobState[];
  cancelRequested: boolean;
}

export interface Runs {
  start(spec: RunSpec, repository: string): StandRun;
  /** The latest attempt unless told. */
  find(repository: string, runId: number, attempt?: number): RunState | undefined;
  findJob(repository: string, jobId: number): { readonly run: RunState; readonly job: JobState } | undefined;
  all(): readonly RunState[];
  /** False when it is over already. */
  cancel(run: RunState): boolean;
  /** Lists the jobs whose needs are met. */
  advance(): void;
}

/** Jobs that GitHub shows. */
export function listedJobs(run: RunState): (JobState & { id: number })[] {
  return run.jobs
    .flatMap((job) => (job.id === undefined ? [] : [Object.assign(job, { id: job.id })]))
    .sort((one, other) => one.id - other.id);
}

export function isOver(run: RunState): boolean {
  return run.jobs.every((job) => job.status === "completed");
}

const neededBy = (run: RunState, job: JobState): readonly JobState[] =>
  (job.spec.needs ?? []).flatMap((name) => {
    const found = run.jobs.filter(({ spec }) => spec.name === name || spec.name.startsWith(`${name} (`));
    if (found.length === 0) throw new Error(`The job '${job.spec.name}' needs '${name}', and the run has no such job.`);
    return found;
  });

export function keepRuns(clock: WorldClock, changes: Changes, changed: () => void): Runs {
  const runs: RunState[] = [];
  let lastJobId = 45_000_000_000;
  const events = { clock, changes, changed };

  const list = (job: JobState) => {
    lastJobId += 1;
    job.id = lastJobId;
    job.createdAt = clock.now();
    const { status = "queued", runnerName = "GitHub Actions 1", runningStep } = job.spec;
    job.status = status;
    if (status !== "in_progress") return;
    job.runner = { id: 1, name: runnerName };
    job.startedAt = clock.now();
    if (runningStep !== undefined) job.runningStep = runningStep;
  };
  const skip = (job: JobState, conclusion: "skipped" | "cancelled") => {
    list(job);
    completeJob(job, conclusion, clock.now());
  };
  const succeeded = (job: JobState) =>
    job.conclusion === "success" || (job.conclusion === "failure" && job.spec.continueOnError === true);
  const advanceRun = (run: RunState) => {
    for (let moved = true; moved; ) {
      moved = false;
      for (const job of run.jobs) {
        if (job.id !== undefined) continue;
        const needed = neededBy(run, job);
        if (!needed.every(({ status }) => status === "completed")) continue;
        if (needed.every(succeeded)) list(job);
        else skip(job, "skipped");
        moved = true;
      }
    }
  };
  const cancel = (run: RunState) => {
    if (isOver(run)) return false;
    run.cancelRequested = true;
    for (const job of run.jobs) {
      if (job.status === "in_progress") job.cancelRequested = true;
      else if (job.id === undefined) skip(job, "cancelled");
      else if (job.status !== "completed") completeJob(job, "cancelled", clock.now());
    }
    changed();
    return true;
  };
  const handle = (run: RunState): StandRun => {
    const handles = run.jobs.map((job) => handleJob(job, events));
    return {
      id: run.id,
      attempt: run.attempt,
      repository: run.repository,
      jobs: handles,
      job(name) {
        const found = handles.find((job) => job.name === name);
        if (!found) throw new Error(`The run has no job '${name}'.`);
        return found;
      },
      addJob(spec) {
        const job = newJob(spec);
        run.jobs.push(job);
        const added = handleJob(job, events);
        handles.push(added);
        changed();
        return added;
      },
      get isOver() {
        return isOver(run);
      },
      get cancelRequested() {
        return run.cancelRequested;
      },
      cancel: () => void cancel(run),
      waitForCancel: (limitMs = 20_000) => changes.until(`run ${run.id} to be cancelled`, () => run.cancelRequested, limitMs),
    };
  };

  const find: Runs["find"] = (repository, runId, attempt) =>
    runs
      .filter((run) => run.id === runId && run.repository.toLowerCase() === repository.toLowerCase())
      .sort((one, other) => other.attempt - one.attempt)
      .find((run) => attempt === undefined || run.attempt === attempt);

  return {
    start(spec, repository) {
      const run: RunState = {
        id: spec.runId ?? 8_123_456_789,
        attempt: spec.attempt ?? 1,
        repository,
        createdAt: clock.now(),
        jobs: spec.jobs.map(newJob),
        cancelRequested: false,
      };
      if (find(repository, run.id, run.attempt)) throw new Error(`Attempt ${run.attempt} of run ${run.id} was already started.`);
      runs.push(run);
      const started = handle(run);
      changed();
      return started;
    },
    find,
    findJob(repository, jobId) {
      for (const run of runs) {
        if (run.repository.toLowerCase() !== repository.toLowerCase()) continue;
        const job = run.jobs.find(({ id }) => id === jobId);
        if (job) return { run, job };
      }
      return undefined;
    },
    all: () => runs,
    cancel,
    advance() {
      for (const run of runs) advanceRun(run);
    },
  };
}
