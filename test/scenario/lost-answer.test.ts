import { expect, test } from "vitest";
import { dearerGoods, goods, judge, logOf, setStage } from "./stage.ts";

test.each([
  ["the connection is cut", { kind: "reset-after" }],
  ["the answer is cut off in the middle", { kind: "malformed" }],
  ["a proxy answers 502 with HTML", { kind: "html", status: 502, effect: true }],
] as const)("after a purchase %s: it is looked up, not repeated, and main goes on with that machine", async (_how, fault) => {
  const stage = await setStage({ timeScale: 4 });
  stage.world.market.faults.add({ on: "POST /procure_offer", do: fault });
  const story = await stage.play({ inputs: { run: "echo fine" } });
  expect(story.main.conclusion).toBe("success");
  expect(logOf(story.main)).toMatch(/The purchase's answer was lost \(.+\)\. It is looked up, not sent again\./);
  expect(stage.requests("POST /procure_offer")).toHaveLength(1);
  const [machine, ...more] = stage.world.market.ledger.entries();
  expect(more).toEqual([]);
  expect(story.main.outputs).toMatchObject({ "resource-id": machine?.id, "exit-code": "0", attempts: "1" });
  expect(judge(stage, story)).toBe("nothing is left");
});

test("an answer that was lost before the purchase had its effect: seconds later the machine is found and used", async () => {
  const stage = await setStage({ timeScale: 4 });
  stage.world.market.faults.add({ on: "POST /procure_offer", do: { kind: "late-effect", ms: 3_000 } });
  const story = await stage.play();
  expect(story.main.conclusion).toBe("success");
  expect(stage.requests("POST /procure_offer")).toHaveLength(1);
  expect(stage.world.market.ledger.entries()).toHaveLength(1);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a purchase that was lost on its way counts as not sold after a while, and the next offer is used", async () => {
  const stage = await setStage({ timeScale: 20, stock: [goods(), dearerGoods] });
  stage.world.market.faults.add({ on: "POST /procure_offer", do: { kind: "reset-before" } });
  const story = await stage.play();
  expect(story.main.conclusion).toBe("success");
  expect(story.main.outputs).toMatchObject({ attempts: "2" });
  expect(stage.requests("POST /procure_offer")).toHaveLength(2);
  expect(stage.world.market.ledger.entries()).toHaveLength(1);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("an answer that takes minutes is waited for, and the purchase looked up beside it", async () => {
  const stage = await setStage({ timeScale: 20 });
  stage.world.market.faults.add({ on: "POST /procure_offer", do: { kind: "hang-after" } });
  const story = await stage.play();
  expect(story.main.conclusion).toBe("success");
  expect(stage.requests("POST /procure_offer")).toHaveLength(1);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a proxy that repeats our request gets a 409 for it: the machine carries our name, so main goes on with it", async () => {
  const stage = await setStage();
  const body = { detail: "Offer is no longer available" };
  stage.world.market.faults.add({ on: "POST /procure_offer", do: { kind: "status", status: 409, body, effect: true } });
  const story = await stage.play();
  expect(story.main.conclusion).toBe("success");
  expect(story.main.outputs["attempts"]).toBe("1");
  expect(stage.world.market.ledger.entries()).toHaveLength(1);
  expect(judge(stage, story)).toBe("nothing is left");
});
