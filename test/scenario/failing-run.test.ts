import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { annotations, judge, setStage } from "./stage.ts";

test("commands that end with 7 fail main with that code, results are fetched, and the machine goes before main ends", async () => {
  const stage = await setStage();
  let aliveWhenMainEnded: unknown;

  const story = await stage.play({
    inputs: { run: "echo half > result.txt\nexit 7", download: "result.txt -> out/result.txt" },
    async between() {
      aliveWhenMainEnded = stage.world.market.ledger.alive();
    },
  });

  expect(story.main.exitCode).toBe(1);
  expect(story.main.outputs["exit-code"]).toBe("7");
  expect(annotations(story.main, "error")).toContain("The commands in 'run' ended with exit code 7.");
  expect(readFileSync(join(story.directory, "workspace/out/result.txt"), "utf8")).toBe("half\n");
  expect(aliveWhenMainEnded).toEqual([]);
  expect(story.post.log.join("\n")).toContain("Attempt 1 is gone, as proved before");
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a command in the middle that fails ends the script, as in a workflow step", async () => {
  const stage = await setStage();
  const story = await stage.play({ inputs: { run: "false | cat\necho not reached" } });
  expect(story.main.outputs["exit-code"]).toBe("1");
  expect(story.main.log.join("\n")).not.toContain("not reached");
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a download that fails beside a failed 'run' hides nothing: the exit code is what is reported", async () => {
  const stage = await setStage();
  const story = await stage.play({ inputs: { run: "exit 3", download: "never-made -> out" } });
  expect(story.main.outputs["exit-code"]).toBe("3");
  expect(annotations(story.main, "warning")).toContain("never-made");
  expect(annotations(story.main, "error")).toContain("ended with exit code 3");
  expect(judge(stage, story)).toBe("nothing is left");
});
