import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { appendOrUndo } from "../../src/actions/append.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "append-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const full = new Error("ENOSPC: no space left on device");

/** Appends the first half of a text, and then fails as a full disk does. */
function appendHalf(file: string, text: string): void {
  appendFileSync(file, text.slice(0, text.length / 2));
  throw full;
}

describe("an append", () => {
  test("that works stays", () => {
    const file = join(directory, "state");
    writeFileSync(file, "a=1\n");
    appendOrUndo(file, () => appendFileSync(file, "b=2\n"));
    expect(readFileSync(file, "utf8")).toBe("a=1\nb=2\n");
  });

  test("that was torn is taken back, and its error comes through", () => {
    const file = join(directory, "state");
    writeFileSync(file, "ä=1\n");
    expect(() => appendOrUndo(file, () => appendHalf(file, "b<<end\nvalue\nend\n"))).toThrow(full);
    expect(readFileSync(file, "utf8")).toBe("ä=1\n");
    appendOrUndo(file, () => appendFileSync(file, "c=3\n"));
    expect(readFileSync(file, "utf8")).toBe("ä=1\nc=3\n");
  });

  test("that was torn in an empty file leaves it empty", () => {
    const file = join(directory, "state");
    writeFileSync(file, "");
    expect(() => appendOrUndo(file, () => appendHalf(file, "b=2\n"))).toThrow(full);
    expect(readFileSync(file, "utf8")).toBe("");
  });

  test.each([undefined, ""])("where there is no file (%j) throws what it threw", (file) => {
    expect(() =>
      appendOrUndo(file, () => {
        throw full;
      }),
    ).toThrow(full);
  });

  test("to a file that is missing throws what it threw", () => {
    expect(() =>
      appendOrUndo(join(directory, "none", "state"), () => appendFileSync(join(directory, "none", "state"), "a")),
    ).toThrow(/ENOENT/);
  });

  test("to a device that is always full throws what the device said", () => {
    expect(() => appendOrUndo("/dev/full", () => appendFileSync("/dev/full", "a=1\n"))).toThrow(/ENOSPC/);
  });
});
