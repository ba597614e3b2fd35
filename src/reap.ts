import type { Clock, Deadline } from "./lease/clock.ts";
import { deadlineAfter } from "./lease/clock.ts";
import { formatDuration } from "./lease/duration.ts";
import { type Listed, type Ownership, type RunState, readOwnership, whyExpired, whyKept } from "./lease/expired.ts";
import { describe, ReleaseFailure } from "./lease/failure.ts";
import type { Log } from "./lease/log.ts";
import { plain } from "./lease/plain.ts";
import type { Market } from "./market/provider.ts";
import { adviseByHand } from "./release.ts";

/** What a sweep may do. */
export interface ReapOrder {
  /** `owner/repo` whose leases are looked after. */
  readonly repository: string;
  readonly allRepositories: boolean;
  readonly maxDeletions: number;
  readonly dryRun: boolean;
  /** Only the first page of the marketplace's list. */
  readonly onePage?: boolean;
}

export interface ReapDeps {
  readonly market: Market;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal?: AbortSignal;
  /** How a run attempt of `repository` stands; absent where there is no token to ask with. Never rejects. */
  readonly runState?: (runId: string, runAttempt: number) => Promise<RunState>;
}

/** A machine and what became of it, for the report. */
export interface Reaped {
  readonly id: string;
  readonly name: string;
  readonly why: string;
  /** What showed that it is gone; absent while nothing has. */
  readonly proof?: string;
}

export interface ReapReport {
  /** Machines with a name of ours, or like one. */
  readonly found: number;
  /** All that the marketplace listed. */
  readonly listed: number;
  readonly deleted: readonly Reaped[];
  /** Asked for, or tried, and not proved. */
  readonly unproved: readonly Reaped[];
  /** Would be deleted: in a dry run, or beyond `max-deletions`. */
  readonly due: readonly Reaped[];
  readonly kept: number;
  /** Some of those that are kept, with why. */
  readonly examples: readonly Reaped[];
}

/** More rows would make a summary that nobody reads. */
const MOST_EXAMPLES = 50;
/** How long the deletions of a sweep are followed, in milliseconds. */
const PROVE_WITHIN = 600_000;
const PAUSES = [5_000, 10_000, 20_000, 30_000];
const APART = 5_000;

type Lease = Extract<Ownership, { kind: "lease" }>;
interface Due extends Reaped {
  readonly lease: Lease;
  /** Its run attempt is completed; else its own time is over. */
  readonly byRun: boolean;
}

/**
 * The story of a sweep: list what the account has, find the leases that are over, look at each once more and delete it, prove that
 * it is gone. Whatever is not surely ours and over is kept. Throws ReleaseFailure when something could not be proved, with the report
 * told before by `tell`; MarketFailure and TokenFailure when the marketplace cannot be asked.
 */
export async function reap(order: ReapOrder, deps: ReapDeps, tell: (report: ReapReport) => Promise<void>): Promise<void> {
  const { log } = deps;
  const census = await takeCensus(order, deps);
  const chosen = census.due.slice(0, order.maxDeletions);
  const beyond = census.due.slice(order.maxDeletions);
  if (beyond.length > 0)
    log.warn(`${beyond.length} more are over, but 'max-deletions' is ${order.maxDeletions}; they are left for the next sweep.`);
  const rest = { found: census.found, listed: census.listed, kept: census.kept, examples: census.examples };
  if (order.dryRun) return tell({ ...rest, deleted: [], unproved: [], due: census.due });
  const { deleted, unproved } = await deleteAll(chosen, order, deps);
  await tell({ ...rest, deleted, unproved, due: beyond });
  if (unproved.length === 0) return;
  throw new ReleaseFailure(
    `It could not be proved that everything is deleted: ${unproved.map(({ id, why }) => `${id} (${why})`).join(", ")}.`,
    adviseByHand(unproved.map(({ id }) => deps.market.byHand.toDelete(id))),
  );
}

async function takeCensus(order: ReapOrder, deps: ReapDeps) {
  const { clock, market, signal } = deps;
  const asked = new Map<string, Promise<RunState>>();
  const due: Due[] = [];
  const examples: Reaped[] = [];
  let [listed, found, kept] = [0, 0, 0];
  for await (const page of market.census(signal)) {
    listed += page.length;
    for (const machine of page) {
      const owner = readOwnership(machine.name, order.repository, order.allRepositories);
      if (owner.kind === "stranger") continue;
      found += 1;
      const verdict = owner.kind === "kept" ? owner : await judge(machine, owner, asked, order, deps);
      if (verdict.kind === "due") due.push(verdict.due);
      else {
        kept += 1;
        if (examples.length < MOST_EXAMPLES) examples.push({ ...nameOf(machine), why: verdict.why });
      }
    }
    if (order.onePage) break;
  }
  // What has been over for longest bills for nothing for longest.
  due.sort((one, other) => one.lease.expiresAt - other.lease.expiresAt);
  deps.log.debug(`${listed} machines are listed at ${new Date(clock.now()).toISOString()}; ${found} have a name like ours.`);
  return { listed, found, kept, due, examples };
}

