import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { followCommands } from "../../sandbox/runner/workflow-commands.ts";
import { plain, plainMarkdown, plainWord } from "../../src/lease/plain.ts";

/** Text made of what is dangerous, so that a few hundred runs meet every mix of it. */
const hostile = fc
  .array(
    fc.oneof(
      {
        weight: 3,
        arbitrary: fc.constantFrom(":", "::", "##[", "#", "[", "]", "error", "add-mask", "stop-commands", "set-output name=x"),
      },
      {
        weight: 2,
        arbitrary: fc.constantFrom("\n", "\r", "\u2028", "\u001b[31m", "\u0000", "\u0085", "\u202e", "\t", " ", "\u00a0"),
      },
      {
        weight: 2,
        arbitrary: fc.constantFrom(
          "<b>",
          "@octocat",
          "http://",
          "www.",
          "|",
          "`",
          "*",
          "_",
          "\\",
          "~",
          "$",
          "&amp;",
          "!",
          "(",
          ")",
        ),
      },
      fc.string({ unit: "binary", maxLength: 4 }),
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(""));

const CONTROL = /[\p{Cc}\u2028\u2029]/u;

/** What the runner would take as a command, wherever in a line the text stands. */
function commandsIn(text: string): readonly { readonly name: string }[] {
  const runner = followCommands({ showsDebug: true });
  for (let at = 0; at <= text.length; at += 1) runner.take(text.slice(at));
  return runner.commands;
}

describe("plain", () => {
  test("the text of a vendor is one line that is no workflow command in either form, wherever it is put", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const line = plain(text);
        expect(line).not.toMatch(CONTROL);
        expect(line).not.toContain("::");
        expect(line).not.toContain("##[");
        expect(commandsIn(line)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    "::error::x",
    ":::error:::x",
    "::::::::",
    ":\u0000:error:\u0000:x",
    "##[error]x",
    "###[error]x",
    "#\n#[add-mask]x",
    "  ::stop-commands::x",
    "a\r::error::b",
  ])("%j is harmless, and stays so when it is made plain again", (text) => {
    expect(commandsIn(plain(text))).toEqual([]);
    expect(plain(plain(text))).toBe(plain(text));
  });

  test("ordinary text stays as it is", () => {
    for (const text of ["nebius", "eu-north1", "Offer is no longer available (HTTP 409)", "大阪", "3:30", "a: b", "#1 [x]"])
      expect(plain(text)).toBe(text);
  });

  test("is never longer than asked for, and never half a character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), fc.integer({ min: 1, max: 40 }), (text, longest) => {
        const line = plain(text, longest);
        expect(line.length).toBeLessThanOrEqual(longest);
        expect(line.isWellFormed()).toBe(true);
      }),
    );
    expect(plain("x".repeat(1_000))).toHaveLength(300);
    expect(plain("\ud83d".repeat(5)).isWellFormed()).toBe(true);
  });
});

describe("plainWord", () => {
  test("is a word that a shell takes as it is, and no option", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(plainWord(text)).toMatch(/^([A-Za-z0-9._:/+][A-Za-z0-9._:/+-]*)?$/);
        expect(commandsIn(plainWord(text))).toEqual([]);
      }),
    );
  });

  test.each([
    ["eu-north1", "eu-north1"],
    ["nvidia-h100-sxm5-80gb", "nvidia-h100-sxm5-80gb"],
    ["$(reboot)", "reboot-"],
    ["a; rm -rf ~", "a-rm--rf-"],
    ["-rf", "rf"],
  ])("%j becomes %j", (text, word) => {
    expect(plainWord(text)).toBe(word);
  });
});

describe("plainMarkdown", () => {
  test("leaves nothing that markdown reads: no link, mention, reference, html, table cell or formula", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const markdown = plainMarkdown(text);
        const entities = /&#\d+;/g;
        expect(markdown).not.toMatch(CONTROL);
        expect(markdown.replace(entities, "")).not.toMatch(/[\\`*_[\]<>#|~&@$]|:\/\/|www\./i);
        expect(commandsIn(markdown)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  // GitHub looks for mentions, references and mail addresses in the text that its renderer made, where entities are characters.
  test.each([
    ["@octocat", /@\w/],
    ["someone@example.com", /@\w/],
    ["#123", /#\w/],
    ["acme/kernels#123", /#\w/],
  ])("%s is none even after its entities are read", (text, reference) => {
    const rendered = plainMarkdown(text).replace(/&#(\d+);/g, (_entity, code) => String.fromCodePoint(Number(code)));
    expect(rendered).not.toMatch(reference);
    expect(rendered.replaceAll("\u200b", "")).toBe(text);
  });

  test("ordinary text stays as it is", () => {
    expect(plainMarkdown("1x H100, nebius, eu-north1 (HTTP 409)")).toBe("1x H100, nebius, eu-north1 (HTTP 409)");
  });
});
