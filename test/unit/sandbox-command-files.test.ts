import { describe, expect, it } from "vitest";
import { readRecords } from "../../sandbox/runner/command-files.ts";

describe("readRecords", () => {
  it("reads both forms, and keeps what a value holds", () => {
    const text = "plain=a=b<<c\n\nlong<<EOF\nfirst\n\nlast=1\nEOF\nempty<<EOF\nEOF\nafter=\n";
    expect(readRecords(text)).toEqual({
      pairs: [
        ["plain", "a=b<<c"],
        ["long", "first\n\nlast=1"],
        ["empty", ""],
        ["after", ""],
      ],
    });
  });

  it("takes a delimiter without a newline at the end of the file", () => {
    expect(readRecords("a<<EOF\n1\nEOF").pairs).toEqual([["a", "1"]]);
  });

  it("leaves a carriage return in the value, as the runner does on Linux", () => {
    expect(readRecords("a=1\r\n").pairs).toEqual([["a", "1\r"]]);
  });

  it.each([
    ["an unfinished heredoc", "kept=1\ntorn<<EOF\nhalf\nlost=2\n", "Matching delimiter not found 'EOF'"],
    ["a heredoc cut off in its delimiter line", "kept=1\ntorn<<EOF\nhalf\nEO", "Matching delimiter not found 'EOF'"],
    ["a heredoc without a name", "kept=1\n<<EOF\n1\nEOF\nlost=2\n", "Name must not be empty"],
    ["a heredoc without a delimiter", "kept=1\ntorn<<\nlost=2\n", "delimiter must not be empty"],
    ["a line without a sign", "kept=1\ntorn\nlost=2\n", "Invalid format 'torn'"],
    ["a value without a name", "kept=1\n=x\nlost=2\n", "Name must not be empty"],
  ])("stops at %s and keeps what stands before", (_what, text, reason) => {
    const { pairs, error } = readRecords(text);
    expect(pairs).toEqual([["kept", "1"]]);
    expect(error).toContain(reason);
  });
});
