import type { JobSpec } from "../../sandbox/github/job.ts";
import type { StandRun } from "../../sandbox/github/runs.ts";
import type { GitHubOptions, GitHubStand } from "../../sandbox/github/start-github.ts";
import { type PlayOptions, type Stage, type StageOptions, type Story, setStage } from "./stage.ts";

export const RUN_ID = 8_123_456_789;
export const LABEL = `gpu-${RUN_ID}-1`;

/** The guard's own job, as GitHub shows it while this action runs in it. */
export function guardJob(name = "gpu", runnerName = "GitHub Actions 7"): JobSpec {
  return {
    name,
    labels: ["ubuntu-latest"],
    status: "in_progress",
    runnerName,
    runningStep: "Run org/gpu-provision@v1",
  };
}

export function gpuJob(name: string, change: Partial<JobSpec> = {}): JobSpec {
  return { name, labels: [LABEL], script: 'echo "hello from $(hostname)"', ...change };
}

export interface GuardStage extends Stage {
  readonly github: GitHubStand;
  readonly run: StandRun;
  /** Runs a guard, and searches for its GitHub tokens as well. */
  guard(options?: PlayOptions): Promise<Story>;
  /** Names of the runners of the run, and why their records are gone; undefined for those that still exist. */
  records(): readonly (readonly [string, string | undefined])[];
}

export interface GuardStageOptions extends StageOptions {
  /** Beside the guard itself. */
  readonly jobs: readonly JobSpec[];
  readonly guardName?: string;
  readonly attempt?: number;
  readonly github?: Omit<GitHubOptions, "clock">;
}

/** A stage with a GitHub whose run has a guard and other jobs. */
export async function setGuardStage({
  jobs,
  guardName,
  attempt = 1,
  github = {},
  ...options
}: GuardStageOptions): Promise<GuardStage> {
  const stage = await setStage({ ...options, github });
  const stand = stage.world.github;
  if (stand === undefined) throw new Error("The world has no GitHub.");
  const run = stand.startRun({ runId: RUN_ID, attempt, jobs: [guardJob(guardName), ...jobs] });
  return {
    ...stage,
    github: stand,
    run,
    guard: (play = {}) =>
      stage.play({
        ...play,
        secrets: [stand.adminToken, stand.runToken],
        moreSecrets: () => [stand.adminToken, stand.runToken],
        env: { GITHUB_API_URL: stand.url, ...play.env },
        inputs: { mode: "runner", "github-token": stand.adminToken, "wait-for-job": "1m", ...play.inputs },
      }),
    records: () => stand.runners().map(({ name, gone }) => [name, gone] as const),
  };
}
