import type { Clock, Deadline } from "./lease/clock.ts";
import { formatDuration } from "./lease/duration.ts";
import { DeadlineFailure, describe, ReleaseFailure, TokenFailure } from "./lease/failure.ts";
import type { AttemptRecord } from "./lease/journal.ts";
import { plain } from "./lease/plain.ts";
import { startWaiting } from "./lease/waiting.ts";
import type { Progress } from "./market/provider.ts";
import type { Case } from "./release-case.ts";
import { isFresh, openCase } from "./release-case.ts";
import { eraseAll, idsOf, look, lookAtHoldings, type ProbeDeps, type ReleaseDeps, readAll } from "./release-probe.ts";

/** Pauses between two rounds of looking: short at first, for most deletions take seconds. */
const PAUSES = [1_000, 2_000, 3_000, 5_000];
/** Milliseconds that a look may take where there is no time for more than one. */
const ONE_LOOK = 15_000;
/** A refused token will not be accepted later; a moment is given to a proxy that only hiccups. */
const TOKEN_PATIENCE = 60_000;

/**
 * Deletes what attempts bought, and proves it. A purchase whose answer was lost is first waited for, up to `settleWithin`
 * milliseconds after it was sent. Throws ReleaseFailure, naming what may still be billing, when something could not be proved
 * by the deadline, and the signal's reason when it fires.
 */
export async function release(
  deps: ReleaseDeps,
  attempts: readonly AttemptRecord[],
  deadline: Deadline,
  settleWithin: number,
): Promise<void> {
  const failures = (await Promise.all(attempts.map((attempt) => releaseAttempt(deps, attempt, deadline, settleWithin)))).flat();
  if (failures.length === 0) return;
  throw new ReleaseFailure(
    `It could not be proved that everything is deleted: ${failures.map((failure) => failure.what).join("; ")}.`,
    adviseByHand(failures.map((failure) => failure.command)),
  );
}

/** What a person does about machines that may still be billing: a command a line, each to be pasted as it is. */
export function adviseByHand(commands: readonly string[]): string {
  return ["It may still be BILLING. Check and delete it by hand:", ...commands].join("\n");
}

/**
 * The first half alone, for when there is no time to wait for a proof: asks for the deletion of everything that an attempt
 * bought, again and again until it is taken or the deadline passes. True when it was taken; the proof is left to `release`.
 */
export async function askForDeletion(deps: ReleaseDeps, attempt: AttemptRecord, deadline: Deadline): Promise<boolean> {
  const { clock, signal } = deps;
  const open = openCase(attempt);
  return withRequests(deps, Math.max(deadline.left(), ONE_LOOK), async (probing) => {
    for (let round = 0; ; round += 1) {
      if (open.suspects.length === 0) await lookAtHoldings(probing, open);
      await eraseAll(probing, open);
      if (open.suspects.length > 0 && open.suspects.every((one) => one.erasedAt !== undefined)) return true;
      if (deadline.passed()) return false;
      await clock.sleep(Math.min(PAUSES[round] ?? 5_000, deadline.left()), signal);
    }
  });
}

/** Gives `probe` a signal that ends its requests after `ms`: a request that hangs must not outlast the time for the release. */
async function withRequests<T>(deps: ReleaseDeps, ms: number, probe: (deps: ProbeDeps) => Promise<T>): Promise<T> {
  const late = new AbortController();
  const over = new AbortController();
  deps.clock.sleep(ms, over.signal).then(
    () => late.abort(new DeadlineFailure("The time for the release is over.", "What is not proved by now is named.")),
    () => undefined, // the release has ended in time
  );
  const requests = deps.signal === undefined ? late.signal : AbortSignal.any([late.signal, deps.signal]);
  try {
    return await probe({ ...deps, requests });
  } finally {
    over.abort();
  }
}

interface Unproved {
  readonly what: string;
  readonly command: string;
}

async function releaseAttempt(
  deps: ReleaseDeps,
  attempt: AttemptRecord,
  deadline: Deadline,
  settleWithin: number,
): Promise<readonly Unproved[]> {
  const { clock, log, journal, signal } = deps;
  const open = openCase(attempt);
  const waiting = startWaiting(clock, log);
  return withRequests(deps, deadline.left(), async (probing) => {
    for (let round = 0; ; round += 1) {
      await eraseAll(probing, open);
      await readAll(probing, open);
      await look(probing, open);
      const end = conclude(open, probing, settleWithin, waiting.elapsed());
      if (end !== undefined) {
        const proof = end.proof.slice(0, 200);
        if (end.bought) journal.note(attempt.number, { stage: "gone", gone: clock.now(), proof, resourceIds: idsOf(open) });
        else journal.note(attempt.number, { stage: "nothing-bought", proof });
        log.info(`Attempt ${attempt.number} ${end.bought ? "is gone" : "bought nothing"}: ${end.proof}.`);
        return [];
      }
      if (deadline.passed() || hasLostToken(open, clock)) return listUnproved(deps, open);
      waiting.tell(sayWhatIsOpen(open, settleWithin));
      await clock.sleep(Math.min(PAUSES[round] ?? 5_000, deadline.left()), signal);
    }
  });
}

