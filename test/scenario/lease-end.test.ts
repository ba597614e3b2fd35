import { expect, test } from "vitest";
import { annotations, judge, setStage } from "./stage.ts";

test.each([
  // $2.00/h: 36 s, of which 5 s are kept for the deletion.
  ["max-cost", { "max-cost": "0.02" }, "31 s ('max-cost')", 0.02],
  ["max-lifetime", { "max-lifetime": "40s" }, "40 s ('max-lifetime')", 0.03],
] as const)("%s ends 'run', and the machine is deleted", async (_input, limit, lifetime, dearest) => {
  const stage = await setStage({ timeScale: 8 });
  let left: unknown;
  const story = await stage.play({
    inputs: { ...limit, "provision-timeout": "30s", run: "echo started\nsleep 300" },
    async between() {
      left = stage.world.market.ledger.alive();
    },
  });
  expect(story.main.exitCode).toBe(1);
  expect(story.main.outputs["exit-code"]).toBeUndefined();
  expect(annotations(story.main, "error")).toContain(`expired\nThe lease is over after ${lifetime}`);
  expect(left).toEqual([]);
  expect(stage.world.machines[0]?.processes()).toEqual([]);
  expect(stage.world.market.ledger.billedUsd()).toBeLessThan(dearest);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("what failed attempts have cost counts: when max-cost is used up, nothing more is bought", async () => {
  const stage = await setStage({ timeScale: 4 });
  stage.world.market.faults.add({
    on: "GET /offers/:id/status",
    times: Number.POSITIVE_INFINITY,
    do: { kind: "status", status: 200, body: { procurement_status: "provisioning_started" } },
  });
  const story = await stage.play({ inputs: { "max-cost": "0.02", "provision-timeout": "20s", "max-attempts": "10" } });
  expect(story.main.exitCode).toBe(1);
  expect(annotations(story.main, "error")).toMatch(/max-cost/);
  expect(stage.world.market.ledger.billedUsd()).toBeLessThan(0.02);
  expect(judge(stage, story)).toBe("nothing is left");
});
