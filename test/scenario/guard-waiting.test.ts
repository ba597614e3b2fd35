import { expect, test } from "vitest";
import { gpuJob, LABEL, setGuardStage } from "./guard-stage.ts";
import { annotations, judge, logOf, until } from "./stage.ts";

const hosted = (name: string) => ({ name, labels: ["ubuntu-latest"] });

test("nothing is bought before a GPU job is queued, which needs: another one", async () => {
  const stage = await setGuardStage({ timeScale: 5, jobs: [hosted("build"), gpuJob("test", { needs: ["build"] })] });
  let before = -1;
  const story = await stage.guard({
    async duringMain(main) {
      await main.waitForLine("no job asks for", 30_000);
      stage.run.job("build").start();
      await until("another look", () => stage.github.apiRequests().length >= 3);
      before = stage.world.market.requests.length;
      stage.run.job("build").complete("success");
    },
  });
  expect(before).toBe(0);
  expect(story.main.conclusion, logOf(story.main)).toBe("success");
  expect(stage.run.job("test").conclusion).toBe("success");
  expect(judge(stage, story)).toBe("nothing is left");
});

test.each([
  ["false", "success", "notice"],
  ["true", "failure", "error"],
] as const)(
  "no job ever, 'require-job: %s': the guard ends with %s, and nothing was bought",
  async (requireJob, conclusion, kind) => {
    const stage = await setGuardStage({ timeScale: 20, jobs: [hosted("build")] });
    const story = await stage.guard({ inputs: { "wait-for-job": "20s", "require-job": requireJob } });
    expect(story.main.conclusion).toBe(conclusion);
    expect(annotations(story.main, kind)).toContain("No job with this label was queued within 20 s ('wait-for-job').");
    expect(stage.requests("POST /procure_offer")).toEqual([]);
    expect(stage.run.cancelRequested).toBe(false);
    expect(judge(stage, story)).toBe("nothing is left");
  },
);

test("a job that no runner of ours could ever get is refused at once, and post cancels the run that would wait for it", async () => {
  const stage = await setGuardStage({ jobs: [gpuJob("train", { labels: ["self-hosted", LABEL] })] });
  const story = await stage.guard();
  expect(story.main.conclusion).toBe("failure");
  expect(annotations(story.main, "error")).toContain("Job 'train' asks for 'self-hosted' beside our label.");
  expect(annotations(story.main, "error")).toContain(`runs-on: ${LABEL}`);
  expect(stage.world.market.requests).toEqual([]);
  expect(stage.run.cancelRequested).toBe(true);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a run with other work that goes on is not cancelled; the job that stays queued is named", async () => {
  const stage = await setGuardStage({ stock: [], jobs: [hosted("build"), gpuJob("train")] });
  const story = await stage.guard();
  expect(story.main.conclusion).toBe("failure");
  expect(stage.run.cancelRequested).toBe(false);
  expect(annotations(story.post, "warning")).toContain("No machine comes for 'train'");
});

test.each(["true", "false"])("without any offer the run is cancelled as 'cancel-run-on-failure: %s' says", async (cancel) => {
  const stage = await setGuardStage({ stock: [], jobs: [gpuJob("train")] });
  const story = await stage.guard({ inputs: { "cancel-run-on-failure": cancel } });
  expect(story.main.conclusion).toBe("failure");
  expect(stage.run.cancelRequested).toBe(cancel === "true");
  expect(stage.run.job("train").conclusion).toBe(cancel === "true" ? "cancelled" : undefined);
});

test("inputs that are refused do not leave the job queued either", async () => {
  const stage = await setGuardStage({ jobs: [gpuJob("train")] });
  const story = await stage.guard({ inputs: { "gpu-count": "none", "max-price-per-gpu-hour": "cheap" } });
  expect(story.main.conclusion).toBe("failure");
  expect(stage.run.job("train").conclusion).toBe("cancelled");
  expect(stage.world.market.requests).toEqual([]);
});

test.each([
  ["run-token", "permissions: { actions: write }"],
  ["github-token", "Administration: write"],
] as const)("a %s without its permission is told before anything is bought", async (input, fix) => {
  const poor = { token: "ghs_000000000000000000000000000000000000", permissions: { metadata: "read" } as const, limit: 1000 };
  const stage = await setGuardStage({ github: { tokens: [{ ...poor, permissions: {} }] }, jobs: [gpuJob("train")] });
  const story = await stage.guard({ inputs: { [input]: poor.token } });
  expect(story.main.conclusion).toBe("failure");
  expect(annotations(story.main, "error")).toContain(`'${input}' may not`);
  expect(annotations(story.main, "error")).toContain(fix);
  expect(stage.world.market.requests).toEqual([]);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a dry run shows offers without waiting for a job", async () => {
  const stage = await setGuardStage({ jobs: [] });
  const story = await stage.guard({ inputs: { "dry-run": "true" } });
  expect(story.main.conclusion).toBe("success");
  expect(story.main.summary).toContain("GPU offers");
  expect(stage.requests("POST /procure_offer")).toEqual([]);
  expect(stage.run.cancelRequested).toBe(false);
});