/** How an attempt has ended, with the proof in words; undefined while there is none. */
function conclude(
  open: Case,
  { clock, mayStillBeBuying }: ReleaseDeps,
  settleWithin: number,
  elapsed: number,
): { readonly bought: boolean; readonly proof: string } | undefined {
  if (open.listed !== 0) return undefined;
  const suspects = open.suspects.filter((suspect) => !suspect.isAnothers);
  if (suspects.length > 0) {
    if (suspects.some((suspect) => suspect.goneBy === undefined)) return undefined;
    // What cannot be told apart from ours may be it, unless the marketplace itself calls ours deleted.
    if (open.doubtful.length > 0 && !suspects.every((suspect) => suspect.goneBy?.includes("'deleted'"))) return undefined;
    const gone = suspects.map((suspect) => suspect.goneBy).join(", ");
    return { bought: true, proof: `${gone}, and the offer lists nothing alive` };
  }
  const { lost, sent } = open.attempt;
  // The request may have been open until its process ended, so the time counts from when it surely was not any more.
  const closedFor = lost === undefined ? (mayStillBeBuying ? 0 : elapsed) : Math.max(elapsed, clock.now() - lost);
  const proof = proveNothingBought(open, clock.now() - sent, closedFor, settleWithin);
  return proof === undefined ? undefined : { bought: false, proof };
}

/**
 * Nothing is listed. Does that mean that nothing was bought, `sentAgo` milliseconds after the request was sent, and `closedFor`
 * milliseconds after it surely was over?
 */
function proveNothingBought(open: Case, sentAgo: number, closedFor: number, settleWithin: number): string | undefined {
  const { stage, answered } = open.attempt;
  const phase = open.progress?.phase;
  const unsold = phase === "none" || phase === "expired";
  // The marketplace's own word for it: an answer to the purchase that said so, or the offer's state.
  const reportedFailed = phase === "failed" || (unsold && stage === "intended" && answered !== undefined);
  const isOfAnother = open.suspects.some((suspect) => suspect.isAnothers);
  if (isOfAnother && !isFresh(sentAgo)) return "the only machine that the purchase's answer named belongs to another lease";
  if (reportedFailed && !isFresh(sentAgo)) return "the marketplace reports that the purchase failed, and lists nothing for it";
  if (stage !== "intended" || closedFor < settleWithin) return undefined;
  const since = `${formatDuration(closedFor)} after the purchase request ended`;
  if (open.soldToAnother) return `${since} the offer reads as sold to another lease, and nothing of ours is listed for it`;
  if (unsold) return `${since} the offer reads unsold, and nothing is listed for it`;
  return undefined;
}

function hasLostToken(open: Case, clock: Clock): boolean {
  return (
    open.trouble !== undefined &&
    open.trouble.error instanceof TokenFailure &&
    clock.ticks() - open.trouble.since > TOKEN_PATIENCE
  );
}

function sayWhatIsOpen(open: Case, settleWithin: number): string {
  const trouble = open.trouble === undefined ? "" : ` (${plain(describe(open.trouble.error), 160)})`;
  const left = open.suspects.filter((suspect) => suspect.goneBy === undefined);
  if (left.length > 0)
    return `waiting for ${left.map((one) => `${one.id}, which reads '${one.status}',`).join(" ")} to be gone${trouble}.`;
  if (open.suspects.length > 0) return `checking that the offer lists nothing alive${trouble}.`;
  const phase: Progress["phase"] | "unknown" = open.progress?.phase ?? "unknown";
  const wait = phase === "none" || phase === "expired" ? `, waiting up to ${formatDuration(settleWithin)} for a late effect` : "";
  return `what came of the purchase of offer ${open.attempt.offerId} is not known yet: it reads '${phase}'${wait}${trouble}.`;
}

function listUnproved({ market }: ReleaseDeps, open: Case): readonly Unproved[] {
  const trouble = open.trouble === undefined ? "" : `, last answer: ${plain(describe(open.trouble.error), 200)}`;
  const left = open.suspects.filter((suspect) => suspect.goneBy === undefined);
  if (left.length > 0) {
    return left.map((suspect) => ({
      what: `${suspect.kind} ${suspect.id} reads '${suspect.status}'${trouble}`,
      command: market.byHand.toDelete(suspect.id),
    }));
  }
  const doubts = open.doubtful.map((one) => `${one.id} may be it (${one.why})`).join(", ");
  const what = `the purchase of offer ${open.attempt.offerId} as '${open.attempt.leaseName}' has no known end${trouble}${doubts && `; ${doubts}`}`;
  return [{ what, command: market.byHand.toList(open.attempt.offerId) }];
}
