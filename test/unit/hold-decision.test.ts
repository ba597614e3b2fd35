import { describe, expect, test } from "vitest";
import type { Slot } from "../../src/crew.ts";
import { viewJobs } from "../../src/gpu-jobs.ts";
import { decide } from "../../src/hold-decision.ts";
import type { RunJob } from "../../src/runner/contract.ts";

const guard = { runnerName: "GitHub Actions 7", actionRepository: "org/gpu-provision" };

let ids = 0;
function job(status: string, change: Partial<RunJob> = {}): RunJob {
  ids += 1;
  return { id: ids, name: `job ${ids}`, status, labels: ["gpu-1-1"], runningSteps: [], ...change };
}
const slot = (state: Slot["state"], name?: string): Slot => ({
  number: 1,
  state,
  failures: 0,
  ...(name === undefined ? {} : { registration: { id: 1, name, configuration: "secret", mintedAt: 0 } }),
});
const other = (status: string, change: Partial<RunJob> = {}) => job(status, { labels: ["ubuntu-latest"], ...change });
const thisGuard = () => other("in_progress", { runnerName: guard.runnerName });

const view = (jobs: readonly RunJob[], whole = true) => viewJobs({ jobs, whole }, ["gpu-1-1"], guard);
const kind = (jobs: readonly RunJob[], slots: readonly Slot[], whole = true) => decide(view(jobs, whole), slots).kind;

describe("what a guard does next", () => {
  test.each([
    ["a queued job has its runner", [job("queued")], [slot("online", "r1")], "idle"],
    ["a queued job has a runner on its way", [job("queued")], [slot("starting", "r1")], "idle"],
    ["a queued job has a free place", [job("queued")], [slot("vacant")], "hire"],
    ["two are queued, one runner is ready", [job("queued"), job("queued")], [slot("online", "r1"), slot("vacant")], "hire"],
    ["a queued job has to wait for its turn", [job("queued")], [slot("busy", "r1")], "work"],
    ["a job runs", [job("in_progress", { runnerName: "r1" })], [slot("busy", "r1")], "work"],
    [
      "a job runs, of which the machine has not told yet",
      [job("in_progress", { runnerName: "r1" })],
      [slot("online", "r1")],
      "work",
    ],
    ["GitHub calls a job running whose runner has ended", [job("in_progress", { runnerName: "r1" })], [slot("vacant")], "end"],
    [
      "GitHub calls a job completed whose runner still tidies up",
      [job("completed", { runnerName: "r1" })],
      [slot("busy", "r1")],
      "end",
    ],
    ["a job waits for an approval", [job("waiting")], [slot("online", "r1")], "idle"],
    ["all is over", [job("completed")], [slot("vacant")], "end"],
    ["all is over but the guard itself", [job("completed"), thisGuard()], [slot("vacant")], "end"],
    ["the queued job was cancelled", [job("completed", { conclusion: "cancelled" })], [slot("online", "r1")], "end"],
    [
      "another job of the run goes on",
      [job("completed"), other("in_progress", { runnerName: "GitHub Actions 9" })],
      [slot("vacant")],
      "linger",
    ],
    ["another job of the run is queued", [job("completed"), other("queued")], [slot("vacant")], "linger"],
    ["a state that nobody knows", [job("completed"), other("dreaming")], [slot("vacant")], "linger"],
  ] as const)("%s: %4$s", (_what, jobs, slots, expected) => {
    expect(kind(jobs, slots)).toBe(expected);
  });

  test("hires no more runners than jobs are left without one", () => {
    const slots = [slot("online", "r1"), slot("vacant"), slot("vacant")];
    const decision = decide(view([job("queued"), job("queued")]), slots);
    expect(decision).toEqual({ kind: "hire", slots: [slots[1]] });
  });

  test("does not take the rest of the run for over before it has seen all of it", () => {
    expect(kind([job("completed")], [slot("vacant")], false)).toBe("linger");
  });
});

describe("the jobs of a run", () => {
  test("other guards do not count as jobs that may queue another one, whoever only looks like them does", () => {
    const step = "Run org/gpu-provision@v1";
    expect(view([job("completed"), other("in_progress", { runningSteps: [step] })]).nothingElse).toBe(true);
    expect(view([job("completed"), other("queued", { runningSteps: [step] })]).nothingElse).toBe(false);
    expect(view([job("completed"), other("in_progress", { runningSteps: ["Run org/gpu-provision-else@v1"] })]).nothingElse).toBe(
      false,
    );
  });

  test("labels are the same in any case", () => {
    expect(view([job("queued", { labels: ["GPU-1-1"] })]).queued).toHaveLength(1);
  });

  test("a job that asks for more than our labels can never be served; one that asks for less can", () => {
    const { queued, unservable } = viewJobs(
      {
        jobs: [
          job("queued", { labels: ["gpu-1-1", "self-hosted"] }),
          job("queued"),
          other("queued"),
          other("queued", { labels: [] }),
        ],
        whole: true,
      },
      ["gpu-1-1", "big"],
      guard,
    );
    expect(queued.map(({ labels }) => labels)).toEqual([["gpu-1-1"]]);
    expect(unservable).toEqual([]);
    const one = view([job("queued", { labels: ["gpu-1-1", "self-hosted"] })]);
    expect(one.unservable).toHaveLength(1);
    expect(one.queued).toEqual([]);
  });

  test("one that can never be served and is over disturbs nobody", () => {
    expect(view([job("completed", { labels: ["gpu-1-1", "self-hosted"] })]).unservable).toEqual([]);
  });
});
