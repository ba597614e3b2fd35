import { type GuardContext, viewJobs } from "./gpu-jobs.ts";
import type { Clock, Deadline } from "./lease/clock.ts";
import { deadlineAfter } from "./lease/clock.ts";
import { formatDuration } from "./lease/duration.ts";
import { describe } from "./lease/failure.ts";
import type { GuardRecord, Journal } from "./lease/journal.ts";
import type { Log } from "./lease/log.ts";
import { plain } from "./lease/plain.ts";
import { unregister } from "./registered.ts";
import type { RunJob, RunnerService } from "./runner/contract.ts";

/** What post does for a guard beside deleting the machine. Neither part ever rejects: deletion and its proof matter more. */
export interface GuardCleanup {
  /** `cancel-grace`: lets cancelled jobs do their last steps before the machine is deleted. */
  seeJobsOff(): Promise<void>;
  /** Removes runner records that are left, and cancels a run whose GPU jobs would wait for a machine that does not come. */
  tidyUp(): Promise<void>;
}

export interface GuardCleanupDeps {
  /** Rejects when there is no token that GitHub could be asked with. */
  readonly openGitHub: () => Promise<RunnerService>;
  readonly context: GuardContext;
  readonly clock: Clock;
  readonly log: Log;
  readonly journal: Journal;
}

const LOOK_EVERY = 5_000;
/** Beside the deletion, post may spend so long on GitHub's side; a cancelled job has not much more. */
const TIDY_WITHIN = 30_000;

export function openGuardCleanup(guard: GuardRecord, deps: GuardCleanupDeps): GuardCleanup {
  const { clock, journal, log } = deps;
  return {
    async seeJobsOff() {
      const left = (guard.graceUntil ?? 0) - clock.now();
      if (left <= 0) return;
      log.info(`The cancelled jobs may take up to ${formatDuration(left)} for their last steps ('cancel-grace').`);
      await attempt("The cancelled jobs could not be watched", () => awaitEnd(guard, deadlineAfter(clock, left), deps));
    },
    async tidyUp() {
      const { records, stranded } = journal.read().guard ?? guard;
      if (records.length === 0 && stranded !== true) return;
      await attempt("GitHub's side could not be tidied up", async () => {
        const github = await deps.openGitHub();
        const signal = AbortSignal.timeout(TIDY_WITHIN);
        for (const record of records) await unregister(record, { github, journal, log }, signal);
        if (stranded === true) await cancelStrandedRun(guard, github, signal, deps);
      });
    },
  };

  async function attempt(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      log.warn(`${what}: ${plain(describe(error))}`, "GitHub");
    }
  }
}

/** Ends when no job with our labels runs any more, or the time is over. */
async function awaitEnd(guard: GuardRecord, deadline: Deadline, { openGitHub, context, clock }: GuardCleanupDeps): Promise<void> {
  const github = await openGitHub();
  while (!deadline.passed()) {
    const reading = await github.jobs.look({ signal: AbortSignal.timeout(TIDY_WITHIN) });
    if (viewJobs(reading, guard.labels, context).running.length === 0) return;
    await clock.sleep(Math.min(LOOK_EVERY, deadline.left()));
  }
}

/**
 * No machine could be had, and a job without a runner stays queued for a day. The run is cancelled when nobody else's work is lost
 * by that; else the jobs are named.
 */
async function cancelStrandedRun(
  guard: GuardRecord,
  github: RunnerService,
  signal: AbortSignal,
  { context, journal, log }: GuardCleanupDeps,
): Promise<void> {
  const view = viewJobs(await github.jobs.look({ signal, thorough: true }), guard.labels, context);
  const waiting = [...view.queued, ...view.held, ...view.unservable];
  // Who cancels a run has its queued jobs cancelled, too; what still runs then is ending.
  if (waiting.length === 0 && (view.running.length === 0 || journal.read().cancelled === true)) return;
  const names = sayNames([...waiting, ...view.running]);
  const lostByThat = view.others.some((job) => job.status !== "completed" && !view.unservable.includes(job));
  if (!lostByThat) {
    await github.cancelRun(signal);
    log.notice(`No machine could be had for ${names}, so this run was cancelled ('cancel-run-on-failure').`, "Run cancelled");
    return;
  }
  log.warn(
    `No machine comes for ${names}, which stays queued for up to a day. The run was not cancelled, for other jobs of it are not over. ` +
      'Cancel it by hand, or use "Re-run failed jobs" when it is over.',
    "Jobs without a machine",
  );
}

function sayNames(jobs: readonly RunJob[]): string {
  const names = jobs.slice(0, 3).map(({ name }) => `'${plain(name, 100)}'`);
  return names.join(", ") + (jobs.length > 3 ? ` and ${jobs.length - 3} more` : "");
}
