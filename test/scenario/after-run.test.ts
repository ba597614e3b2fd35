import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { judge, logOf, setStage } from "./stage.ts";

test("release: after-run has the machine gone and proved before main ends; post repeats nothing", async () => {
  const stage = await setStage();
  let before = 0;
  const story = await stage.play({
    inputs: { run: "echo done", release: "after-run" },
    async between() {
      expect(stage.world.market.ledger.entries()).toHaveLength(1);
      expect(stage.world.market.ledger.alive()).toEqual([]);
      before = stage.world.market.requests.length;
    },
  });
  expect(story.main.conclusion).toBe("success");
  expect(logOf(story.main)).toContain("Attempt 1 is gone: ");
  expect(logOf(story.post)).toContain("Attempt 1 is gone, as proved before: ");
  expect(stage.world.market.requests.length).toBe(before);
  expect(story.post.summary).toContain("**Leaked: nothing**");
  expect(existsSync(story.main.outputs["ssh-key-path"] ?? "")).toBe(false);
  expect(judge(stage, story)).toBe("nothing is left");
});
