import { formatDuration } from "./lease/duration.ts";
import { lifetimeWithin } from "./lease/lifetime.ts";
import type { Log } from "./lease/log.ts";
import { costOf, formatUsd } from "./lease/money.ts";
import type { Offer } from "./lease/offer.ts";
import { describeOffer } from "./lease/offer.ts";
import { plain } from "./lease/plain.ts";
import type { Plan } from "./lease/plan.ts";

/** A machine typically takes minutes to boot; a lease that is shorter is likely to be paid for nothing. */
const SHORT_LEASE = 300_000;

/** Says, before anything is bought, what would be bought and what it can cost in the worst case. */
export function sayWorstCase(offers: readonly Offer[], plan: Plan, log: Log): void {
  const [best] = offers;
  if (best === undefined) return;
  const { limits } = plan;
  const lifetime = lifetimeWithin(limits, best.pricePerHour, 0);
  const dearest = Math.max(...offers.slice(0, limits.maxAttempts).map((offer) => offer.pricePerHour));
  const failedAttempts = costOf(dearest, (limits.maxAttempts - 1) * limits.provisionTimeout);
  const lease = costOf(best.pricePerHour, lifetime);
  const worst = Math.min(limits.maxCost ?? Number.POSITIVE_INFINITY, lease + failedAttempts);
  const sentence =
    `Cheapest: ${plain(describeOffer(best))}. Its lease lasts at most ${formatDuration(lifetime)} (${formatUsd(lease)}); ` +
    `with failed attempts the worst case is ${formatUsd(worst)}.`;
  const uncapped = limits.maxCost === undefined && plan.wish.maxPricePerGpuHour === undefined;
  if (uncapped) log.warn(`${sentence} Set 'max-cost' or 'max-price-per-gpu-hour' to bound it.`, "No price cap");
  else log.info(sentence);
  if (lifetime < Math.min(SHORT_LEASE, limits.maxLifetime)) {
    log.warn(`'max-cost' buys only ${formatDuration(lifetime)} of this machine, boot included.`, "Short lease");
  }
}
