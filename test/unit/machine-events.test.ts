import { describe, expect, test } from "vitest";
import { silentLog } from "../../src/lease/log.ts";
import type { MachineEvent } from "../../src/runner/contract.ts";
import { readEvent } from "../../src/runner/machine-events.ts";
import { openMachineRunners } from "../../src/runner/machine-runners.ts";

describe("a line of the boot log", () => {
  test.each<readonly [string, MachineEvent]>([
    ["@gpup phase 12 runner application", { kind: "phase", seconds: 12, name: "runner application" }],
    ["@gpup failed no nvidia-smi", { kind: "failed", reason: "no nvidia-smi" }],
    ["@gpup failed", { kind: "failed", reason: "" }],
    ["@gpup powering-off", { kind: "powering-off" }],
    ["@gpup wants 2 it is too old", { kind: "wants-configuration", slot: 2, why: "it is too old" }],
    ["@gpup started 1", { kind: "started", slot: 1 }],
    ["@gpup listening 16", { kind: "listening", slot: 16 }],
    ["@gpup job-started 1 test (H100, 1)", { kind: "job-started", slot: 1, job: "test (H100, 1)" }],
    ["@gpup job-ended 1 Failed a b", { kind: "job-ended", slot: 1, result: "Failed", job: "a b" }],
    ["@gpup refused 3 Forbidden", { kind: "refused", slot: 3, reason: "Forbidden" }],
    ["@gpup ended 1", { kind: "ended", slot: 1 }],
  ])("%s", (line, event) => {
    expect(readEvent(line)).toEqual(event);
  });

  test.each([
    "",
    "ended 1",
    " @gpup ended 1",
    "@gpup ended",
    "@gpup ended x",
    "@gpup ended -1",
    "@gpup ended 1234567",
    "@gpup exploded 1",
    `@gpup failed ${"x".repeat(1_000)}`,
  ])("%j is no event", (line) => {
    expect(readEvent(line)).toBeUndefined();
  });
});

describe("the boot log that is shown", () => {
  test("has no configuration, no control characters and no empty lines", async () => {
    const configuration = Buffer.from(JSON.stringify({ ".credentials": "x".repeat(300) })).toString("base64");
    const stdout = `one\n\n--jitconfig ${configuration} taken\n\u001b[31m::error::two\n`;
    const machine = {
      exec: async () => ({ code: 0, stdout, stderr: "" }),
      run: () => Promise.reject(new Error("not asked for")),
    };
    const lines = await openMachineRunners(machine, { log: silentLog }).readBootLog(new AbortController().signal);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toBe("one");
    expect(lines[1]).toBe("--jitconfig *** taken");
    expect(lines[2]).not.toContain("\u001b");
  });
});
