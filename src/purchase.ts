import type { Clock, Deadline } from "./lease/clock.ts";
import { formatDuration } from "./lease/duration.ts";
import { describe, MarketFailure, PurchaseFailure } from "./lease/failure.ts";
import type { Journal } from "./lease/journal.ts";
import type { Log } from "./lease/log.ts";
import { plain } from "./lease/plain.ts";
import { startWaiting } from "./lease/waiting.ts";
import type { Market, PurchaseAnswer, PurchaseOrder } from "./market/provider.ts";

export interface PurchaseDeps {
  readonly market: Market;
  readonly clock: Clock;
  readonly log: Log;
  readonly journal: Journal;
  readonly signal: AbortSignal;
}

/** How long a signal waits for the purchase's answer: the runner kills the step 10 s after the signal, and the DELETE must go. */
const ANSWER_GRACE = 6_000;
/** An answer that takes longer than this is not waited for alone: the purchase is looked up beside it. */
const LOOK_UP_AFTER = 30_000;
const SECOND_LOOK_AFTER = 3_000;

/**
 * Sends one purchase, already journalled as intended, and finds out what came of it. Resolves when the machine is being made.
 * Throws PurchaseFailure when it was not sold by the deadline (the next offer may be tried), MarketFailure when no other offer can
 * help, and the signal's reason when it fires, after having given the answer its grace.
 */
export async function purchase(order: PurchaseOrder, attempt: number, deadline: Deadline, deps: PurchaseDeps): Promise<void> {
  const { market, clock, log, journal, signal } = deps;
  if (signal.aborted) {
    journal.note(attempt, { stage: "nothing-bought" });
    signal.throwIfAborted();
  }
  let answer: PurchaseAnswer | undefined;
  const answered = market.buy(order, signal).then((said) => {
    answer = said;
    noteAnswer(said, attempt, deps);
  });
  const waiting = startWaiting(clock, log);
  let lostSince: number | undefined;
  for (let pause = LOOK_UP_AFTER; ; pause = 5_000) {
    await pauseUnless(answered, answer === undefined, pause, clock, signal);
    if (signal.aborted) {
      await pauseUnless(answered, true, ANSWER_GRACE, clock);
      signal.throwIfAborted();
    }
    if (answer !== undefined && answer.kind !== "unknown") return endWith(answer, order, attempt, deadline, deps);
    if (answer !== undefined && lostSince === undefined) {
      lostSince = clock.ticks();
      journal.note(attempt, { lost: clock.now() });
      log.info(`The purchase's answer was lost (${plain(answer.reason)}). It is looked up, not sent again.`);
    }
    const found = await lookUp(attempt, deps);
    if (found === "sold") {
      journal.note(attempt, { stage: "bought", answered: clock.now() });
      return;
    }
    if (deadline.passed()) {
      throw new PurchaseFailure(
        `No answer to the purchase within ${formatDuration(waiting.elapsed())} ('provision-timeout'); it reads '${found}'.`,
        "Whatever comes of it is deleted.",
      );
    }
    if (lostSince === undefined) {
      waiting.tell("the marketplace is still working on the purchase.");
      continue;
    }
    const lostFor = clock.ticks() - lostSince;
    if (found === "failed" || (found === "unsold" && lostFor >= market.traits.showsWithin)) {
      throw new PurchaseFailure(
        `The purchase's answer was lost, and ${found === "failed" ? "the marketplace reports that it failed" : `the offer reads unsold ${formatDuration(lostFor)} later`}.`,
        "The post step looks once more before it ends.",
      );
    }
    waiting.tell(`the purchase is looked up; so far it reads '${found}'.`);
  }
}

/** Waits for the answer (while there is none) or for the next look, whichever comes first; a signal ends the wait. */
async function pauseUnless(
  answered: Promise<void>,
  waitForAnswer: boolean,
  pause: number,
  clock: Clock,
  signal?: AbortSignal,
): Promise<void> {
  const stop = new AbortController();
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const slept = clock.sleep(pause, either).catch((error: unknown) => {
    // The caller sees by its signal that the wait was cut short; anything else is not a timer's business.
    if (!either.aborted) throw error;
  });
  await (waitForAnswer ? Promise.race([answered, slept]) : slept);
  stop.abort();
}

