import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import * as z from "zod";
import { readRecords } from "../../sandbox/runner/command-files.ts";
import { leaveJobsStranded, startGuardRecord } from "../../src/actions/guard-record.ts";
import { type InputName, inputNames } from "../../src/actions/input-names.ts";
import { readRunContext } from "../../src/actions/run-context.ts";
import { decodeJournal, type GuardRecord } from "../../src/lease/journal.ts";
import type { Log } from "../../src/lease/log.ts";

const GITHUB_TOKEN = "ghp_abcdefghijklmnopqrstuvwxyz0123456789";

let directory = "";
let file = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "guard-"));
  file = join(directory, "state");
  writeFileSync(file, "");
  vi.stubEnv("GITHUB_STATE", file);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true, force: true });
});

const context = readRunContext({
  GITHUB_REPOSITORY: "octo/repo",
  GITHUB_RUN_ID: "4711",
  GITHUB_RUN_ATTEMPT: "2",
  RUNNER_TEMP: "/tmp",
  GITHUB_WORKSPACE: "/tmp",
});

/** What post is left with after these inputs were refused, and what the log was told. */
function leave(given: Partial<Record<InputName, string>>): { readonly guard?: GuardRecord | undefined; readonly told: string[] } {
  const told: string[] = [];
  const tell = (sentence: string) => {
    told.push(sentence);
  };
  const log: Log = { info: tell, debug: tell, notice: tell, warn: tell, error: tell, group: (_title, work) => work() };
  const raw = z
    .record(z.enum(inputNames), z.string())
    .parse(Object.fromEntries(inputNames.map((name) => [name, given[name] ?? ""])));
  leaveJobsStranded(raw, context, log);
  const saved = new Map(readRecords(readFileSync(file, "utf8")).pairs).get("lease");
  return { guard: saved === undefined ? undefined : decodeJournal(saved).guard, told };
}

describe("a guard whose inputs are refused", () => {
  test("leaves its labels to post, as stranded", () => {
    expect(leave({ mode: " runner ", "runner-label": "gpu-a, gpu-b\n" }).guard).toEqual({
      labels: ["gpu-a", "gpu-b"],
      scope: "octo/repo",
      records: [],
      jobs: [],
      stranded: true,
    });
  });

  test("leaves the default label where none is given", () => {
    expect(leave({ mode: "runner", "runner-label": ",\n" }).guard?.labels).toEqual(["gpu-4711-2"]);
  });

  test("never leaves a token that was put in the wrong place", () => {
    const token = "a-token-without-a-form";
    leave({ mode: "runner", "github-token": token, "runner-label": `${GITHUB_TOKEN}, ${token}\ngpu-a` });
    expect(readFileSync(file, "utf8")).toContain("gpu-a");
    expect(readFileSync(file, "utf8")).not.toMatch(/ghp_|without-a-form/);
  });

  test.each([{ mode: "ssh" }, { mode: "" }, { mode: "runner", "cancel-run-on-failure": "False" }])(
    "leaves nothing with %o",
    (given) => {
      expect(leave(given).guard).toBeUndefined();
    },
  );

  test("tells where nothing can be left", () => {
    vi.stubEnv("GITHUB_STATE", join(directory, "none"));
    expect(leave({ mode: "runner" }).told.join()).toContain("could not be written");
  });
});

describe("the journal of a guard", () => {
  test("begins with where its runners are registered", () => {
    const labels = ["gpu-1"];
    const repository = { kind: "repository", owner: "octo", repository: "repo" } as const;
    expect(startGuardRecord({ labels, scope: repository })).toEqual({ labels, scope: "octo/repo", records: [], jobs: [] });
    expect(startGuardRecord({ labels, scope: { kind: "organisation", owner: "octo" } }).scope).toBe("octo");
  });
});
