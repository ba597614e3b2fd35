import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { annotations, judge, type Stage, setStage } from "./stage.ts";

/** Plays a job of a pull request from a fork; without `token` it has no secrets, as GitHub gives such runs none. */
async function playFork(stage: Stage, inputs: Record<string, string>) {
  const directory = await stage.world.makeJobDirectory();
  writeFileSync(
    join(directory, "event.json"),
    JSON.stringify({ pull_request: { head: { repo: { full_name: "mallory/kernels::warning::x" } } } }),
  );
  return await stage.play({ directory, inputs, env: { GITHUB_EVENT_NAME: "pull_request" } });
}

test("a fork's pull request is refused, before any request", async () => {
  const stage = await setStage();
  const story = await playFork(stage, { token: "" });
  expect(story.main.exitCode).toBe(1);
  expect(annotations(story.main, "error")).toContain("fork\nThe code of this run comes from mallory/kernels");
  expect(annotations(story.main, "warning")).toBe("");
  expect(stage.world.market.requests).toEqual([]);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("on-fork: skip ends green, with a notice, and before any request", async () => {
  const stage = await setStage();
  const story = await playFork(stage, { token: "", "on-fork": "skip" });
  expect(story.main.conclusion).toBe("success");
  expect(annotations(story.main, "notice")).toContain("Nothing was bought, as 'on-fork: skip' says.");
  expect(stage.world.market.requests).toEqual([]);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("on-fork: allow rents", async () => {
  const stage = await setStage();
  const story = await playFork(stage, { "on-fork": "allow" });
  expect(story.main.conclusion).toBe("success");
  expect(stage.world.market.ledger.entries()).toHaveLength(1);
  expect(judge(stage, story)).toBe("nothing is left");
});
