import { expect, test } from "vitest";
import { annotations, goods, judge, logOf, setStage } from "./stage.ts";

const timeScale = 4;

test("a deletion that answers 500 five times is asked for until it is taken", async () => {
  const stage = await setStage({ timeScale, stock: [goods({ conduct: { deletion: { answers500: 5 } } })] });
  const story = await stage.play();
  expect(story.post.conclusion).toBe("success");
  expect(logOf(story.post)).toContain("was not taken, asking again: Compute Clear answered DELETE /resources/");
  expect(stage.requests("DELETE /resources/:id").length).toBeGreaterThanOrEqual(6);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("the same when main fails: a failed step asks again itself", async () => {
  const stage = await setStage({ timeScale, stock: [goods({ conduct: { deletion: { answers500: 5 } } })] });
  let left: unknown;
  const story = await stage.play({
    inputs: { run: "exit 1" },
    async between() {
      left = stage.world.market.ledger.alive();
    },
  });
  expect(left).toEqual([]);
  expect(judge(stage, story)).toBe("nothing is left");
});

test.each([
  ["429 with Retry-After", { kind: "status", status: 429, headers: { "retry-after": "1" } }],
  ["a cut connection", { kind: "reset-before" }],
  ["a cut connection after its effect", { kind: "reset-after" }],
  ["404 with HTML, from a proxy", { kind: "html", status: 404 }],
] as const)("a deletion answered by %s proves nothing, and is asked for again", async (_how, fault) => {
  const stage = await setStage({ timeScale });
  stage.world.market.faults.add({ on: "DELETE /resources/:id", times: 2, do: fault });
  const story = await stage.play();
  expect(story.post.conclusion).toBe("success");
  expect(stage.world.market.faults.strikes().length).toBeGreaterThan(0);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a marketplace that forgets what was deleted: two answers of 404 in its own form are proof", async () => {
  const stage = await setStage({ timeScale, market: { manner: { deletedReads: "absent" } } });
  const story = await stage.play();
  expect(logOf(story.post)).toMatch(/Attempt 1 is gone: .+ is not found, twice, \d+ s apart, and the offer lists nothing alive/);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("reads that a proxy answers with 404 and HTML prove nothing: post fails and names the machine", async () => {
  const stage = await setStage({ timeScale, stock: [goods({ conduct: { resourceReads: "html-404" } })] });
  const story = await stage.play({ inputs: { "cleanup-timeout": "20s" } });
  const [machine] = stage.world.market.ledger.entries();
  expect(story.main.conclusion).toBe("success");
  expect(annotations(story.post, "error")).toContain(machine?.id);
  expect(annotations(story.post, "error")).toMatch(/HTTP 404/);
  expect(judge(stage, story)).toBe("post has failed and named it");
});
