import { expect, test } from "vitest";
import { gpuJob, guardJob, LABEL, RUN_ID, setGuardStage } from "./guard-stage.ts";
import { annotations, goods, judge, logOf } from "./stage.ts";

const hosted = (name: string) => ({ name, labels: ["ubuntu-latest"] });
const fourGpus = goods({ gpuCount: 4, gpus: { name: "NVIDIA H100 PCIe", count: 4 } });

test.each([
  ["true", "failure"],
  ["false", "success"],
])("a job that fails, 'mirror: %s': the guard ends with %s, and the machine is gone", async (mirror, conclusion) => {
  const stage = await setGuardStage({ jobs: [gpuJob("train", { script: "exit 3" })] });
  const story = await stage.guard({ inputs: { mirror } });
  expect(stage.run.job("train").conclusion).toBe("failure");
  expect(story.main.conclusion).toBe(conclusion);
  if (mirror === "true") {
    expect(annotations(story.main, "error")).toContain("Job 'train' did not succeed (failure).");
    expect(annotations(story.main, "error")).toContain('Use "Re-run failed jobs"');
  }
  expect(stage.run.cancelRequested).toBe(false);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("20 jobs drain through one machine with 4 runners, each with a GPU of its own", async () => {
  const script = 'echo "gpu $CUDA_VISIBLE_DEVICES of $NVIDIA_VISIBLE_DEVICES"; sleep 0.2';
  const jobs = Array.from({ length: 20 }, (_, index) => gpuJob(`test (${index})`, { script }));
  const stage = await setGuardStage({ stock: [fourGpus], jobs });
  const story = await stage.guard({ inputs: { "gpu-count": "4", runners: "4" } });
  expect(story.main.conclusion, logOf(story.main)).toBe("success");
  expect(stage.run.jobs.slice(1).map(({ conclusion }) => conclusion)).toEqual(Array(20).fill("success"));
  expect(stage.world.market.ledger.entries()).toHaveLength(1);
  const seen = new Set(stage.run.jobs.slice(1).map((job) => job.output().trim()));
  expect([...seen].toSorted()).toEqual(["gpu 0 of 0", "gpu 1 of 1", "gpu 2 of 2", "gpu 3 of 3"]);
  expect(stage.records().filter(([, gone]) => gone === undefined)).toEqual([]);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a second job that needs: the first is served within 'linger'", async () => {
  const stage = await setGuardStage({
    jobs: [gpuJob("train"), { ...hosted("pack"), needs: ["train"] }, gpuJob("check", { needs: ["pack"] })],
  });
  const story = await stage.guard({
    async duringMain(main) {
      await main.waitForLine("another is waited for", 60_000);
      stage.run.job("pack").start();
      stage.run.job("pack").complete("success");
    },
  });
  expect(story.main.conclusion, logOf(story.main)).toBe("success");
  expect(stage.run.job("check").conclusion).toBe("success");
  expect(stage.world.market.ledger.entries()).toHaveLength(1);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a machine that vanishes under a job is named, and what is left of it deleted", async () => {
  const stage = await setGuardStage({ timeScale: 5, jobs: [gpuJob("train", { script: "sleep 600" })] });
  const story = await stage.guard({
    async duringMain(main) {
      await main.waitForLine("runs job 'train'", 60_000);
      await stage.world.machines[0]?.vanish();
    },
  });
  expect(story.main.conclusion).toBe("failure");
  expect(annotations(story.main, "error"), logOf(story.main)).toMatch(/machine-lost\nThe machine vanished under job 'train'/);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a spot machine that the marketplace takes back is named in its words", async () => {
  const stage = await setGuardStage({ timeScale: 5, jobs: [gpuJob("train", { script: "sleep 600" })] });
  const story = await stage.guard({
    async duringMain(main) {
      await main.waitForLine("runs job 'train'", 60_000);
      stage.world.market.reclaim(stage.world.market.ledger.entries()[0]?.id ?? "");
    },
  });
  expect(story.main.conclusion).toBe("failure");
  expect(annotations(story.main, "error"), logOf(story.main)).toMatch(
    /The machine vanished under job 'train': the marketplace reports.*the vendor took the instance back/,
  );
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a machine that takes the job and is gone before we reached it: no other one is bought, which would have nothing to do", async () => {
  const stage = await setGuardStage({ timeScale: 5, jobs: [gpuJob("train", { script: "sleep 600" })] });
  const story = await stage.guard({
    inputs: { "poll-interval": "20s" },
    async duringMain() {
      await stage.run.job("train").waitFor("in_progress");
      stage.world.market.reclaim(stage.world.market.ledger.entries()[0]?.id ?? "");
    },
  });
  expect(story.main.conclusion).toBe("failure");
  expect(annotations(story.main, "error"), logOf(story.main)).toMatch(
    /machine-lost\nNo job of this label is queued any more: 'train'/,
  );
  expect(stage.requests("POST /procure_offer")).toHaveLength(1);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("cancelled while a job runs: it may end, the deletion leaves within the grace", async () => {
  const stage = await setGuardStage({ jobs: [gpuJob("train", { script: "sleep 600" })] });
  let deletions = -1;
  const story = await stage.guard({
    async duringMain(main) {
      await main.waitForLine("runs job 'train'", 60_000);
      stage.run.cancel();
      await main.cancel();
    },
    async between(main) {
      deletions = stage.requests("DELETE /resources/:id").length;
      expect(main.signal).toBeNull();
    },
  });
  expect(deletions).toBeGreaterThanOrEqual(1);
  expect(stage.run.job("train").conclusion).toBe("cancelled");
  expect(judge(stage, story)).toBe("nothing is left");
});

test("cancelled before the machine is reached, though its runner has a job already: the deletion leaves within the grace", async () => {
  const stage = await setGuardStage({ jobs: [gpuJob("train", { script: "sleep 600" })] });
  let deletions = -1;
  const story = await stage.guard({
    inputs: { "poll-interval": "5s" },
    async duringMain(main) {
      await stage.run.job("train").waitFor("in_progress");
      await main.cancel();
    },
    async between(main) {
      deletions = stage.requests("DELETE /resources/:id").length;
      expect(main.signal).toBeNull();
    },
  });
  expect(deletions).toBeGreaterThanOrEqual(1);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("with 'cancel-grace' a cancelled job does its last steps before post deletes the machine", async () => {
  const script = 'trap "" TERM; trap "sleep 8; echo tidied up; exit 1" INT; echo started; sleep 600 >/dev/null 2>&1 & wait';
  const stage = await setGuardStage({ jobs: [gpuJob("train", { script })] });
  const story = await stage.guard({
    inputs: { "cancel-grace": "1m" },
    async duringMain(main) {
      await main.waitForLine("runs job 'train'", 60_000);
      stage.run.cancel();
      await main.cancel();
    },
    async between(main) {
      expect(stage.requests("DELETE /resources/:id"), logOf(main)).toEqual([]);
    },
  });
  expect(stage.run.job("train").output()).toContain("tidied up");
  expect(judge(stage, story)).toBe("nothing is left");
});

test("two attempts of one run at the same time serve their own jobs", async () => {
  const stage = await setGuardStage({ jobs: [gpuJob("train")] });
  const second = stage.github.startRun({
    runId: RUN_ID,
    attempt: 2,
    jobs: [guardJob("gpu", "GitHub Actions 8"), gpuJob("train", { labels: [`gpu-${RUN_ID}-2`] })],
  });
  const stories = await Promise.all([
    stage.guard(),
    stage.guard({ env: { GITHUB_RUN_ATTEMPT: "2", RUNNER_NAME: "GitHub Actions 8" } }),
  ]);
  expect(stories.map(({ main }) => main.conclusion)).toEqual(["success", "success"]);
  expect([stage.run.job("train").conclusion, second.job("train").conclusion]).toEqual(["success", "success"]);
  expect(stage.world.market.ledger.entries()).toHaveLength(2);
  for (const story of stories) expect(judge(stage, story)).toBe("nothing is left");
});

test("two guards of one matrix serve the jobs of their own labels", async () => {
  const labels = [`${LABEL}-a`, `${LABEL}-b`] as const;
  const stage = await setGuardStage({
    guardName: "gpu (a)",
    jobs: [guardJob("gpu (b)", "GitHub Actions 8"), ...labels.map((label) => gpuJob(`test (${label})`, { labels: [label] }))],
  });
  const stories = await Promise.all(
    labels.map((label, index) =>
      stage.guard({
        inputs: { "runner-label": label },
        defaults: { jobTotal: 2, jobIndex: index, githubToken: stage.github.runToken },
        env: { RUNNER_NAME: `GitHub Actions ${7 + index}` },
      }),
    ),
  );
  expect(stories.map(({ main }) => main.conclusion)).toEqual(["success", "success"]);
  expect(stage.run.jobs.slice(2).map(({ conclusion }) => conclusion)).toEqual(["success", "success"]);
  expect(stage.world.market.ledger.entries()).toHaveLength(2);
  for (const story of stories) expect(judge(stage, story)).toBe("nothing is left");
});

test("without a label of its own, a guard in a matrix is refused with the line to write", async () => {
  const stage = await setGuardStage({ jobs: [gpuJob("test")] });
  const story = await stage.guard({ defaults: { jobTotal: 2, githubToken: stage.github.runToken } });
  expect(story.main.conclusion).toBe("failure");
  expect(annotations(story.main, "error")).toMatch(
    /runner-label: gpu-\$\{\{ github\.run_id \}\}-\$\{\{ github\.run_attempt \}\}-\$\{\{ matrix\./,
  );
  expect(stage.world.market.requests).toEqual([]);
});

test("without 'hold' the machine is there for the next steps of the guard, and post deletes it", async () => {
  const stage = await setGuardStage({ jobs: [gpuJob("test")] });
  let alive = 0;
  const story = await stage.guard({
    inputs: { hold: "false" },
    async between() {
      await stage.run.job("test").waitFor("completed");
      alive = stage.world.market.ledger.alive().length;
    },
  });
  expect(story.main.conclusion, logOf(story.main)).toBe("success");
  expect(alive).toBe(1);
  expect(stage.run.job("test").conclusion).toBe("success");
  expect(stage.run.cancelRequested).toBe(false);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a job that is queued and does not start is given up after 'idle-timeout'", async () => {
  const stage = await setGuardStage({ timeScale: 20, jobs: [gpuJob("first"), { ...gpuJob("approved"), status: "waiting" }] });
  const story = await stage.guard({ inputs: { "idle-timeout": "30s" } });
  expect(story.main.conclusion).toBe("failure");
  expect(annotations(story.main, "error"), logOf(story.main)).toContain(
    "workflow\nJob 'approved' still is waiting after 30 s ('idle-timeout').",
  );
  expect(stage.run.job("first").conclusion).toBe("success");
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a token that ends while the machine is held is named, and the runners tell how the jobs end", async () => {
  const stage = await setGuardStage({ jobs: [gpuJob("train", { script: "sleep 3" })] });
  const story = await stage.guard({
    async duringMain(main) {
      await main.waitForLine("runs job 'train'", 60_000);
      stage.github.revokeToken(stage.github.runToken);
      stage.github.revokeToken(stage.github.adminToken);
    },
  });
  expect(stage.run.job("train").conclusion).toBe("success");
  expect(annotations(story.main, "warning")).toContain("GitHub does not accept 'run-token' (any more): Bad credentials");
  expect(story.main.conclusion, logOf(story.main)).toBe("success");
  expect(judge(stage, story)).toBe("nothing is left");
});
