import { expect, test } from "vitest";
import type { ActionResult } from "../../sandbox/runner/run-action.ts";
import { annotations, goods, judge, setStage } from "./stage.ts";

/** What the marketplace had been asked to delete by the time that main had ended, by itself and not by the runner's SIGKILL. */
function whenMainEnded(count: () => number) {
  let deletions = 0;
  return {
    deletions: () => deletions,
    async between(main: ActionResult) {
      deletions = count();
      expect(main.signal).toBeNull();
      expect(annotations(main, "error")).toContain("cancelled\nThe step was cancelled (SIGINT).");
    },
  };
}

test("cancelled while the machine boots: the deletion leaves within the grace, post proves it", async () => {
  const stage = await setStage({ stock: [goods({ conduct: { provisioning: "never" } })] });
  const ended = whenMainEnded(() => stage.requests("DELETE /resources/:id").length);
  const story = await stage.play({
    between: ended.between,
    async duringMain(main) {
      await main.waitForLine("provisioning_", 30_000);
      await main.cancel();
    },
  });
  expect(ended.deletions()).toBeGreaterThanOrEqual(1);
  expect(JSON.parse(story.main.state["lease"] ?? "").cancelled).toBe(true);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("cancelled while 'run' runs: its processes end, the deletion leaves within the grace", async () => {
  const stage = await setStage();
  const ended = whenMainEnded(() => stage.requests("DELETE /resources/:id").length);
  const story = await stage.play({
    inputs: { run: "trap '' HUP TERM INT\necho started\nsleep 300 & sleep 301" },
    between: ended.between,
    async duringMain(main) {
      await main.waitForLine(/^started$/, 60_000);
      // Nothing may end them but the cancelled step: the marketplace is to take its time with the deletion.
      stage.world.market.faults.add({ on: "DELETE /resources/:id", do: { kind: "slow", ms: 1_000 } });
      await main.cancel();
    },
  });
  expect(ended.deletions()).toBeGreaterThanOrEqual(1);
  expect(stage.world.machines[0]?.processes()).toEqual([]);
  expect(judge(stage, story)).toBe("nothing is left");
});

test.each([
  ["comes 3 s later", { kind: "slow", ms: 3_000 }],
  ["does not come at all", { kind: "hang-after" }],
] as const)(
  "cancelled during a purchase whose answer %s: the machine that came of it is deleted within the grace",
  async (_how, fault) => {
    const stage = await setStage({ market: { provisionMs: 30_000 } });
    stage.world.market.faults.add({ on: "POST /procure_offer", do: fault });
    const ended = whenMainEnded(() => stage.requests("DELETE /resources/:id").length);
    const story = await stage.play({
      between: ended.between,
      async duringMain(main) {
        await stage.requested("POST /procure_offer");
        await main.cancel();
      },
    });
    expect(ended.deletions()).toBeGreaterThanOrEqual(1);
    expect(stage.requests("POST /procure_offer")).toHaveLength(1);
    expect(judge(stage, story)).toBe("nothing is left");
  },
);

test("cancelled during a slow purchase, while nothing can be listed: the machine is deleted by the id that the answer tells", async () => {
  const stage = await setStage({ market: { provisionMs: 30_000, manner: { procureAnswer: "procured" } } });
  const { faults } = stage.world.market;
  faults.add({ on: "POST /procure_offer", do: { kind: "slow", ms: 3_000 } });
  const broken = { times: Number.POSITIVE_INFINITY, do: { kind: "html", status: 404 } } as const;
  for (const on of ["GET /resources", "GET /offers/:id/status"]) faults.add({ on, ...broken });
  let deletions = 0;
  const story = await stage.play({
    async duringMain(main) {
      await stage.requested("POST /procure_offer");
      await main.cancel();
    },
    async between() {
      deletions = stage.requests("DELETE /resources/:id").length;
      faults.clear();
    },
  });
  expect(deletions).toBeGreaterThanOrEqual(1);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("cancelled during a purchase that has its effect only after main has ended: post finds the machine", async () => {
  const stage = await setStage({ timeScale: 2 });
  stage.world.market.faults.add({ on: "POST /procure_offer", do: { kind: "late-effect", ms: 8_000, connection: "hang" } });
  const story = await stage.play({
    inputs: { "cleanup-timeout": "1m" },
    async duringMain(main) {
      await stage.requested("POST /procure_offer");
      await main.cancel();
    },
    async between() {
      expect(stage.world.market.ledger.entries()).toEqual([]);
    },
  });
  expect(stage.world.market.ledger.entries()).toHaveLength(1);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("cancelled while a deletion that main waits for is not taken yet: post goes on with it", async () => {
  const stage = await setStage({ stock: [goods({ conduct: { deletion: { answers500: 3 } } })] });
  const story = await stage.play({
    inputs: { run: "exit 1" },
    async duringMain(main) {
      await stage.requested("DELETE /resources/:id");
      await main.cancel();
    },
  });
  expect(story.main.signal).toBeNull();
  expect(judge(stage, story)).toBe("nothing is left");
});