async function judge(
  machine: Listed,
  lease: Lease,
  asked: Map<string, Promise<RunState>>,
  order: ReapOrder,
  { clock, runState }: ReapDeps,
): Promise<{ kind: "due"; due: Due } | { kind: "kept"; why: string }> {
  const byTime = whyExpired(lease, undefined, clock.now());
  if (byTime !== undefined) return { kind: "due", due: { ...nameOf(machine), why: byTime, lease, byRun: false } };
  // Of other repositories, a token of this one knows nothing.
  const run = lease.isOwn && runState !== undefined && !order.onePage ? await askOnce(lease, asked, runState) : undefined;
  const byRun = whyExpired(lease, run, clock.now());
  if (byRun !== undefined) return { kind: "due", due: { ...nameOf(machine), why: byRun, lease, byRun: true } };
  return { kind: "kept", why: whyKept(lease, run, clock.now()) };
}

function askOnce(
  { runAttempt, runId }: Lease,
  asked: Map<string, Promise<RunState>>,
  runState: NonNullable<ReapDeps["runState"]>,
): Promise<RunState> {
  const key = `${runId}-${runAttempt}`;
  const answer = asked.get(key) ?? runState(runId, runAttempt);
  asked.set(key, answer);
  return answer;
}

function nameOf({ id, name = "" }: Listed): { readonly id: string; readonly name: string } {
  return { id, name: plain(name, 80) };
}

interface Pending {
  readonly due: Due;
  absentSince?: number;
  trouble?: string;
}

async function deleteAll(chosen: readonly Due[], order: ReapOrder, deps: ReapDeps) {
  const { clock, log, signal } = deps;
  const deleted: Reaped[] = [];
  const pending: Pending[] = [];
  for (const due of chosen) {
    const outcome = await deleteOne(due, order, deps);
    if (outcome === "taken") pending.push({ due });
    else if ("proof" in outcome) deleted.push({ ...due, proof: outcome.proof });
    else if ("trouble" in outcome) pending.push({ due, trouble: outcome.trouble });
    else log.info(`${due.id} is kept after all: ${outcome.kept}.`);
  }
  const deadline = deadlineAfter(clock, PROVE_WITHIN);
  for (let round = 0; pending.length > 0 && !deadline.passed(); round += 1) {
    await clock.sleep(Math.min(PAUSES[round] ?? 30_000, deadline.left()), signal);
    for (const one of [...pending]) {
      const proof = await prove(one, deadline, deps);
      if (proof === undefined) continue;
      pending.splice(pending.indexOf(one), 1);
      deleted.push({ ...one.due, proof });
      log.info(`${one.due.id} is gone: ${proof}.`);
    }
  }
  const unproved = pending.map(({ due, trouble }) => ({
    ...due,
    why: trouble ?? "its deletion was taken, and it is still there",
  }));
  return { deleted, unproved };
}

/** Looks at a machine once more right before its deletion: the list is older, and names can change. */
async function deleteOne(
  due: Due,
  order: ReapOrder,
  { clock, log, market, signal }: ReapDeps,
): Promise<"taken" | { proof: string } | { kept: string } | { trouble: string }> {
  try {
    const reading = await market.read(due.id, signal);
    if (reading.state !== "alive") return { proof: `it reads '${reading.state}'` };
    const owner = readOwnership(reading.name, order.repository, order.allRepositories);
    const isSame = plain(reading.name ?? "", 80) === due.name && owner.kind === "lease";
    if (!isSame) return { kept: "its name is another one now" };
    if (!due.byRun && whyExpired(owner, undefined, clock.now()) === undefined) return { kept: "its time is not over" };
    const answer = await market.erase(due.id, signal);
    log.info(`Deletion of ${due.id} ('${due.name}'; ${due.why}): ${answer === "accepted" ? "asked for" : "already done"}.`);
    return "taken";
  } catch (error) {
    signal?.throwIfAborted();
    log.info(`${due.id} could not be deleted: ${plain(describe(error), 160)}`);
    return { trouble: plain(describe(error), 160) };
  }
}

/** The proof that a machine is gone; where its deletion was not taken, it is asked for again. */
async function prove(one: Pending, deadline: Deadline, { clock, market, signal }: ReapDeps): Promise<string | undefined> {
  try {
    if (one.trouble !== undefined) {
      await market.erase(one.due.id, signal);
      delete one.trouble;
    }
    const reading = await market.read(one.due.id, signal);
    if (reading.state === "deleted") return "it reads 'deleted'";
    if (reading.state === "alive") {
      delete one.absentSince;
      return undefined;
    }
    one.absentSince ??= clock.ticks();
    const apart = clock.ticks() - one.absentSince;
    return apart >= APART ? `it is not found, twice, ${formatDuration(apart)} apart` : undefined;
  } catch (error) {
    signal?.throwIfAborted();
    if (deadline.passed()) one.trouble = plain(describe(error), 160);
    return undefined;
  }
}
