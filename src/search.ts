import type { Clock, Deadline } from "./lease/clock.ts";
import { formatDuration } from "./lease/duration.ts";
import { describe, MarketFailure, NoOfferFailure } from "./lease/failure.ts";
import type { Log } from "./lease/log.ts";
import { formatUsd } from "./lease/money.ts";
import type { Offer } from "./lease/offer.ts";
import { describeOffer } from "./lease/offer.ts";
import { plain } from "./lease/plain.ts";
import type { Plan, Wish } from "./lease/plan.ts";
import { startWaiting, type Waiting } from "./lease/waiting.ts";
import type { Market } from "./market/provider.ts";
import { mixNearCheapest, rankOffers } from "./market/rank.ts";

export interface SearchDeps {
  readonly market: Market;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * The offers that fit, cheapest first and without those already tried. Asks again until one fits or the
 * deadline (`wait-for-offer`) is over.
 * Throws NoOfferFailure, with what the market does have, when none fits.
 */
export async function search(
  plan: Plan,
  tried: ReadonlySet<string>,
  deadline: Deadline,
  deps: SearchDeps,
): Promise<readonly Offer[]> {
  const { clock, log, signal } = deps;
  const waiting = startWaiting(clock, log);
  for (;;) {
    const offers = (await searchPatiently(plan, deadline, waiting, deps)).filter((offer) => !tried.has(offer.id));
    const { fitting, refused } = rankOffers(offers, plan.wish, clock.now());
    const reasons = refused.map(({ reason, count }) => `${count} refused: ${reason}`);
    if (fitting.length > 0) {
      log.info(`${fitting.length} of ${offers.length} offers fit${reasons.length > 0 ? ` (${reasons.join("; ")})` : ""}:`);
      for (const offer of fitting.slice(0, 5)) log.info(`- ${plain(describeOffer(offer))}`);
      if (fitting.length > 5) log.info(`- and ${fitting.length - 5} dearer ones.`);
      return mixNearCheapest(fitting, deps.market.traits.spread);
    }
    const none = [offers.length === 0 ? "the market has no offer" : "no offer fits", ...reasons].join("; ");
    if (deadline.passed()) throw await explainNone(plan, none, deps);
    waiting.tell(`${none}; asking again, for up to ${formatDuration(deadline.left())} more.`);
    await clock.sleep(Math.min(deps.market.pace(plan.limits.pollInterval), deadline.left()), signal);
  }
}

/** While there is time to wait for an offer, trouble of the marketplace counts as one more reason to ask again. */
async function searchPatiently(plan: Plan, deadline: Deadline, waiting: Waiting, deps: SearchDeps): Promise<readonly Offer[]> {
  for (;;) {
    try {
      return await deps.market.search(plan.wish, deps.signal);
    } catch (error) {
      if (!(error instanceof MarketFailure) || deadline.passed()) throw error;
      waiting.tell(`${plain(describe(error))}; asking again.`);
      await deps.clock.sleep(Math.min(deps.market.pace(plan.limits.pollInterval), deadline.left()), deps.signal);
    }
  }
}

async function explainNone(plan: Plan, none: string, deps: SearchDeps): Promise<NoOfferFailure> {
  const { wish } = plan;
  const hints = await findReasons(wish, deps);
  for (const hint of hints) deps.log.info(hint);
  const waited = plan.limits.waitForOffer > 0 ? ` for ${formatDuration(plan.limits.waitForOffer)}` : "";
  return new NoOfferFailure(
    [`No offer for ${wish.gpuCount}x ${wish.gpuTypes.join(" or ")}${waited}: ${none}.`, ...hints].join(" "),
    "This search bought nothing. Name more GPU types, regions or vendors, raise the price cap, or set 'wait-for-offer' to keep asking.",
  );
}

/** What the market says about a wish that nothing fits: values that it does not know, or else the price without the cap. */
async function findReasons(wish: Wish, { market, clock, log, signal }: SearchDeps): Promise<readonly string[]> {
  try {
    const unknown = await market.explain(wish, signal);
    if (unknown.length > 0 || wish.maxPricePerGpuHour === undefined) return unknown;
    const { maxPricePerGpuHour, ...uncapped } = wish;
    const dearer = rankOffers(await market.search(uncapped, signal), uncapped, clock.now()).fitting[0];
    // One that fits the cap as well was refused for another reason, or has been tried.
    if (dearer === undefined || dearer.pricePerHour / dearer.gpuCount <= maxPricePerGpuHour) return [];
    return [
      `The cheapest that would fit costs ${formatUsd(dearer.pricePerHour / dearer.gpuCount)} per GPU-hour ` +
        `(${plain(describeOffer(dearer))}), above your 'max-price-per-gpu-hour' of ${formatUsd(maxPricePerGpuHour)}.`,
    ];
  } catch (error) {
    signal.throwIfAborted();
    // Only the explanation is missing; that nothing fits is known, and is what has to be told.
    log.debug(`Why nothing fits could not be asked: ${plain(describe(error))}`);
    return [];
  }
}
