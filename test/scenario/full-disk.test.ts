import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { annotations, judge, logOf, setStage, until } from "./stage.ts";

const hasFullDevice = existsSync("/dev/full");
const preload = [fileURLToPath(new URL("./full-disk.cjs", import.meta.url))];

test.runIf(hasFullDevice)("a disk that is full under the state file: nothing is bought", async () => {
  const stage = await setStage();
  const story = await stage.play({ files: { state: "/dev/full" } });
  expect(story.main.exitCode).toBe(1);
  expect(annotations(story.main, "error")).toContain("journal\nThe lease journal could not be written to the step's state");
  expect(stage.requests("POST /procure_offer")).toEqual([]);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a disk that fills up in the middle of the record: the torn half is taken back, and nothing is bought", async () => {
  const stage = await setStage();
  const directory = await stage.world.makeJobDirectory();
  const state = join(directory, "state");
  const full = join(directory, "full");
  writeFileSync(state, "other=kept\n");
  writeFileSync(full, "");
  const story = await stage.play({ directory, files: { state }, env: { FULL_DISK: full }, preload });
  expect(story.main.exitCode).toBe(1);
  expect(annotations(story.main, "error")).toContain("no space left on device");
  expect(story.main.fileCommandError).toBeUndefined();
  expect(story.main.state).toEqual({ other: "kept" });
  expect(statSync(state).size).toBe("other=kept\n".length);
  expect(stage.requests("POST /procure_offer")).toEqual([]);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a disk that fills up after the intent was saved: the machine is used, and post deletes it by what it knows", async () => {
  const stage = await setStage();
  const directory = await stage.world.makeJobDirectory();
  const full = join(directory, "full");
  stage.world.market.faults.add({ on: "POST /procure_offer", do: { kind: "slow", ms: 500 } });
  const story = await stage.play({
    directory,
    preload,
    env: { FULL_DISK: full },
    inputs: { run: "echo fine" },
    async duringMain() {
      await until("a purchase", () => stage.requests("POST /procure_offer").length > 0);
      writeFileSync(full, "");
    },
  });
  expect(story.main.conclusion).toBe("success");
  expect(annotations(story.main, "warning")).toContain("Lease journal\nThe lease journal could not be written");
  expect(JSON.parse(story.main.state["lease"] ?? "").attempts).toMatchObject([{ stage: "intended", resourceIds: [] }]);
  expect(stage.world.market.ledger.entries()).toHaveLength(1);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a disk that fills up after the intent, and main fails: its own deletion goes all the same", async () => {
  const stage = await setStage({ timeScale: 5 });
  const directory = await stage.world.makeJobDirectory();
  const full = join(directory, "full");
  stage.world.market.faults.add({ on: "POST /procure_offer", do: { kind: "slow", ms: 500 } });
  let left: unknown;
  const story = await stage.play({
    directory,
    preload,
    env: { FULL_DISK: full },
    inputs: { run: "exit 4", "cleanup-timeout": "20s" },
    async duringMain() {
      await stage.requested("POST /procure_offer");
      writeFileSync(full, "");
    },
    async between() {
      left = stage.world.market.ledger.alive();
    },
  });
  expect(story.main.outputs["exit-code"]).toBe("4");
  expect(left).toEqual([]);
  // Post knows no more than the intent; the offer's state leads it to the machine, which reads as deleted.
  expect(judge(stage, story)).toBe("nothing is left");
});

test.runIf(hasFullDevice)(
  "a disk that is full under the outputs: main fails before it buys what nobody could reach",
  async () => {
    const stage = await setStage();
    const story = await stage.play({ files: { output: "/dev/full" } });
    expect(story.main.exitCode).toBe(1);
    expect(annotations(story.main, "error")).toContain("ENOSPC");
    expect(stage.requests("POST /procure_offer")).toEqual([]);
    expect(judge(stage, story)).toBe("nothing is left");
  },
);

test.runIf(hasFullDevice)("a disk that is full under the summary costs the report, and nothing else", async () => {
  const stage = await setStage();
  const story = await stage.play({ files: { step_summary: "/dev/full" } });
  expect(story.main.conclusion).toBe("success");
  expect(logOf(story.post)).toContain("The job summary could not be written");
  expect(judge(stage, story)).toBe("nothing is left");
});
