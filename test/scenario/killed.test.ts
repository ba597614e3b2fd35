import { expect, test } from "vitest";
import { judge, logOf, setStage } from "./stage.ts";

// With it, post gives a purchase whose answer was lost half a minute to show its effect.
const inputs = { "cleanup-timeout": "1m" };
const timeScale = 5;

test("main is killed before anything is bought: post finds nothing to do", async () => {
  const stage = await setStage();
  stage.world.market.faults.add({ on: "GET /offers/:id", do: { kind: "hang-before" } });
  const story = await stage.play({
    async duringMain(main) {
      await stage.requested("GET /offers/:id");
      await main.kill();
    },
  });
  expect(story.main.signal).toBe("SIGKILL");
  expect(story.main.state).toEqual({});
  expect(logOf(story.post)).toContain("Nothing was bought, so there is nothing to delete.");
  expect(judge(stage, story)).toBe("nothing is left");
});

test("main is killed when the purchase has left and never has an effect: post waits, and proves that nothing was bought", async () => {
  const stage = await setStage({ timeScale });
  stage.world.market.faults.add({ on: "POST /procure_offer", do: { kind: "hang-before" } });
  const story = await stage.play({
    inputs,
    async duringMain(main) {
      await stage.requested("POST /procure_offer");
      await main.kill();
    },
  });
  expect(stage.world.market.ledger.entries()).toEqual([]);
  expect(logOf(story.post)).toMatch(/Attempt 1 bought nothing: .+ after the purchase request ended the offer reads unsold/);
  expect(judge(stage, story)).toBe("nothing is left");
});

test.each([
  ["hangs after its effect", { kind: "hang-after" }],
  ["is slow", { kind: "slow", ms: 60_000 }],
] as const)("main is killed while the purchase %s: post finds the machine", async (_how, fault) => {
  const stage = await setStage({ timeScale });
  stage.world.market.faults.add({ on: "POST /procure_offer", do: fault });
  const story = await stage.play({
    inputs,
    async duringMain(main) {
      await stage.requested("POST /procure_offer");
      await main.kill();
    },
  });
  expect(stage.world.market.ledger.entries()).toHaveLength(1);
  expect(judge(stage, story)).toBe("nothing is left");
});

test.each(["reset", "hang"] as const)(
  "the purchase has its effect only seconds after main died (%s): post waits for it",
  async (connection) => {
    const stage = await setStage({ timeScale });
    stage.world.market.faults.add({ on: "POST /procure_offer", do: { kind: "late-effect", ms: 4_000, connection } });
    const story = await stage.play({
      inputs,
      async duringMain(main) {
        await stage.requested("POST /procure_offer");
        await main.kill();
        expect(stage.world.market.ledger.entries()).toEqual([]);
      },
    });
    expect(logOf(story.post)).toMatch(/waiting up to .+ for a late effect/);
    expect(stage.world.market.ledger.entries()).toHaveLength(1);
    expect(judge(stage, story)).toBe("nothing is left");
  },
);

test("main is killed while the machine boots", async () => {
  const stage = await setStage({ market: { provisionMs: 60_000 } });
  const story = await stage.play({
    async duringMain(main) {
      await main.waitForLine("provisioning_", 30_000);
      await main.kill();
    },
  });
  expect(stage.world.market.ledger.entries()).toHaveLength(1);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("main is killed while 'run' runs: its processes end with the connection, and post deletes the machine", async () => {
  const stage = await setStage();
  const story = await stage.play({
    inputs: { run: "echo started\nsleep 300" },
    async duringMain(main) {
      await main.waitForLine(/^started$/, 60_000);
      await main.kill();
    },
  });
  expect(stage.world.machines[0]?.processes()).toEqual([]);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("main is killed between a failed machine's deletion and its proof, with the next one bought: post proves both", async () => {
  const stage = await setStage({ timeScale: 2, market: { deleteMs: 3_000 } });
  stage.world.market.faults.add({
    on: "GET /offers/:id/status",
    do: { kind: "status", status: 200, body: { procurement_status: "failed", failure_reason: "no capacity" } },
  });
  const story = await stage.play({
    async duringMain(main) {
      await stage.requested("POST /procure_offer", 2);
      await main.kill();
    },
  });
  expect(stage.world.market.ledger.entries()).toHaveLength(2);
  expect(judge(stage, story)).toBe("nothing is left");
});
