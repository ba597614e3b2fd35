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
}

/** What a round of looking works with: `requests` also ends the requests that are under way when the time is over. */
export type ProbeDeps = ReleaseDeps & { readonly requests: AbortSignal };

/** A deletion that the marketplace took but does not carry out is asked for again after this long. */
const ASK_AGAIN_AFTER = 20_000;
/** A marketplace that asks for a longer pause than this between two deletions is asked sooner: the machine bills meanwhile. */
const LONGEST_PAUSE = 60_000;
/** Two answers of 404 count as proof when they are at least this far apart; further while the offer says it is still provisioning. */
const APART = 5_000;
const APART_WHILE_PROVISIONING = 60_000;

/** Asks for the deletion of everything that is ours and was not asked for, or was and is still there. */
export async function eraseAll(deps: ProbeDeps, open: Case): Promise<void> {
  await Promise.all(open.suspects.filter((suspect) => isDue(suspect, deps.clock)).map((suspect) => erase(deps, open, suspect)));
}

function isDue(suspect: Suspect, clock: Clock): boolean {
  if (!suspect.ours || suspect.goneBy !== undefined || clock.ticks() < suspect.notBefore) return false;
  return suspect.erasedAt === undefined || (suspect.seenAlive && clock.ticks() - suspect.erasedAt > ASK_AGAIN_AFTER);
}

async function erase(deps: ProbeDeps, open: Case, suspect: Suspect): Promise<void> {
  const { market, clock, log, journal, requests } = deps;
  try {
    const answer = await market.erase(suspect.id, requests);
    if (suspect.erasedAt === undefined) {
      log.info(
        `Deletion of ${suspect.id}: ${answer === "accepted" ? "asked for" : answer === "absent" ? "not known to the marketplace" : "already done"}.`,
      );
      if (journal.attempt(open.attempt.number).deleteAccepted === undefined) {
        journal.note(open.attempt.number, { deleteAccepted: clock.now() });
      }
    }
    suspect.erasedAt = clock.ticks();
    suspect.seenAlive = false;
    open.forgive();
  } catch (error) {
    open.endure(error, deps);
    const pause = error instanceof MarketFailure ? error.retryAfterMs : undefined;
    suspect.notBefore = clock.ticks() + Math.min(pause ?? 0, LONGEST_PAUSE);
    log.info(
      `Deletion of ${suspect.id} was not taken, asking again${pause === undefined ? "" : ` in ${formatDuration(Math.min(pause, LONGEST_PAUSE))}`}: ${plain(describe(error))}`,
    );
  }
}

/** Reads the state of everything not yet proved gone; a 404 counts when a later one confirms it. */
export async function readAll(deps: ProbeDeps, open: Case): Promise<void> {
  await Promise.all(open.suspects.filter((suspect) => suspect.goneBy === undefined).map((suspect) => read(deps, open, suspect)));
}

async function read(deps: ProbeDeps, open: Case, suspect: Suspect): Promise<void> {
  const { market, clock, requests } = deps;
  try {
    const reading = await market.read(suspect.id, requests);
    open.forgive();
    // Parts that outlive their machine show themselves here; a deleted machine may still tell of them.
    if (reading.state !== "absent") for (const linked of reading.linked) await adoptLinked(market, open, linked, requests);
    if (reading.state === "deleted") {
      suspect.goneBy = `${suspect.id} reads 'deleted'`;
      return;
    }
    if (reading.state === "absent") {
      suspect.status = "not found";
      suspect.absentSince ??= clock.ticks();
      const apart = clock.ticks() - suspect.absentSince;
      const needed = open.progress?.phase === "pending" ? APART_WHILE_PROVISIONING : APART;
      if (apart >= needed) suspect.goneBy = `${suspect.id} is not found, twice, ${formatDuration(apart)} apart`;
      return;
    }
    delete suspect.absentSince;
    suspect.status = reading.status;
    suspect.seenAlive = true;
  } catch (error) {
    open.endure(error, deps);
  }
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
  const { market, journal, requests, signal } = deps;
  const nothingKnown = open.suspects.length === 0;
  const allGone = open.suspects.every((suspect) => suspect.goneBy !== undefined);
  const provisioning = open.suspects.some((suspect) => suspect.absentSince !== undefined);
  if (!nothingKnown && !allGone && !provisioning) return;
  open.listed = undefined;
  const purchase = { ...open.attempt, resourceIds: idsOf(open) };
  const [progress, holdings] = await Promise.allSettled([
    market.progress(open.attempt.offerId, requests),
    market.holdings(purchase, requests),
  ]);
  signal?.throwIfAborted();
  open.progress = progress.status === "fulfilled" ? progress.value : undefined;
  if (progress.status === "rejected") open.endure(progress.reason, deps);
  if (holdings.status === "rejected") {
    open.endure(holdings.reason, deps);
    return;
  }
  if (progress.status === "fulfilled") open.forgive();
  open.listed = holdings.value.ours.length;
  open.doubtful = holdings.value.doubtful;
  open.soldToAnother = holdings.value.soldToAnother;
  for (const { id, status } of holdings.value.ours) {
    if (open.knows(id)) open.reopen(id);
    else open.suspect(id, { kind: "machine", ours: true, status });
  }
  if (nothingKnown && open.suspects.length > 0) journal.note(open.attempt.number, { resourceIds: idsOf(open) });
}

export function idsOf(open: Case): string[] {
  return open.suspects.map((suspect) => suspect.id);
}