/**
 * Saved at the moment that it arrives, also when nobody waits for it any more: post reads it. By then the purchase may have been
 * looked up, or given up: what was found counts more than a late answer, which only adds to it.
 */
function noteAnswer(answer: PurchaseAnswer, attempt: number, { journal, clock }: PurchaseDeps): void {
  const { stage, resourceIds: known } = journal.attempt(attempt);
  const isOpen = stage === "intended";
  const answered = clock.now();
  if (answer.kind === "refused" && isOpen) journal.note(attempt, { stage: "nothing-bought", answered });
  if (answer.kind !== "accepted" && answer.kind !== "failed") return;
  const accepted = answer.kind === "accepted";
  const resourceIds = [...new Set([...known, ...answer.resourceIds])];
  const tellsMore = resourceIds.length > known.length || (accepted && known.length === 0);
  // A failed sale may leave remains, so it stays open until release has seen that nothing is listed.
  if (isOpen) journal.note(attempt, { ...(accepted ? { stage: "bought" } : {}), answered, resourceIds });
  else if (tellsMore) journal.note(attempt, { stage: "bought", resourceIds });
}

async function endWith(
  answer: Exclude<PurchaseAnswer, { kind: "unknown" }>,
  order: PurchaseOrder,
  attempt: number,
  deadline: Deadline,
  deps: PurchaseDeps,
): Promise<void> {
  const { clock, log, journal, signal } = deps;
  switch (answer.kind) {
    case "accepted":
      return;
    case "failed":
      throw new PurchaseFailure(`The marketplace could not deliver: ${answer.reason}`, "Whatever it left behind is deleted.");
    case "denied":
      if (await carriesOurName(order, attempt, deps)) {
        log.info("The purchase was denied because it was made already, by ourselves: the machine carries our name.");
        journal.note(attempt, { stage: "bought", answered: clock.now() });
        return;
      }
      journal.note(attempt, { stage: "nothing-bought", answered: clock.now() });
      throw new PurchaseFailure(`The purchase was denied: ${answer.reason}`, "Nothing was bought.");
    case "refused":
      if (answer.next === "nothing") {
        throw new MarketFailure(
          `The purchase was refused: ${answer.reason}`,
          "Nothing was bought. No other offer would be sold on this request.",
        );
      }
      if (answer.waitMs !== undefined) {
        const pause = Math.min(answer.waitMs, deadline.left());
        log.info(`The purchase was refused (${answer.reason}); waiting ${formatDuration(pause)}.`);
        await clock.sleep(pause, signal);
      }
      throw new PurchaseFailure(`The purchase was refused: ${answer.reason}`, "Nothing was bought.", {
        offerStillGood: answer.next === "same-offer",
        lostRace: answer.lostRace ?? false,
      });
  }
}

/** Looks twice, for a machine of a purchase that was taken the first time may be listed only seconds later. */
async function carriesOurName(order: PurchaseOrder, attempt: number, deps: PurchaseDeps): Promise<boolean> {
  const { clock, market, journal, signal } = deps;
  for (const pause of [0, SECOND_LOOK_AFTER]) {
    await clock.sleep(pause, signal);
    const { ours } = await market.holdings(journal.attempt(attempt), signal);
    const named = ours.filter(({ name }) => name === order.leaseName).map(({ id }) => id);
    if (named.length === 0) continue;
    journal.note(attempt, { resourceIds: named });
    return true;
  }
  return false;
}

/** What the marketplace shows of a purchase whose answer is not there. Sold is only what is provably ours. */
async function lookUp(
  attempt: number,
  { market, journal, log, signal }: PurchaseDeps,
): Promise<"sold" | "failed" | "unsold" | "unclear"> {
  const purchase = journal.attempt(attempt);
  try {
    const { ours, soldToAnother } = await market.holdings(purchase, signal);
    if (ours.length > 0) {
      journal.note(attempt, { resourceIds: ours.map(({ id }) => id) });
      return "sold";
    }
    if (soldToAnother) return "unsold";
    const { phase } = await market.progress(purchase, signal);
    if (phase === "failed") return "failed";
    return phase === "none" || phase === "expired" ? "unsold" : "unclear";
  } catch (error) {
    if (!signal.aborted) log.debug(`The purchase could not be looked up: ${plain(describe(error))}`);
    return "unclear";
  }
}
