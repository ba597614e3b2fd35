import type { Deadline } from "./lease/clock.ts";
import { deadlineAfter } from "./lease/clock.ts";
import { formatDuration } from "./lease/duration.ts";
import { describe, isWorthAnotherOffer, NoOfferFailure, PurchaseFailure, ReleaseFailure } from "./lease/failure.ts";
import type { AttemptRecord } from "./lease/journal.ts";
import { unproved } from "./lease/journal.ts";
import { costOfAll, settleWithin } from "./lease/lifetime.ts";
import type { Offer } from "./lease/offer.ts";
import { describeOffer } from "./lease/offer.ts";
import { plain } from "./lease/plain.ts";
import { askForDeletion, release } from "./release.ts";
import { rent } from "./rent.ts";
import { search } from "./search.ts";
import type { Purpose, Rented, StoryDeps } from "./story.ts";
import { sayWorstCase } from "./worst-case.ts";

/** The runner kills a cancelled step 10 s after the signal; the DELETE has to be on the wire before. */
const SIGNAL_GRACE = 9_000;
/** How long a failed step tries to have its deletion taken, and then proved, before it leaves that to post. */
const ASK_FOR_DELETION_WITHIN = 60_000;
const PROVE_WITHIN = 60_000;
/** Purchases that others may be faster with, before one more counts as an attempt. */
const MOST_RACES = 12;

/**
 * The story of main: find an offer, buy it, make the machine usable, use it, and hand it over to the steps that follow, or delete
 * it. Whatever goes wrong after the first purchase request, deletion is asked for before this rejects.
 */
export async function provision(deps: StoryDeps, purpose: Purpose): Promise<void> {
  const { plan, clock, log } = deps;
  const untilOffer = deadlineAfter(clock, plan.limits.waitForOffer);
  const offers = await log.group("Offers", () => search(plan, new Set(), untilOffer, deps));
  sayWorstCase(offers, plan, log);
  if (plan.dryRun) {
    await deps.reportOffers(offers);
    log.notice("Dry run: nothing was bought.");
    return;
  }
  const proofs = gatherProofs(deps);
  const grace = startGraceOnSignal(deps);
  try {
    const rented = await rentOneOf(offers, untilOffer, purpose, proofs, deps);
    try {
      await purpose.use(rented);
    } finally {
      rented.close();
    }
    if (purpose.handsOver) handOver(rented, deps);
    else await releaseNow(purpose, deps);
  } catch (error) {
    await letGo(grace(), deps);
    throw error;
  } finally {
    await proofs.leaveToPost();
    tellCost(deps);
  }
}

function tellCost({ clock, journal, log, outputs }: StoryDeps): void {
  const { attempts } = journal.read();
  try {
    outputs({ attempts: attempts.length, cost: costOfAll(attempts, clock.now()).toFixed(4) });
  } catch (error) {
    // Outputs that matter were written before; how this step ends is more important to say.
    log.info(`The outputs 'attempts' and 'cost' could not be written: ${describe(error)}`);
  }
}

/** Tries offers until one becomes a usable machine. A machine that is no good is deleted before the next one is bought. */
async function rentOneOf(
  first: readonly Offer[],
  untilOffer: Deadline,
  purpose: Purpose,
  proofs: Proofs,
  deps: StoryDeps,
): Promise<Rented> {
  const { plan, log, journal, signal } = deps;
  const tried = new Set<string>();
  const disappointing = new Set<string>();
  let offers = first;
  let races = 0;
  for (let number = 1; ; number += 1) {
    const offer = offers.find((one) => !disappointing.has(kindOf(one))) ?? offers[0];
    if (offer === undefined) throw new NoOfferFailure("No offer is left to try.", "Nothing more is bought.");
    tried.add(offer.id);
    try {
      const title = `Machine ${number - races} of at most ${plan.limits.maxAttempts}: ${plain(describeOffer(offer))}`;
      return await log.group(title, () => rent(offer, number, purpose, deps));
    } catch (error) {
      signal.throwIfAborted();
      const attempt = journal.read().attempts.find((one) => one.number === number);
      if (attempt !== undefined) journal.note(number, { failure: plain(describe(error), 200) });
      if (error instanceof PurchaseFailure && error.offerStillGood) tried.delete(offer.id);
      // That a sibling was faster costs nothing, and says nothing about the next offer.
      if (error instanceof PurchaseFailure && error.lostRace && races < MOST_RACES) races += 1;
      if (!isWorthAnotherOffer(error) || number - races >= plan.limits.maxAttempts) throw error;
      log.warn(`${describe(error)} Trying the next offer.`, `Attempt ${number} failed`);
      if (attempt !== undefined && attempt.stage !== "nothing-bought") {
        disappointing.add(kindOf(offer));
        await drop(attempt, proofs, deps);
      }
      offers = await searchAgain(error, () => log.group("Offers", () => search(plan, tried, untilOffer, deps)));
    }
  }
}

/** A market that has nothing more is only the last reason: why the attempts before failed is what the user has to know. */
async function searchAgain(after: unknown, again: () => Promise<readonly Offer[]>): Promise<readonly Offer[]> {
  try {
    return await again();
  } catch (error) {
    if (!(error instanceof NoOfferFailure)) throw error;
    throw new NoOfferFailure(`${describe(after)} And then: ${error.message}`, error.hint, { cause: after });
  }
}

