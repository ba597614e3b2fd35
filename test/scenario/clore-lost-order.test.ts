import { expect, test } from "vitest";
import { server } from "../../sandbox/clore/servers.ts";
import type { Fault } from "../../sandbox/faults.ts";
import { judge, logOf, setStage } from "./stage.ts";

const ORDER = "POST /create_order";

async function setCloreStage(timeScale = 10) {
  return setStage({ timeScale, clore: { servers: [server(1, 4.8), server(2, 9.6)] } });
}

test.each<readonly [string, Fault]>([
  ["a cut connection", { kind: "reset-after" }],
  ["a page of a proxy", { kind: "html", status: 502, effect: true }],
  ["half of it", { kind: "malformed" }],
  ["HTTP 500 without a code", { kind: "status", status: 500, body: "oops", effect: true }],
  ["HTTP 200 without a code", { kind: "status", status: 200, body: {}, effect: true }],
  ["silence", { kind: "hang-after" }],
])("an order that is answered with %s is looked up by its ports, used, and not sent again", async (_how, fault) => {
  const stage = await setCloreStage();
  stage.world.market.faults.add({ on: ORDER, do: fault });
  const story = await stage.play({ inputs: { run: "true" } });
  expect(story.main.conclusion, logOf(story.main)).toBe("success");
  expect(story.main.outputs["offer-id"]).toBe("1");
  expect(stage.requests(ORDER)).toHaveLength(1);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("an order that takes effect 30 s after its connection was cut is used, and not sent again", async () => {
  const stage = await setCloreStage();
  stage.world.market.faults.add({ on: ORDER, do: { kind: "late-effect", ms: 3_000 } });
  const story = await stage.play({ inputs: { run: "true" } });
  expect(story.main.conclusion, logOf(story.main)).toBe("success");
  expect(stage.requests(ORDER)).toHaveLength(1);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("an order that takes effect after another server was rented instead is cancelled, too", async () => {
  const stage = await setCloreStage(20);
  stage.world.market.faults.add({ on: ORDER, do: { kind: "late-effect", ms: 5_000 } });
  const story = await stage.play({ inputs: { run: "sleep 4" } });
  expect(story.main.conclusion, logOf(story.main)).toBe("success");
  expect(story.main.outputs["offer-id"]).toBe("2");
  expect(stage.world.clore?.orders).toHaveLength(2);
  expect(judge(stage, story)).toBe("nothing is left");
});

test.each<readonly [string, Fault | undefined]>([
  ["is on its way", { kind: "slow", ms: 2_000 }],
  ["has just been made", undefined],
  ["takes effect only after main has ended", { kind: "late-effect", ms: 8_000 }],
])("cancelled while the order %s: it is cancelled", async (_when, fault) => {
  const stage = await setCloreStage(1);
  if (fault !== undefined) stage.world.market.faults.add({ on: ORDER, do: fault });
  const story = await stage.play({
    inputs: { run: "true" },
    async duringMain(main) {
      await stage.requested(ORDER);
      await main.cancel();
    },
  });
  expect(stage.world.clore?.orders).toHaveLength(1);
  expect(judge(stage, story)).toBe("nothing is left");
});
