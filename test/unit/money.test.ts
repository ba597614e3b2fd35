import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { costOf, formatUsd, timeBoughtBy } from "../../src/lease/money.ts";

const price = fc.double({ min: 0.001, max: 1_000, noNaN: true });
const usd = fc.double({ min: 0, max: 100_000, noNaN: true });

describe("money", () => {
  test("an hour costs the hourly price, and time before the purchase costs nothing", () => {
    expect(costOf(2.4, 3_600_000)).toBeCloseTo(2.4, 10);
    expect(costOf(2.4, 1_000)).toBeCloseTo(2.4 / 3_600, 10);
    expect(costOf(2.4, -5_000)).toBe(0);
  });

  test("what an amount buys costs that amount", () => {
    fc.assert(
      fc.property(usd, price, (amount, perHour) => {
        expect(costOf(perHour, timeBoughtBy(amount, perHour))).toBeCloseTo(amount, 6);
      }),
    );
  });

  test("a debt buys no time, and what is free lasts for ever", () => {
    expect(timeBoughtBy(-1, 2)).toBe(0);
    expect(timeBoughtBy(0, 2)).toBe(0);
    expect(timeBoughtBy(1, 0)).toBe(Number.POSITIVE_INFINITY);
  });

  test.each([
    [0, "$0.00"],
    [2.345678, "$2.35"],
    [1234.5, "$1234.50"],
    [0.1, "$0.10"],
    [0.0042, "$0.0042"],
    [0.00001389, "$0.000014"],
    [5e-324, "$0.00"],
  ])("%d is written %s", (amount, text) => {
    expect(formatUsd(amount).slice(0, 12)).toMatch(text);
  });

  test("an amount that is not nothing never reads as nothing", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 1e6, noNaN: true }), (amount) => {
        expect(formatUsd(amount)).toMatch(/[1-9]/);
        expect(Math.abs(Number(formatUsd(amount).slice(1)) - amount)).toBeLessThanOrEqual(Math.max(0.005, amount / 10));
      }),
    );
  });
});
