import { describe, expect, test } from "vitest";
import { awaitJob } from "../../src/await-job.ts";
import type { GuardDeps } from "../../src/guard.ts";
import { GitHubFailure, GitHubTokenFailure, WorkflowFailure } from "../../src/lease/failure.ts";
import type { JobsReading, RunJob } from "../../src/runner/contract.ts";
import { keptLog } from "../kept-log.ts";
import { scaledClock } from "../scaled-clock.ts";

const job = (id: number, status: string, change: Partial<RunJob> = {}): RunJob => ({
  id,
  name: `job ${id}`,
  status,
  labels: ["gpu-1-1"],
  runningSteps: [],
  ...change,
});
const build = (status: string) => job(1, status, { name: "build", labels: ["ubuntu-latest"] });
const itself = job(9, "in_progress", { name: "gpu", labels: ["ubuntu-latest"], runnerName: "GitHub Actions 7" });

/** Shows one list of jobs after the other; the last one stays. */
function run(lists: readonly (readonly RunJob[] | Error)[], guarding: Partial<GuardDeps["guarding"]> = {}) {
  let looks = 0;
  const log = keptLog();
  const look = async (): Promise<JobsReading> => {
    const list = lists[Math.min(looks, lists.length - 1)] ?? [];
    looks += 1;
    if (list instanceof Error) throw list;
    return { jobs: list, whole: true };
  };
  const signal = new AbortController();
  const awaited = awaitJob({
    guarding: { labels: ["gpu-1-1"], waitForJob: 1_800_000, ...guarding },
    context: { runnerName: "GitHub Actions 7", actionRepository: "org/gpu-provision" },
    github: { jobs: { look, known: () => ({ jobs: [], whole: false }), pause: (wanted) => wanted } },
    clock: scaledClock(2_000),
    log,
    signal: signal.signal,
  });
  return { awaited, log, looks: () => looks, abort: () => signal.abort(new Error("cancelled")) };
}

describe("waiting for a GPU job", () => {
  test("ends at once when one is queued", async () => {
    const { awaited, looks } = run([[itself, job(2, "queued")]]);
    expect(await awaited).toMatchObject({ queued: [{ id: 2 }] });
    expect(looks()).toBe(1);
  });

  test("goes on while the jobs that it needs are not over", async () => {
    const { awaited } = run([
      [itself, build("queued")],
      [itself, build("in_progress")],
      [itself, build("completed"), job(2, "queued")],
    ]);
    expect(await awaited).toMatchObject({ queued: [{ id: 2 }] });
  });

  test("names a job that waits for an approval, once", async () => {
    const waiting = job(2, "waiting", { name: "deploy\n::error::x" });
    const { awaited, log } = run([
      [itself, waiting],
      [itself, waiting],
      [itself, job(2, "queued")],
    ]);
    await awaited;
    expect(log.lines.filter((line) => line.includes("deploy"))).toEqual([
      "info: Job 'deploy : :error: :x' is waiting: GitHub does not queue it yet (an approval, or its concurrency group).",
    ]);
  });

  test("ends early when the rest of the run is over", async () => {
    expect(await run([[itself, build("completed")]]).awaited).toEqual({
      reason: "Every other job of this run is over, and none with this label was queued.",
    });
    expect(await run([[itself, job(2, "completed", { conclusion: "skipped" })]]).awaited).toEqual({
      reason: "Job 'job 2' with this label ended before a machine was needed (skipped).",
    });
  });

  test("ends with 'wait-for-job' while the run goes on", async () => {
    const { awaited } = run([[itself, build("in_progress")]], { waitForJob: 60_000 });
    expect(await awaited).toEqual({ reason: "No job with this label was queued within 1 min ('wait-for-job')." });
  });

  test("refuses at once a job that no runner of ours could ever get, with the line to write", async () => {
    const { awaited } = run([[itself, job(2, "queued", { name: "train", labels: ["self-hosted", "gpu-1-1"] })]]);
    await expect(awaited).rejects.toThrow(WorkflowFailure);
    await expect(awaited).rejects.toThrow(/Job 'train' asks for 'self-hosted' beside our label/);
    await expect(awaited).rejects.toMatchObject({ hint: expect.stringContaining("runs-on: gpu-1-1") });
  });

  test("bears trouble of GitHub's, but no refused token", async () => {
    const trouble = new GitHubFailure("HTTP 502.", "");
    expect(await run([trouble, trouble, [itself, job(2, "queued")]]).awaited).toMatchObject({ queued: [{ id: 2 }] });
    const refused = new GitHubTokenFailure("HTTP 403.", "");
    await expect(run([refused]).awaited).rejects.toBe(refused);
    await expect(run([trouble], { waitForJob: 20_000 }).awaited).rejects.toBe(trouble);
  });

  test("ends when the step is cancelled", async () => {
    const { awaited, abort } = run([[itself, build("in_progress")]]);
    abort();
    await expect(awaited).rejects.toThrow("cancelled");
  });
});
