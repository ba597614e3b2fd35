import { expect, test } from "vitest";
import type { Manner } from "../../sandbox/compute-clear/replies.ts";
import { judge, setStage } from "./stage.ts";

const manners: readonly Manner[] = [
  { resourceList: "bare", numbersAsText: true, catalogue: "named", procureAnswer: "procured" },
  { resourceList: "items", extraFields: true, offerHistory: false },
  { resourceList: "data", resourceIds: "only-listed", listsDeleted: true },
  { resourceList: "bare", resourceIds: "only-listed", procureAnswer: "procured", filtersByOffer: false, extraFields: true },
  { deletedReads: "absent", numbersAsText: true, extraFields: true, listsDeleted: true },
];

test.each(manners.map((manner) => [JSON.stringify(manner), manner] as const))(
  "a marketplace that answers like %s",
  async (_words, manner) => {
    const stage = await setStage({ market: { manner, strangers: [{ name: "somebody-elses" }] } });
    const story = await stage.play({ inputs: { run: "nvidia-smi -L" } });
    expect(story.main.conclusion).toBe("success");
    const [machine] = stage.world.market.ledger.entries().filter(({ boughtBy }) => boughtBy === "ours");
    expect(story.main.outputs).toMatchObject({ "resource-id": machine?.id, "price-per-hour": "2", "exit-code": "0" });
    expect(stage.world.market.ledger.alive("stranger")).toHaveLength(1);
    expect(judge(stage, story)).toBe("nothing is left");
  },
);

test("hiccups of the marketplace on the way are survived: 500, 429, HTML, cut and slow answers", async () => {
  const stage = await setStage({ timeScale: 4 });
  const { faults } = stage.world.market;
  faults.add({ on: "POST /get_offers", do: { kind: "status", status: 503 } });
  faults.add({ on: "GET /offers/:id", do: { kind: "reset-before" } });
  faults.add({ on: "GET /offers/:id/status", do: { kind: "html", status: 502 } });
  faults.add({ on: "GET /offers/:id/status", nth: 2, do: { kind: "malformed" } });
  faults.add({ on: "GET /resources/:id", do: { kind: "slow", ms: 300 } });
  faults.add({ on: "GET /resources", do: { kind: "status", status: 429, headers: { "retry-after": "1" } } });
  const story = await stage.play();
  expect(story.main.conclusion).toBe("success");
  expect(new Set(faults.strikes().map(({ on }) => on)).size).toBe(5);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a state that nobody has heard of is waited through, until the machine is ready or its time is over", async () => {
  const stage = await setStage({ timeScale: 2 });
  stage.world.market.faults.add({
    on: "GET /offers/:id/status",
    times: 2,
    do: { kind: "status", status: 200, body: { status: "reticulating", procurement_status: "splines", instances: null } },
  });
  const story = await stage.play();
  expect(story.main.conclusion).toBe("success");
  expect(judge(stage, story)).toBe("nothing is left");
});