/** Fresh offers for the same goods have fresh ids; what disappointed once is tried again only when nothing else is left. */
function kindOf(offer: Offer): string {
  return [offer.vendor, offer.region, offer.gpuType, offer.pricePerHour].join(" ");
}

/** Has the deletion of a machine that is no good taken before anything else is bought; its proof goes on meanwhile. */
async function drop(attempt: AttemptRecord, proofs: Proofs, deps: StoryDeps): Promise<void> {
  const patience = attempt.stage === "bought" ? ASK_FOR_DELETION_WITHIN : 0;
  const taken = await askForDeletion(deps, attempt, deadlineAfter(deps.clock, patience));
  if (!taken && attempt.stage === "bought") {
    throw new ReleaseFailure(
      `The marketplace does not take the deletion of attempt ${attempt.number} (offer ${attempt.offerId}).`,
      "No other machine is bought while this one may be billing; the post step goes on deleting it.",
    );
  }
  proofs.add(attempt.number);
}

interface Proofs {
  add(attempt: number): void;
  /** Ends the waits that still go on; post takes them up again. */
  leaveToPost(): Promise<void>;
}

function gatherProofs(deps: StoryDeps): Proofs {
  const stop = new AbortController();
  const running: Promise<void>[] = [];
  const signal = AbortSignal.any([deps.signal, stop.signal]);
  const { clock, journal, log, plan } = deps;
  return {
    add(attempt) {
      const { cleanupTimeout } = plan.limits;
      const proof = release(
        { ...deps, signal, mayStillBeBuying: true },
        [journal.attempt(attempt)],
        deadlineAfter(clock, cleanupTimeout),
        settleWithin(cleanupTimeout),
      );
      running.push(
        proof.catch((error: unknown) => {
          if (!signal.aborted) log.warn(`${describe(error)} The post step tries again.`);
        }),
      );
    },
    async leaveToPost() {
      stop.abort();
      await Promise.all(running);
    },
  };
}

/** The machine has done its work, so it goes before this step ends. */
async function releaseNow(purpose: Purpose, deps: StoryDeps): Promise<void> {
  const { clock, journal, log, plan } = deps;
  const { cleanupTimeout } = plan.limits;
  const attempts = unproved(journal.read());
  if (!purpose.provesInMain) {
    log.info("Deleting the machine; the post step proves that it is gone.");
    const untilTaken = deadlineAfter(clock, ASK_FOR_DELETION_WITHIN);
    await Promise.all(attempts.map((attempt) => askForDeletion(deps, attempt, untilTaken)));
    return;
  }
  await log.group("Release", () =>
    release({ ...deps, mayStillBeBuying: true }, attempts, deadlineAfter(clock, cleanupTimeout), settleWithin(cleanupTimeout)),
  );
}

/** The machine now belongs to the steps that follow. Nothing of ours runs until post, so a watch is set on the lease's end. */
function handOver(rented: Rented, deps: StoryDeps): void {
  const { expiresAt } = deps.journal.attempt(rented.attempt);
  deps.watchExpiry();
  deps.log.info(
    `The machine is yours until this job ends, or for ${formatDuration(expiresAt - deps.clock.now())} at most; then it is deleted. ` +
      "The next steps reach it with the output 'ssh-command'.",
  );
}

/** Money first: deletion is asked for, at once and for all attempts; the proof is post's when there is no time for it here. */
async function letGo(grace: Deadline | undefined, deps: StoryDeps): Promise<void> {
  const { clock, journal, log } = deps;
  const { signal, ...unsignalled } = deps;
  const attempts = unproved(journal.read());
  if (grace !== undefined) journal.noteLease({ cancelled: true });
  if (attempts.length === 0) return;
  if (journal.read().guard?.graceUntil !== undefined) {
    log.info("The machine stays for the last steps of its jobs ('cancel-grace'); the post step deletes it.");
    return;
  }
  log.info("Deleting what was bought.");
  const patience = (attempt: AttemptRecord) =>
    grace ?? deadlineAfter(clock, attempt.stage === "bought" ? ASK_FOR_DELETION_WITHIN : 0);
  try {
    await Promise.all(attempts.map((attempt) => askForDeletion(unsignalled, attempt, patience(attempt))));
    if (signal.aborted) return;
    const left = unproved(journal.read());
    await release(
      { ...deps, mayStillBeBuying: true },
      left,
      deadlineAfter(clock, PROVE_WITHIN),
      settleWithin(deps.plan.limits.cleanupTimeout),
    );
  } catch (error) {
    // The failure that led here is the one to report; post repeats the deletion and fails loudly if it cannot prove it.
    if (!signal.aborted) log.info(`${describe(error)} The post step goes on with it.`);
  }
}

/** Tells, from the signal on, how much is left of the time before the runner kills this process. */
function startGraceOnSignal({ signal, clock }: StoryDeps): () => Deadline | undefined {
  let grace: Deadline | undefined;
  signal.addEventListener("abort", () => {
    grace = deadlineAfter(clock, SIGNAL_GRACE);
  });
  return () => grace;
}
