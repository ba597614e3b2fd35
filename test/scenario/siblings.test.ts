import { expect, test } from "vitest";
import { annotations, goods, judge, setStage } from "./stage.ts";

const siblingTokens = Array.from({ length: 7 }, (_, index) => `sibling-token-${index}-of-the-same-account`);

test.each([
  ["names are kept", {}],
  ["names are dropped", { keepsNames: false }],
  ["names are dropped, and the list is not filtered by offer", { keepsNames: false, manner: { filtersByOffer: false } }],
] as const)(
  "eight jobs of a matrix see the same offers (%s): no machine is used twice, or deleted by another job",
  async (_how, market) => {
    const stage = await setStage({ market: { ...market, siblingTokens, sharesOffers: true } });
    const { ledger, token } = stage.world.market;
    const stories = await Promise.all(
      [token, ...siblingTokens].map((own, index) =>
        stage.play({ token: own, env: { GITHUB_RUN_ID: `900${index}` }, inputs: { "max-attempts": "10", run: "sleep 1" } }),
      ),
    );
    const used = stories.filter(({ main }) => main.conclusion === "success");
    // Who was too late ten times says so; what it had bought meanwhile is nothing.
    for (const { main } of stories) {
      if (main.conclusion !== "success") expect(annotations(main, "error")).toMatch(/no longer for sale|no longer available/);
    }
    expect(used.length).toBeGreaterThan(0);
    expect(new Set(used.map(({ main }) => main.outputs["resource-id"])).size).toBe(used.length);
    expect(ledger.entries()).toHaveLength(used.length);
    for (const entry of ledger.entries()) expect(entry.deletedBy?.by).toBe(entry.boughtBy);
    for (const story of stories) expect(judge(stage, story)).toBe("nothing is left");
  },
);

test("a purchase that is lost before it has an effect, while a sibling buys the same offer: its machine is let be", async () => {
  const [sibling = ""] = siblingTokens;
  const stage = await setStage({ timeScale: 10, market: { siblingTokens, sharesOffers: true } });
  const { market } = stage.world;
  let siblingsStory: Promise<unknown> | undefined;
  market.faults.add({ on: "POST /procure_offer", do: { kind: "hang-before" } });
  const story = await stage.play({
    inputs: { "cleanup-timeout": "1m" },
    async duringMain(main) {
      await stage.requested("POST /procure_offer");
      siblingsStory = stage.playMain({ token: sibling, inputs: {} });
      await siblingsStory;
      expect(market.ledger.alive("sibling-1")).toHaveLength(1);
      await main.kill();
    },
  });
  expect(story.post.conclusion).toBe("success");
  expect(story.post.log.join("\n")).toContain("the offer reads as sold to another lease, and nothing of ours is listed for it");
  expect(market.ledger.alive("sibling-1")).toHaveLength(1);
  expect(market.ledger.deletedThatWereNotOurs()).toEqual([]);
});

test("machines that others have in the account are never touched, whatever the list shows", async () => {
  const strangers = [{ name: "build-farm-3" }, {}, { name: "gpup-00000000-1-1-aaaaaa-zzzzz" }];
  for (const manner of [{ filtersByOffer: false }, { offerHistory: false }] as const) {
    const stage = await setStage({ stock: [goods()], market: { strangers, manner } });
    const story = await stage.play();
    expect(story.main.conclusion).toBe("success");
    expect(stage.world.market.ledger.alive("stranger")).toHaveLength(3);
    expect(judge(stage, story)).toBe("nothing is left");
  }
});
