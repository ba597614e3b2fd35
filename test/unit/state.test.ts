import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { readRecords } from "../../sandbox/runner/command-files.ts";
import { readSavedJournal, stateStore } from "../../src/actions/state.ts";
import { JournalFailure } from "../../src/lease/failure.ts";

let directory = "";
let file = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "state-"));
  file = join(directory, "state");
  writeFileSync(file, "");
  vi.stubEnv("GITHUB_STATE", file);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true, force: true });
});

const records = () => readRecords(readFileSync(file, "utf8"));

describe("the journal in the step's state", () => {
  test("is in the file as soon as it is saved, the last one counting", () => {
    stateStore.save('{"number":1}');
    expect(records()).toEqual({ pairs: [["lease", '{"number":1}']] });
    stateStore.save('{"number":2}');
    expect(new Map(records().pairs).get("lease")).toBe('{"number":2}');
  });

  test("is what post is handed, and is undefined when main saved nothing", () => {
    expect(readSavedJournal()).toBeUndefined();
    vi.stubEnv("STATE_lease", '{"number":2}');
    expect(readSavedJournal()).toBe('{"number":2}');
  });

  test("that cannot be saved says why nothing is bought", () => {
    vi.stubEnv("GITHUB_STATE", join(directory, "none"));
    expect(() => stateStore.save("{}")).toThrow(
      expect.objectContaining({ code: "journal", hint: expect.stringContaining("Nothing is bought") }),
    );
  });

  test("a value that is no text of one line cannot break out of its record", () => {
    stateStore.save("a\nlease=forged\nb");
    expect(new Map(records().pairs)).toEqual(new Map([["lease", "a\nlease=forged\nb"]]));
  });

  test("where the device is full throws JournalFailure", () => {
    vi.stubEnv("GITHUB_STATE", "/dev/full");
    expect(() => stateStore.save("{}")).toThrow(JournalFailure);
  });

  // A limit on the size of files tears an append as a full disk does: what fits is written, and then the write fails.
  test("an append that the disk tears leaves what was saved before readable, and a smaller one can follow", async () => {
    const state = resolve("src/actions/state.ts");
    const script = `
      import { stateStore } from ${JSON.stringify(state)};
      const save = (text) => { try { stateStore.save(text); return "saved"; } catch (error) { return error.code; } };
      console.log([save("first"), save("x".repeat(6000)), save("last")].join(" "));
    `;
    const { stdout } = await promisify(execFile)(
      "sh",
      ["-c", `trap "" XFSZ; ulimit -f 4; exec "$0" --input-type=module -e "$1"`, process.execPath, script],
      { env: { PATH: process.env["PATH"], GITHUB_STATE: file } },
    );
    expect(stdout.trim()).toBe("saved journal saved");
    expect(records()).toEqual({
      pairs: [
        ["lease", "first"],
        ["lease", "last"],
      ],
    });
  });
});
