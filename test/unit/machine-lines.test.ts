import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitLines } from "../../src/machine/lines.ts";

function linesOf(chunks: readonly (Buffer | string)[], longest?: number): string[] {
  const splitter = splitLines(longest);
  return [...chunks.flatMap((chunk) => splitter.push(Buffer.from(chunk))), ...splitter.end()];
}

describe("splitLines", () => {
  it.each([
    ["plain lines", ["a\nb\n"], ["a", "b"]],
    ["an unfinished last line", ["a\nb"], ["a", "b"]],
    ["empty lines", ["\n\na\n"], ["", "", "a"]],
    ["CRLF", ["a\r\n\r\nb\r\n"], ["a", "", "b"]],
    ["CRLF across chunks", ["a\r", "\nb"], ["a", "b"]],
    ["an empty CRLF line across chunks", ["a\n\r", "\nb"], ["a", "", "b"]],
    ["progress bars", ["\r10%\r20%\r", "100%\n"], ["10%", "20%", "100%"]],
    ["a progress bar that ends", ["10%\r\ndone\n"], ["10%", "done"]],
    ["text after an empty return", ["\ra\nb"], ["a", "b"]],
    ["nothing", [], []],
  ])("%s", (_what, chunks, lines) => {
    expect(linesOf(chunks)).toEqual(lines);
  });

  it("passes a line on as soon as its end has come", () => {
    const splitter = splitLines();
    expect(splitter.push(Buffer.from("a"))).toEqual([]);
    expect(splitter.push(Buffer.from("b\nc"))).toEqual(["ab"]);
    expect(splitter.push(Buffer.from("\r"))).toEqual(["c"]);
  });

  it("cuts what never ends, and no character in two", () => {
    expect(linesOf(["abcdefgh\n"], 3)).toEqual(["abc", "def", "gh"]);
    expect(linesOf(["ab😀cd\n"], 3)).toEqual(["ab", "😀c", "d"]);
    expect(linesOf([`${"x".repeat(200_000)}\n`]).map((line) => line.length)).toEqual([65_536, 65_536, 65_536, 3_392]);
  });

  it("does not depend on how the bytes are cut into chunks", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "ö", "漢", "😀", "\n", "\r", "\r\n"), maxLength: 60 });
    fc.assert(
      fc.property(text, fc.array(fc.nat(40), { maxLength: 8 }), (whole, cuts) => {
        const bytes = Buffer.from(whole);
        const at = [0, ...cuts.filter((cut) => cut < bytes.length).sort((one, other) => one - other), bytes.length];
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        expect(linesOf(chunks)).toEqual(linesOf([bytes]));
      }),
    );
  });

  it("loses no text", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "\n", "\r"), maxLength: 60 });
    fc.assert(
      fc.property(text, (whole) => {
        expect(linesOf([whole]).join("")).toBe(whole.replace(/[\r\n]/g, ""));
      }),
    );
  });
});
