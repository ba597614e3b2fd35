import { randomBytes } from "node:crypto";
import type { WorldClock } from "../world-clock.ts";
import { type Conclusion, completeJob, type JobState, startJob } from "./job.ts";
import { listedJobs, type RunState } from "./runs.ts";

/** What a runner is told when it asks for a message. */
export type RunnerMessage =
  | {
      readonly type: "job";
      readonly jobId: number;
      readonly name: string;
      readonly script: string;
      readonly env: Readonly<Record<string, string>>;
    }
  | { readonly type: "cancel"; readonly jobId: number };

/** A record of an ephemeral runner. It stays in the stand's memory when GitHub would have forgotten it. */
export interface RunnerState {
  readonly id: number;
  readonly name: string;
  /** `owner/name` of a repository, or an organisation. */
  readonly place: string;
  readonly labels: readonly string[];
  readonly groupId: number;
  /** Admits one session. */
  readonly credential: string;
  /** Milliseconds since the epoch, in the world's time. */
  readonly mintedAt: number;
  readonly inbox: RunnerMessage[];
  hasConnected: boolean;
  status: "online" | "offline";
  work?: { readonly run: RunState; readonly job: JobState; told?: "cancel" };
  /** Why the record is no more. */
  gone?: "deleted" | "forgotten" | "finished";
}

export interface NewRunner {
  readonly name: string;
  readonly place: string;
  readonly labels: readonly string[];
  readonly groupId: number;
}

export interface Runners {
  /** Undefined when the place has a runner of this name. */
  add(runner: NewRunner): RunnerState | undefined;
  /** Those that exist. */
  in(place: string): readonly RunnerState[];
  find(place: string, id: number): RunnerState | undefined;
  /** Those that are gone included, in the order in which they were made. */
  all(): readonly RunnerState[];
  /** Hands queued jobs to idle runners, tells runners of cancellations, and forgets those whose job is over. */
  dispatch(runs: readonly RunState[]): void;
  /** Its job is over; the next dispatch forgets it. */
  finish(runner: RunnerState, conclusion: Conclusion): void;
}

const FIRST_ID = 700;
const same = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();

/** GitHub's rule: any runner that carries all labels of the job, and maybe more. */
function suits({ labels, place }: RunnerState, job: JobState, { repository }: RunState): boolean {
  const carries = (label: string) => labels.some((one) => same(one, label));
  const owner = repository.split("/")[0] ?? "";
  return (same(place, repository) || same(place, owner)) && job.labels.every(carries);
}

function describeWork(runner: RunnerState, run: RunState, job: JobState & { id: number }): RunnerMessage {
  const { script = "true", exitCode = 0, name } = job.spec;
  return {
    type: "job",
    jobId: job.id,
    name,
    script: exitCode === 0 ? script : `${script}\nexit ${exitCode}`,
    env: {
      CI: "true",
      GITHUB_ACTIONS: "true",
      GITHUB_JOB: name,
      GITHUB_REPOSITORY: run.repository,
      GITHUB_RUN_ATTEMPT: String(run.attempt),
      GITHUB_RUN_ID: String(run.id),
      RUNNER_NAME: runner.name,
    },
  };
}

export function keepRunners(clock: WorldClock): Runners {
  const runners: RunnerState[] = [];
  const existing = () => runners.filter(({ gone }) => gone === undefined);
  const inPlace = (place: string) => existing().filter((runner) => same(runner.place, place));

  const assign = (run: RunState, job: JobState & { id: number }) => {
    const runner = existing().find((one) => one.status === "online" && one.work === undefined && suits(one, job, run));
    if (!runner) return;
    startJob(job, runner, clock.now());
    runner.work = { run, job };
    runner.inbox.push(describeWork(runner, run, job));
  };

  return {
    add(fresh) {
      if (inPlace(fresh.place).some(({ name }) => same(name, fresh.name))) return undefined;
      const runner: RunnerState = {
        ...fresh,
        id: FIRST_ID + runners.length + 1,
        credential: randomBytes(24).toString("hex"),
        mintedAt: clock.now(),
        inbox: [],
        hasConnected: false,
        status: "offline",
      };
      runners.push(runner);
      return runner;
    },
    in: inPlace,
    find: (place, id) => inPlace(place).find((runner) => runner.id === id),
    all: () => runners,
    dispatch(runs) {
      for (const run of runs) for (const job of listedJobs(run)) if (job.status === "queued") assign(run, job);
      for (const runner of existing()) {
        const { work } = runner;
        if (work === undefined) continue;
        if (work.job.status === "completed") runner.gone = "finished";
        else if (work.job.cancelRequested && work.told === undefined && work.job.id !== undefined) {
          work.told = "cancel";
          runner.inbox.push({ type: "cancel", jobId: work.job.id });
        }
      }
    },
    finish(runner, conclusion) {
      if (runner.work !== undefined && runner.work.job.status !== "completed")
        completeJob(runner.work.job, conclusion, clock.now());
      runner.status = "offline";
    },
  };
}
