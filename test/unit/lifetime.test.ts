import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AttemptRecord } from "../../src/lease/journal.ts";
import { costOfAll, costOfAttempt, lifetimeWithin, settleWithin } from "../../src/lease/lifetime.ts";
import { costOf } from "../../src/lease/money.ts";

const HOUR = 3_600_000;
const price = fc.double({ min: 0.001, max: 500, noNaN: true });
const usd = fc.double({ min: 0, max: 1_000, noNaN: true });
const lifetime = fc.integer({ min: 1, max: 24 * HOUR });

const attempt: AttemptRecord = {
  number: 1,
  stage: "bought",
  leaseName: "gpup-0123abcd-42-1-abc123-hqk3a",
  offerId: "offer-1",
  gpu: "1x H100",
  vendor: "nebius",
  region: "EU",
  pricePerHour: 3,
  resourceIds: [],
  expiresAt: 5 * HOUR,
  sent: HOUR,
};

describe("the lifetime of a lease", () => {
  test("without a budget it is max-lifetime", () => {
    expect(lifetimeWithin({ maxLifetime: 2 * HOUR }, { pricePerHour: 3 }, 100)).toBe(2 * HOUR);
  });

  test("a budget that buys more than max-lifetime changes nothing", () => {
    expect(lifetimeWithin({ maxLifetime: HOUR, maxCost: 100 }, { pricePerHour: 3 }, 0)).toBe(HOUR);
  });

  test("a budget cuts it, with a minute kept for the deletion", () => {
    expect(lifetimeWithin({ maxLifetime: 9 * HOUR, maxCost: 6 }, { pricePerHour: 3 }, 0)).toBe(2 * HOUR - 60_000);
  });

  test("of a small budget a tenth is kept", () => {
    expect(lifetimeWithin({ maxLifetime: HOUR, maxCost: 0.05 }, { pricePerHour: 3 }, 0)).toBe(54_000);
  });

  test("what earlier attempts have cost is taken off, down to nothing", () => {
    expect(lifetimeWithin({ maxLifetime: 9 * HOUR, maxCost: 6 }, { pricePerHour: 3 }, 3)).toBe(HOUR - 60_000);
    expect(lifetimeWithin({ maxLifetime: HOUR, maxCost: 6 }, { pricePerHour: 3 }, 6)).toBe(0);
    expect(lifetimeWithin({ maxLifetime: HOUR, maxCost: 6 }, { pricePerHour: 3 }, 7)).toBe(0);
  });

  test("what is free lasts for max-lifetime", () => {
    expect(lifetimeWithin({ maxLifetime: HOUR, maxCost: 0.01 }, { pricePerHour: 0 }, 0)).toBe(HOUR);
  });

  test("max-cost and max-lifetime are never exceeded, and the reserve is", () => {
    fc.assert(
      fc.property(usd, usd, price, lifetime, (maxCost, spent, perHour, maxLifetime) => {
        const ms = lifetimeWithin({ maxCost, maxLifetime }, { pricePerHour: perHour }, spent);
        expect(Number.isInteger(ms)).toBe(true);
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThanOrEqual(maxLifetime);
        if (ms > 0) expect(spent + costOf(perHour, ms)).toBeLessThanOrEqual(maxCost);
      }),
    );
  });
});

describe("the cost of attempts", () => {
  test("counts from the purchase request until the deletion is proved, else until now", () => {
    expect(costOfAttempt(attempt, 2 * HOUR)).toBeCloseTo(3, 10);
    expect(costOfAttempt({ ...attempt, stage: "gone", gone: 1.5 * HOUR }, 2 * HOUR)).toBeCloseTo(1.5, 10);
  });

  test("counts what is only intended, for it may be bought", () => {
    expect(costOfAttempt({ ...attempt, stage: "intended" }, 2 * HOUR)).toBeCloseTo(3, 10);
  });

  test("a refused purchase costs nothing", () => {
    expect(costOfAttempt({ ...attempt, stage: "nothing-bought" }, 2 * HOUR)).toBe(0);
  });

  test("adds up", () => {
    expect(costOfAll([], HOUR)).toBe(0);
    expect(costOfAll([attempt, { ...attempt, stage: "nothing-bought" }, attempt], 2 * HOUR)).toBeCloseTo(6, 10);
  });
});

describe("settling", () => {
  test.each([
    [600_000, 300_000],
    [300_000, 255_000],
    [210_000, 165_000],
    [60_000, 30_000],
    [10_000, 5_000],
  ])("a cleanup-timeout of %d ms gives a lost purchase %d ms", (cleanupTimeout, ms) => {
    expect(settleWithin(cleanupTimeout)).toBe(ms);
  });

  test("always leaves time to delete what shows up at the last moment", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 * HOUR }), (cleanupTimeout) => {
        const left = cleanupTimeout - settleWithin(cleanupTimeout);
        expect(left).toBeGreaterThanOrEqual(Math.min(45_000, cleanupTimeout / 2));
      }),
    );
  });
});
