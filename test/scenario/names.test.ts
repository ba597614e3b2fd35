import { expect, test } from "vitest";
import { judge, logOf, setStage } from "./stage.ts";

const nameIn = (body: string): unknown => JSON.parse(body).resource_name;

test("a marketplace that keeps names: the log says that a sweep can see the machine", async () => {
  const stage = await setStage();
  const story = await stage.play();
  const [machine] = stage.world.market.ledger.entries();
  expect(machine?.name).toMatch(/^gpup-[0-9a-f]{8}-8123456789-1-[0-9a-z]{6}-[0-9a-z]+$/);
  expect(logOf(story.main)).toContain(
    `The marketplace shows the machine as '${machine?.name}': a later sweep can see it by its name.`,
  );
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a marketplace that refuses resource_name with 422: bought once more without, and the log says what that means", async () => {
  const stage = await setStage({ market: { keepsNames: "rejects" } });
  const story = await stage.play();
  expect(story.main.conclusion).toBe("success");
  const [first, second, ...more] = stage.requests("POST /procure_offer").map(({ body }) => nameIn(body));
  expect([first, second, more]).toEqual([expect.stringMatching(/^gpup-/), undefined, []]);
  expect(stage.world.market.ledger.entries()).toHaveLength(1);
  expect(logOf(story.main)).toContain("a later sweep cannot see it");
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a marketplace that drops names: the log says that a sweep cannot see the machine, post finds it all the same", async () => {
  const stage = await setStage({ market: { keepsNames: false } });
  const story = await stage.play();
  expect(story.main.conclusion).toBe("success");
  expect(logOf(story.main)).toContain("a later sweep cannot see it");
  expect(judge(stage, story)).toBe("nothing is left");
});

test("main killed during a purchase without names: post finds the machine by its offer, and leaves the others alone", async () => {
  const strangers = [{ name: "somebody-elses" }, {}];
  const stage = await setStage({ market: { keepsNames: false, strangers } });
  stage.world.market.faults.add({ on: "POST /procure_offer", do: { kind: "hang-after" } });
  const story = await stage.play({
    async duringMain(main) {
      await stage.requested("POST /procure_offer");
      await main.kill();
    },
  });
  expect(stage.world.market.ledger.alive("stranger")).toHaveLength(2);
  expect(judge(stage, story)).toBe("nothing is left");
});
