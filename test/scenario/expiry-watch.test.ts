import { expect, test } from "vitest";
import { orphansOf } from "../../sandbox/runner/orphans.ts";
import { judge, logOf, setStage, until } from "./stage.ts";

test("max-lifetime holds between main and post as well: the machine is gone before the next step has ended", async () => {
  const stage = await setStage();
  const { ledger } = stage.world.market;
  const directory = await stage.world.makeJobDirectory();
  const story = await stage.play({
    directory,
    inputs: { "max-lifetime": "10s", "provision-timeout": "10s" },
    async between(main) {
      expect(main.conclusion).toBe("success");
      expect(ledger.alive()).toHaveLength(1);
      expect(orphansOf(directory)).toHaveLength(1);
      await until("the deletion at the lease's end", () => ledger.alive().length === 0);
      await until("the end of the watch", () => orphansOf(directory).length === 0);
      expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(main.outputs["expires-at"] ?? ""));
    },
  });
  expect(logOf(story.post)).toContain("Attempt 1 is gone");
  expect(judge(stage, story)).toBe("nothing is left");
});

test("without post the lease's end alone has the machine deleted", async () => {
  const stage = await setStage();
  const { ledger } = stage.world.market;
  await stage.playMain({ inputs: { "max-lifetime": "10s", "provision-timeout": "10s" } });
  expect(ledger.alive()).toHaveLength(1);
  await until("the deletion at the lease's end", () => ledger.alive().length === 0);
  expect(ledger.entries()[0]?.deletedBy?.by).toBe("ours");
});
