import { expect, test } from "vitest";
import { gpuJob, setGuardStage } from "./guard-stage.ts";
import { annotations, dearerGoods, goods, judge, logOf } from "./stage.ts";

const MINT = "POST /repos/:owner/:repo/actions/runners/generate-jitconfig";

test.each([
  ["was lost", { kind: "reset-after" }],
  ["was refused with 409", { kind: "status", status: 409, body: { message: "Already exists" } }],
] as const)("a configuration whose answer %s: another name is asked for, and no record is left", async (_how, fault) => {
  const stage = await setGuardStage({ jobs: [gpuJob("test")] });
  stage.github.faults.add({ on: MINT, do: fault });
  const story = await stage.guard();
  expect(story.main.conclusion, logOf(story.main)).toBe("success");
  expect(stage.run.job("test").conclusion).toBe("success");
  expect(stage.records().filter(([, gone]) => gone === undefined)).toEqual([]);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a configuration that GitHub refuses when the runner starts is replaced over SSH", async () => {
  const stage = await setGuardStage({ jobs: [gpuJob("test")] });
  const story = await stage.guard({
    async duringMain() {
      await stage.requested("POST /procure_offer");
      const [first] = stage.github.runners();
      stage.github.forgetRunner(first?.name ?? "");
    },
  });
  expect(story.main.conclusion, logOf(story.main)).toBe("success");
  expect(stage.run.job("test").conclusion).toBe("success");
  expect(stage.records().map(([, gone]) => gone)).toEqual(["forgotten", "finished"]);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a machine whose runner never comes online shows its boot log, is deleted, and the next offer is tried", async () => {
  const stage = await setGuardStage({ timeScale: 5, stock: [goods(), dearerGoods], jobs: [gpuJob("test")] });
  stage.github.faults.add({ on: "GET /_downloads/:file", times: 3, do: { kind: "status", status: 503 } });
  const story = await stage.guard();
  expect(story.main.conclusion, logOf(story.main)).toBe("success");
  expect(annotations(story.main, "warning")).toMatch(/cannot run a runner: .*Trying the next offer/s);
  expect(logOf(story.main)).toContain("Boot log of the machine");
  expect(stage.world.market.ledger.entries()).toHaveLength(2);
  expect(stage.run.job("test").conclusion).toBe("success");
  expect(stage.records().filter(([, gone]) => gone === undefined)).toEqual([]);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("with no machine left, main fails at once and post cancels the run", async () => {
  const stage = await setGuardStage({ timeScale: 5, jobs: [gpuJob("test")] });
  stage.github.faults.add({ on: "GET /_downloads/:file", times: Number.POSITIVE_INFINITY, do: { kind: "status", status: 503 } });
  const story = await stage.guard({ inputs: { "max-attempts": "1" } });
  expect(story.main.conclusion).toBe("failure");
  expect(stage.run.job("test").conclusion).toBe("cancelled");
  expect(annotations(story.post, "notice")).toContain("this run was cancelled ('cancel-run-on-failure')");
  expect(stage.records().filter(([, gone]) => gone === undefined)).toEqual([]);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("an archive that does not match its checksum is not started", async () => {
  const stage = await setGuardStage({ timeScale: 5, jobs: [gpuJob("test")] });
  stage.github.faults.add({
    on: "GET /_downloads/:file",
    times: Number.POSITIVE_INFINITY,
    do: { kind: "status", status: 200, body: "evil" },
  });
  const story = await stage.guard({ inputs: { "max-attempts": "1" } });
  expect(story.main.conclusion).toBe("failure");
  expect(annotations(story.main, "error")).toMatch(/checksum|SHA-256/i);
  expect(stage.github.requests.filter(({ path }) => path.startsWith("/_broker/"))).toEqual([]);
  expect(judge(stage, story)).toBe("nothing is left");
});
