import { expect, test } from "vitest";
import { annotations, dearerGoods, goods, judge, setStage } from "./stage.ts";

test("a machine that never answers SSH is deleted before the next offer is bought and used", async () => {
  const stage = await setStage({ timeScale: 4, stock: [goods({ machine: { faults: { noSsh: true } } }), dearerGoods] });
  const story = await stage.play({ inputs: { "provision-timeout": "20s", run: "echo fine" } });
  expect(story.main.conclusion).toBe("success");
  expect(annotations(story.main, "warning")).toMatch(/SSH to 127\.0\.0\.1:\d+ did not work within .+: .*refuse/i);
  expect(story.main.outputs).toMatchObject({ vendor: "scaleway", attempts: "2", "exit-code": "0" });
  const [deletion] = stage.requests("DELETE /resources/:id");
  const [, second] = stage.requests("POST /procure_offer");
  expect(deletion?.number).toBeLessThan(second?.number ?? 0);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("SSH that comes late, and knows our key later still, is waited for", async () => {
  const stage = await setStage({ timeScale: 4, stock: [goods({ machine: { faults: { lateMs: 1_000, lateKeyMs: 2_000 } } })] });
  const story = await stage.play({ inputs: { run: "echo fine" } });
  expect(story.main.conclusion).toBe("success");
  expect(story.main.outputs).toMatchObject({ attempts: "1", "exit-code": "0" });
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a connection that is lost while 'run' runs fails the step, and the machine is deleted", async () => {
  const stage = await setStage();
  const story = await stage.play({
    inputs: { run: "echo started\nsleep 120" },
    async duringMain(main) {
      await main.waitForLine(/^started$/, 60_000);
      stage.world.machines[0]?.drop();
    },
  });
  expect(story.main.exitCode).toBe(1);
  expect(annotations(story.main, "error")).toContain("gpu-provision: ssh");
  expect(judge(stage, story)).toBe("nothing is left");
});
