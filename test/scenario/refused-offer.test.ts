import { expect, test } from "vitest";
import { annotations, dearerGoods, goods, judge, setStage } from "./stage.ts";

test.each([
  [410, "Offer has expired", "The purchase was denied"],
  [409, "Offer is no longer available", "The purchase was denied"],
] as const)("an offer that is refused with %i is followed by a fresh one for the same goods", async (status, detail, words) => {
  const stage = await setStage();
  stage.world.market.faults.add({ on: "POST /procure_offer", do: { kind: "status", status, body: { detail } } });
  const story = await stage.play();
  expect(story.main.conclusion).toBe("success");
  expect(annotations(story.main, "warning")).toContain(
    `Attempt 1 failed\n${words}: HTTP ${status}: ${detail} Trying the next offer.`,
  );
  const [first, second, ...more] = stage.requests("POST /procure_offer").map(({ body }) => JSON.parse(body).offer_id);
  expect(more).toEqual([]);
  expect(second).not.toBe(first);
  expect(story.main.outputs).toMatchObject({ attempts: "2", "offer-id": second });
  expect(story.post.summary).toContain("nothing was bought |");
  expect(stage.world.market.ledger.entries()).toHaveLength(1);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("an offer that reads as sold before the purchase is not even asked for", async () => {
  const stage = await setStage();
  stage.world.market.faults.add({ on: "GET /offers/:id", do: { kind: "status", status: 200, body: { status: "procured" } } });
  const story = await stage.play();
  expect(story.main.conclusion).toBe("success");
  expect(stage.requests("POST /procure_offer")).toHaveLength(1);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("goods that are never sold use up max-attempts, and main fails with the last reason", async () => {
  const stage = await setStage({ stock: [goods({ conduct: { sale: "expired" } }), dearerGoods] });
  const story = await stage.play({ inputs: { "max-attempts": "2", "max-price-per-gpu-hour": "2.5" } });
  expect(story.main.exitCode).toBe(1);
  expect(annotations(story.main, "error")).toContain("The purchase was denied: HTTP 410: Offer has expired");
  expect(stage.requests("POST /procure_offer")).toHaveLength(2);
  expect(judge(stage, story)).toBe("nothing is left");
});

test.each([
  [401, "Invalid authentication credentials"],
  [402, "Insufficient credit"],
] as const)("a purchase refused with %i is the end: no other offer would be sold", async (status, detail) => {
  const stage = await setStage();
  stage.world.market.faults.add({ on: "POST /procure_offer", do: { kind: "status", status, body: { detail } } });
  const story = await stage.play();
  expect(story.main.exitCode).toBe(1);
  expect(annotations(story.main, "error")).toContain(`The purchase was refused: HTTP ${status}: ${detail}`);
  expect(stage.requests("POST /procure_offer")).toHaveLength(1);
  expect(judge(stage, story)).toBe("nothing is left");
});
