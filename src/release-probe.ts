import type { Clock } from "./lease/clock.ts";
import { formatDuration } from "./lease/duration.ts";
import { describe, MarketFailure } from "./lease/failure.ts";
import type { Journal } from "./lease/journal.ts";
import type { Log } from "./lease/log.ts";
import { plain } from "./lease/plain.ts";
import type { LinkedResource, Market } from "./market/provider.ts";
import type { Case, Suspect } from "./release-case.ts";

export interface ReleaseDeps {
  readonly market: Market;
  readonly clock: Clock;
  readonly log: Log;
  readonly journal: Journal;
  /** Ends the release early, with its reason. */
  readonly signal?: AbortSignal;
  /** Purchases of this very process may still be under way: then nothing is proved to be unsold. */
  readonly mayStillBeBuying?: boolean;
}

/** What a round of looking works with: `requests` also ends the requests that are under way when the time is over. */
export type ProbeDeps = ReleaseDeps & { readonly requests: AbortSignal };

/** A deletion that the marketplace took but does not carry out is asked for again after this long. */
const ASK_AGAIN_AFTER = 20_000;
/** A marketplace that asks for a longer pause than this between two deletions is asked sooner: the machine bills meanwhile. */
const LONGEST_PAUSE = 60_000;
/** How long a deletion waits for the look that shows whose the machine is. */
const FIRST_LOOK = 3_000;
/** Two answers of 404 count as proof when they are at least this far apart. */
const APART = 5_000;
/** The same for a machine that may not be listed yet: nobody has seen it alive and it was bought just now, or is being made. */
const APART_WHILE_BORN = 60_000;
const BORN_WITHIN = 120_000;

/** Asks for the deletion of everything that is ours and was not asked for, or was and is still there. */
export async function eraseAll(deps: ProbeDeps, open: Case): Promise<void> {
  await Promise.all(open.suspects.filter((suspect) => isDue(suspect, deps.clock)).map((suspect) => erase(deps, open, suspect)));
}

function isDue(suspect: Suspect, clock: Clock): boolean {
  if (!suspect.ours || suspect.goneBy !== undefined || clock.ticks() < suspect.notBefore) return false;
  return suspect.erasedAt === undefined || (suspect.stillThere && clock.ticks() - suspect.erasedAt > ASK_AGAIN_AFTER);
}

async function erase(deps: ProbeDeps, open: Case, suspect: Suspect): Promise<void> {
  const { market, clock, log, journal, requests } = deps;
  try {
    // Ids come from answers, and not every answer is about us: a look first, but not for long, for the machine bills.
    if (!suspect.looked)
      await read({ ...deps, requests: AbortSignal.any([requests, AbortSignal.timeout(FIRST_LOOK)]) }, open, suspect);
    suspect.looked = true;
    if (!suspect.ours || suspect.goneBy !== undefined) return;
    const answer = await market.erase(suspect.id, requests);
    if (suspect.erasedAt === undefined) {
      const said = { accepted: "asked for", absent: "not known to the marketplace", "already-gone": "already done" }[answer];
      log.info(`Deletion of ${suspect.id}: ${said}.`);
      if (journal.attempt(open.attempt.number).deleteAccepted === undefined) {
        journal.note(open.attempt.number, { deleteAccepted: clock.now() });
      }
    }
    suspect.erasedAt = clock.ticks();
    // A machine that is being born is not known yet, and has to be asked for again.
    suspect.stillThere = answer === "absent";
    open.forgive();
  } catch (error) {
    open.endure(error, deps);
    const pause = Math.min((error instanceof MarketFailure ? error.retryAfterMs : undefined) ?? 0, LONGEST_PAUSE);
    suspect.notBefore = clock.ticks() + pause;
    const when = pause === 0 ? "" : ` in ${formatDuration(pause)}`;
    log.info(`Deletion of ${suspect.id} was not taken, asking again${when}: ${plain(describe(error))}`);
  }
}

/** Reads the state of everything not yet proved gone; a 404 counts when a later one confirms it. */
export async function readAll(deps: ProbeDeps, open: Case): Promise<void> {
  await Promise.all(open.suspects.filter((suspect) => suspect.goneBy === undefined).map((suspect) => read(deps, open, suspect)));
}

