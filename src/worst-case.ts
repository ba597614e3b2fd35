import { formatDuration } from "./lease/duration.ts";
import { costOfLease, lifetimeWithin } from "./lease/lifetime.ts";
import type { Log } from "./lease/log.ts";
import { formatUsd } from "./lease/money.ts";
import type { Offer } from "./lease/offer.ts";
import { describeOffer } from "./lease/offer.ts";
import { plain } from "./lease/plain.ts";
import type { Limits, Plan } from "./lease/plan.ts";

/** A machine typically takes minutes to boot; a lease that is shorter is likely to be paid for nothing. */
const SHORT_LEASE = 300_000;

/** Says, before anything is bought, what would be bought and what it can cost in the worst case. */
export function sayWorstCase(offers: readonly Offer[], plan: Plan, log: Log): void {
  const [best] = offers;
  if (best === undefined) return;
  const { limits } = plan;
  const lifetime = lifetimeWithin(limits, best, 0);
  const sentence =
    `Cheapest: ${plain(describeOffer(best))}. Its lease lasts at most ${formatDuration(lifetime)} ` +
    `(${formatUsd(costOfLease(best, lifetime))}); should other offers have to be tried, the worst case is ` +
    `${formatUsd(worstCase(offers, limits))} at today's prices.`;
  const uncapped = limits.maxCost === undefined && plan.wish.maxPricePerGpuHour === undefined;
  if (uncapped) log.warn(`${sentence} Set 'max-cost' or 'max-price-per-gpu-hour' to bound it.`, "No price cap");
  else log.info(sentence);
  if (lifetime < Math.min(SHORT_LEASE, limits.maxLifetime)) {
    log.warn(`'max-cost' buys only ${formatDuration(lifetime)} of this machine, boot included.`, "Short lease");
  }
}

/**
 * USD of the dearest way through `max-attempts` offers, cheapest first: each but the last one fails at the end of
 * `provision-timeout`, and the last one is used for a whole lease. Where there are fewer offers, later ones cost as the dearest.
 */
export function worstCase(offers: readonly Offer[], limits: Limits): number {
  let failed = 0;
  let worst = 0;
  for (let attempt = 0; attempt < limits.maxAttempts; attempt += 1) {
    const offer = offers[attempt] ?? offers.at(-1) ?? { pricePerHour: 0 };
    worst = Math.max(worst, failed + costOfLease(offer, limits.maxLifetime));
    failed += costOfLease(offer, limits.provisionTimeout);
  }
  return Math.min(limits.maxCost ?? Number.POSITIVE_INFINITY, worst);
}
