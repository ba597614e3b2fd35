import type { AttemptRecord } from "./journal.ts";
import { costOf, timeBoughtBy } from "./money.ts";
import type { Offer } from "./offer.ts";

/** A deletion is not done the moment it is asked for; a budget keeps room for it. */
const DELETION_RESERVE = { shortest: 5_000, share: 0.1, longest: 60_000 };
/** A lease that is shorter than this, in milliseconds, cannot be of any use to anybody. */
export const SHORTEST_LEASE = 10_000;

/** Milliseconds that a lease of an offer may last: `max-lifetime`, cut to what is left of `max-cost` (USD). */
export function lifetimeWithin(
  limits: { maxLifetime: number; maxCost?: number },
  { pricePerHour, upfront = 0 }: Pick<Offer, "pricePerHour" | "upfront">,
  spent: number,
): number {
  if (limits.maxCost === undefined) return limits.maxLifetime;
  const bought = timeBoughtBy(limits.maxCost - spent - upfront, pricePerHour);
  const { shortest, share, longest } = DELETION_RESERVE;
  const reserve = Math.min(longest, Math.max(shortest, bought * share));
  return Math.max(0, Math.floor(Math.min(limits.maxLifetime, bought - reserve)));
}

/**
 * USD that an attempt has cost until `now` (epoch ms): what the marketplace says once it is over, where it does; else counted from
 * the purchase request, which is never less than what bills.
 */
export function costOfAttempt(attempt: AttemptRecord, now: number): number {
  if (attempt.stage === "nothing-bought") return 0;
  const { billedHours, gone, pricePerHour, sent, upfront = 0 } = attempt;
  if (billedHours !== undefined && gone !== undefined) return billedHours * pricePerHour;
  return upfront + costOf(pricePerHour, (gone ?? now) - sent);
}

/** USD that all attempts together have cost until `now` (epoch ms). */
export function costOfAll(attempts: readonly AttemptRecord[], now: number): number {
  return attempts.reduce((sum, attempt) => sum + costOfAttempt(attempt, now), 0);
}

/** USD that the lease of an offer costs when it lasts for `ms` milliseconds. */
export function costOfLease({ pricePerHour, upfront = 0 }: Pick<Offer, "pricePerHour" | "upfront">, ms: number): number {
  return upfront + costOf(pricePerHour, ms);
}

/** Kept free of waiting at the end of `cleanup-timeout`, so that a purchase which takes effect late can still be deleted. */
const LEAST_DELETION_TIME = 45_000;
const LONGEST_SETTLING = 300_000;

/** Milliseconds that a purchase with a lost answer is given to show an effect, within a `cleanupTimeout` of milliseconds. */
export function settleWithin(cleanupTimeout: number): number {
  return Math.min(LONGEST_SETTLING, Math.max(cleanupTimeout / 2, cleanupTimeout - LEAST_DELETION_TIME));
}