async function read(deps: ProbeDeps, open: Case, suspect: Suspect): Promise<void> {
  const { market, clock, log, requests } = deps;
  try {
    const reading = await market.read(suspect.id, requests);
    open.forgive();
    if (reading.state === "alive" && reading.isAnothers(open.attempt.leaseName)) {
      log.warn(`${suspect.id} carries the name of another lease, so it is left alone.`);
      suspect.ours = false;
      suspect.isAnothers = true;
      suspect.goneBy = `${suspect.id} belongs to another lease`;
      return;
    }
    // Parts that outlive their machine show themselves here; a deleted machine may still tell of them.
    if (reading.state !== "absent") for (const linked of reading.linked) await adoptLinked(market, open, linked, requests);
    if (reading.state === "deleted") {
      suspect.goneBy = `${suspect.id} reads 'deleted'`;
      const { bill } = reading;
      if (bill !== undefined) deps.journal.note(open.attempt.number, { billedHours: bill.hours, billedAs: bill.text });
      return;
    }
    if (reading.state === "absent") {
      suspect.status = "not found";
      suspect.absentSince ??= clock.ticks();
      const apart = clock.ticks() - suspect.absentSince;
      if (apart >= (mayBeUnborn(open, suspect, clock) ? APART_WHILE_BORN : APART)) {
        suspect.goneBy = `${suspect.id} is not found, twice, ${formatDuration(apart)} apart`;
      }
      return;
    }
    delete suspect.absentSince;
    suspect.status = reading.status;
    suspect.seenAlive = true;
    suspect.stillThere = true;
  } catch (error) {
    open.endure(error, deps);
  }
}

function mayBeUnborn(open: Case, suspect: Suspect, clock: Clock): boolean {
  const isYoung = open.attempt.usable === undefined && clock.now() - open.attempt.sent < BORN_WITHIN;
  return open.progress?.phase === "pending" || (!suspect.seenAlive && isYoung);
}

/** A disk or address of the machine is deleted only when it is provably of the same purchase; else it is watched while attached. */
async function adoptLinked(market: Market, open: Case, linked: LinkedResource, requests: AbortSignal): Promise<void> {
  if (open.knows(linked.id)) return;
  const reading = await market.read(linked.id, requests);
  if (reading.state !== "alive" || reading.pricePerHour === 0) return;
  const ours = reading.name === open.attempt.leaseName || reading.fromOffer(open.attempt.offerId);
  if (ours || linked.attached) open.suspect(linked.id, { kind: linked.kind, ours, status: reading.status });
}

/** Looks for what the journal does not know: machines born after the answer was lost, remains of a failed purchase. */
export async function look(deps: ProbeDeps, open: Case): Promise<void> {
  const nothingKnown = open.suspects.length === 0;
  const allGone = open.suspects.every((suspect) => suspect.goneBy !== undefined);
  const mayBeBorn = open.suspects.some((suspect) => suspect.absentSince !== undefined);
  if (!nothingKnown && !allGone && !mayBeBorn) return;
  await Promise.all([lookAtProgress(deps, open), lookAtHoldings(deps, open)]);
}

async function lookAtProgress(deps: ProbeDeps, open: Case): Promise<void> {
  open.progress = undefined;
  try {
    open.progress = await deps.market.progress({ ...open.attempt, resourceIds: idsOf(open) }, deps.requests);
  } catch (error) {
    open.endure(error, deps);
  }
}

/** What the marketplace lists for the purchase becomes known, and is alive whatever was thought of it before. */
export async function lookAtHoldings(deps: ProbeDeps, open: Case): Promise<void> {
  const nothingKnown = open.suspects.length === 0;
  open.listed = undefined;
  try {
    const holdings = await deps.market.holdings({ ...open.attempt, resourceIds: idsOf(open) }, deps.requests);
    open.forgive();
    open.listed = holdings.ours.length;
    open.doubtful = holdings.doubtful;
    open.soldToAnother = holdings.soldToAnother;
    for (const { id, status } of holdings.ours) {
      if (open.knows(id)) open.reopen(id);
      else open.suspect(id, { kind: "machine", ours: true, status });
    }
    for (const id of holdings.deleted) {
      if (!open.knows(id)) open.suspect(id, { kind: "machine", ours: true, status: "deleted", goneBy: `${id} reads 'deleted'` });
    }
    if (nothingKnown && open.suspects.length > 0) deps.journal.note(open.attempt.number, { resourceIds: idsOf(open) });
  } catch (error) {
    open.endure(error, deps);
  }
}

/** Ids of what is ours, or hangs on it. */
export function idsOf(open: Case): string[] {
  return open.suspects.filter((suspect) => !suspect.isAnothers).map((suspect) => suspect.id);
}
