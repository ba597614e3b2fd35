import type { Clock } from "./lease/clock.ts";
import { formatDuration } from "./lease/duration.ts";
import { describe } from "./lease/failure.ts";
import type { Journal } from "./lease/journal.ts";
import type { Log } from "./lease/log.ts";
import { plain } from "./lease/plain.ts";
import type { Market } from "./market/provider.ts";
import type { Case, Suspect } from "./release-case.ts";

export interface ReleaseDeps {
  readonly market: Market;
  readonly clock: Clock;
  readonly log: Log;
  readonly journal: Journal;
  readonly signal?: AbortSignal;
}

/** A deletion that the marketplace took but does not carry out is asked for again after this long. */
const ASK_AGAIN_AFTER = 20_000;
/** Two answers of 404 count as proof when they are at least this far apart; further while the offer says it is still provisioning. */
const APART = 5_000;
const APART_WHILE_PROVISIONING = 60_000;
/** Asks for the deletion of everything that is ours and was not asked for, or was and is still there. */
export async function eraseAll(deps: ReleaseDeps, open: Case): Promise<void> {
  await Promise.all(open.suspects.filter((suspect) => isDue(suspect, deps.clock)).map((suspect) => erase(deps, open, suspect)));
}

function isDue(suspect: Suspect, clock: Clock): boolean {
  if (!suspect.ours || suspect.goneBy !== undefined) return false;
  return suspect.erasedAt === undefined || (suspect.seenAlive && clock.ticks() - suspect.erasedAt > ASK_AGAIN_AFTER);
}

async function erase({ market, clock, log, journal, signal }: ReleaseDeps, open: Case, suspect: Suspect): Promise<void> {
  try {
    const answer = await market.erase(suspect.id, signal);
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
    signal?.throwIfAborted();
    open.blame(error, clock);
    log.info(`Deletion of ${suspect.id} was not taken, asking again: ${plain(describe(error))}`);
  }
}

/** Reads the state of everything not yet proved gone; a 404 counts when a later one confirms it. */
export async function readAll(deps: ReleaseDeps, open: Case): Promise<void> {
  await Promise.all(open.suspects.filter((suspect) => suspect.goneBy === undefined).map((suspect) => read(deps, open, suspect)));
}

async function read({ market, clock, signal }: ReleaseDeps, open: Case, suspect: Suspect): Promise<void> {
  try {
    const reading = await market.read(suspect.id, signal);
    open.forgive();
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
    for (const linked of reading.linked) await adoptLinked(market, open, linked.id, linked.kind, signal);
  } catch (error) {
    signal?.throwIfAborted();
    open.blame(error, clock);
  }
}

/** A disk or address that hangs on the machine is deleted only when it is provably of the same purchase; else it is watched. */
async function adoptLinked(market: Market, open: Case, id: string, kind: string, signal: AbortSignal | undefined): Promise<void> {
  if (open.knows(id)) return;
  const reading = await market.read(id, signal);
  if (reading.state !== "alive" || reading.pricePerHour === 0) return;
  open.suspect(id, {
    kind,
    ours: reading.name === open.attempt.leaseName || reading.fromOffer(open.attempt.offerId),
    status: reading.status,
  });
}

/** Looks for what the journal does not know: machines born after the answer was lost, remains of a failed purchase. */
export async function look({ market, clock, journal, signal }: ReleaseDeps, open: Case): Promise<void> {
  const nothingKnown = open.suspects.length === 0;
  const allGone = open.suspects.every((suspect) => suspect.goneBy !== undefined);
  const provisioning = open.suspects.some((suspect) => suspect.absentSince !== undefined);
  if (!nothingKnown && !allGone && !provisioning) return;
  open.listed = undefined;
  const purchase = { ...open.attempt, resourceIds: idsOf(open) };
  const [progress, holdings] = await Promise.allSettled([
    market.progress(open.attempt.offerId, signal),
    market.holdings(purchase, signal),
  ]);
  signal?.throwIfAborted();
  open.progress = progress.status === "fulfilled" ? progress.value : undefined;
  if (progress.status === "rejected") open.blame(progress.reason, clock);
  if (holdings.status === "rejected") {
    open.blame(holdings.reason, clock);
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
