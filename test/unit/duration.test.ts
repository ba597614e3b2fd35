import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatDuration, parseDuration } from "../../src/lease/duration.ts";

describe("a written duration", () => {
  test.each([
    ["90s", 90_000],
    ["15m", 900_000],
    ["2h", 7_200_000],
    ["0s", 0],
    ["1.5h", 5_400_000],
    ["0.5s", 500],
  ])("%s is %d ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    "",
    "5",
    "s",
    "2 h",
    " 2h",
    "2h ",
    "2H",
    "-1m",
    "+1m",
    "1d",
    "5ms",
    "1h30m",
    ".5h",
    "1.h",
    "1e3s",
    "Infinityh",
    "2h\n",
    "٣m",
    `${"9".repeat(400)}h`,
  ])("%j is none", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test("every number of seconds, minutes and hours is taken as it is", () => {
    fc.assert(
      fc.property(
        fc.nat(100_000),
        fc.constantFrom(["s", 1_000] as const, ["m", 60_000] as const, ["h", 3_600_000] as const),
        (count, [unit, ms]) => {
          expect(parseDuration(`${count}${unit}`)).toBe(count * ms);
        },
      ),
    );
  });

  test("any text is a number of milliseconds or none", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\d+(\.\d+)?[smhd]$/)), (text) => {
        const ms = parseDuration(text);
        expect(ms === undefined || (Number.isInteger(ms) && ms >= 0)).toBe(true);
      }),
    );
  });
});

describe("a shown duration", () => {
  test.each([
    [0, "0 s"],
    [-5_000, "0 s"],
    [499, "0 s"],
    [42_000, "42 s"],
    [59_600, "1 min"],
    [185_000, "3 min 5 s"],
    [900_000, "15 min"],
    [3_599_700, "1 h"],
    [7_800_000, "2 h 10 min"],
  ])("%d ms reads '%s'", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test("no part ever reaches 60", () => {
    fc.assert(
      fc.property(fc.nat(10 * 3_600_000), (ms) => {
        const [, minutes = "0"] = /(\d+) min/.exec(formatDuration(ms)) ?? [];
        const [, seconds = "0"] = /(\d+) s/.exec(formatDuration(ms)) ?? [];
        expect(Math.max(Number(minutes), Number(seconds))).toBeLessThan(60);
      }),
    );
  });
});
