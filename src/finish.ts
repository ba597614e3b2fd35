import type { GuardCleanup } from "./guard-cleanup.ts";
import type { Clock } from "./lease/clock.ts";
import { deadlineAfter } from "./lease/clock.ts";
import { formatDuration } from "./lease/duration.ts";
import { describe, ReleaseFailure } from "./lease/failure.ts";
import type { Journal, JournalRecord } from "./lease/journal.ts";
import { unproved } from "./lease/journal.ts";
import { costOfAll, settleWithin } from "./lease/lifetime.ts";
import type { Log } from "./lease/log.ts";
import { formatUsd } from "./lease/money.ts";
import type { ManualCommands, Market } from "./market/provider.ts";
import { adviseByHand, release } from "./release.ts";

/** Everything that the story of post touches the world with. */
export interface FinishDeps {
  /** Throws when there is no token to delete with. */
  readonly openMarket: () => Market;
  readonly byHand: ManualCommands;
  readonly clock: Clock;
  readonly log: Log;
  readonly journal: Journal;
  readonly jobCancelled: boolean;
  /** Runner mode: waits for the last steps of cancelled jobs, and tidies up on GitHub's side. Absent in ssh mode. */
  readonly guard?: GuardCleanup;
  readonly removeFiles: (directory: string) => void;
  readonly report: (record: JournalRecord, trouble?: ReleaseFailure) => Promise<void>;
}

/** GitHub kills the post steps of a cancelled job, other actions' included, 4:45 after the cancellation. */
const LONGEST_WHEN_CANCELLED = 210_000;

/**
 * The story of post: delete what was bought, prove that it is gone, remove the keys, report. Throws ReleaseFailure, naming what
 * may still be billing, when something could not be proved within `cleanup-timeout`.
 */
export async function finish(deps: FinishDeps): Promise<void> {
  const { clock, journal, log } = deps;
  await deps.guard?.seeJobsOff();
  const trouble = await log
    .group("Release", () => deleteEverything(deps))
    .then(
      () => undefined,
      (error: unknown) => (error instanceof ReleaseFailure ? error : blameUnknown(error, journal.read(), deps.byHand)),
    );
  await deps.guard?.tidyUp();
  await tidyUp(deps, trouble);
  if (trouble !== undefined) throw trouble;
  const { attempts } = journal.read();
  if (attempts.length === 0) return log.info("Nothing was bought, so there was nothing to delete.");
  log.info(`Nothing is billing any more. This lease cost at most ${formatUsd(costOfAll(attempts, clock.now()))}.`);
}

/**
 * What the expiry watch does before it does the work of post: attempts that came to nothing are settled at once, for nobody else
 * looks at them while the job goes on, and the machine in use is left alone until its lease is over.
 */
export async function waitForExpiry({ openMarket, clock, log, journal }: FinishDeps): Promise<void> {
  const inUse = unproved(journal.read()).filter((attempt) => attempt.usable !== undefined);
  const others = unproved(journal.read()).filter((attempt) => attempt.usable === undefined);
  const market = openMarket();
  const { cleanupTimeout } = journal.read();
  try {
    await release({ market, clock, log, journal }, others, deadlineAfter(clock, cleanupTimeout), settleWithin(cleanupTimeout));
  } catch (error) {
    // The end of the lease, and then post, try again.
    log.info(describe(error));
  } finally {
    await market.close();
  }
  await clock.sleep(Math.max(0, ...inUse.map((attempt) => attempt.expiresAt)) - clock.now());
}

/** Removes the keys and reports. Trouble with these is only told, for it must not hide what may be billing. */
async function tidyUp({ journal, log, removeFiles, report }: FinishDeps, trouble: ReleaseFailure | undefined): Promise<void> {
  const record = journal.read();
  try {
    if (record.files !== undefined) removeFiles(record.files);
  } catch (error) {
    log.warn(`The SSH files of this lease could not be removed: ${describe(error)}`);
  }
  try {
    await report(record, trouble);
  } catch (error) {
    log.warn(`The job summary could not be written: ${describe(error)}`);
  }
}

async function deleteEverything({ openMarket, clock, log, journal, jobCancelled }: FinishDeps): Promise<void> {
  const record = journal.read();
  for (const attempt of record.attempts) {
    if (attempt.stage === "gone")
      log.info(`Attempt ${attempt.number} is gone, as proved before: ${attempt.proof ?? "its deletion was confirmed"}.`);
    if (attempt.stage === "nothing-bought") log.info(`Attempt ${attempt.number} bought nothing.`);
  }
  const attempts = unproved(record);
  if (attempts.length === 0) return;
  const cancelled = jobCancelled || record.cancelled === true;
  const timeout = cancelled ? Math.min(record.cleanupTimeout, LONGEST_WHEN_CANCELLED) : record.cleanupTimeout;
  log.info(
    `Deleting ${attempts.map((attempt) => `'${attempt.leaseName}'`).join(", ")}; trying for up to ${formatDuration(timeout)}.`,
  );
  const market = openMarket();
  try {
    await release({ market, clock, log, journal }, attempts, deadlineAfter(clock, timeout), settleWithin(timeout));
  } finally {
    await market.close();
  }
}

/** Whatever stopped the release, the user has to know what to look for, and how to delete it. */
function blameUnknown(error: unknown, record: JournalRecord, byHand: ManualCommands): ReleaseFailure {
  const attempts = unproved(record);
  const commands = attempts.flatMap(({ resourceIds, offerId }) =>
    resourceIds.length > 0 ? resourceIds.map(byHand.toDelete) : [byHand.toList(offerId)],
  );
  return new ReleaseFailure(
    `The release broke off: ${describe(error)}. Not deleted: ${attempts.map(({ leaseName }) => `'${leaseName}'`).join(", ")}.`,
    adviseByHand(commands),
    { cause: error },
  );
}
