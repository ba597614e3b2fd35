import type { ToldResults } from "./crew.ts";
import { type JobsView, viewJobs } from "./gpu-jobs.ts";
import type { GuardDeps } from "./guard.ts";
import { deadlineAfter } from "./lease/clock.ts";
import { describe, GitHubTokenFailure } from "./lease/failure.ts";
import type { HeldJob } from "./lease/journal.ts";
import { plain } from "./lease/plain.ts";
import type { JobsReading, RunJob } from "./runner/contract.ts";

/** GitHub's list can be some seconds behind a runner that has ended. */
const SETTLED_WITHIN = 30_000;
const PAUSE = 2_000;
const MOST_REPORTED = 60;
const GOOD = ["success", "skipped", "neutral"];

/** Jobs with our labels that did not get a machine, and those that got one and did not succeed. */
export interface Results {
  readonly unserved: readonly RunJob[];
  readonly failed: readonly RunJob[];
}

/**
 * How the held jobs ended, also kept in the journal for the report. The machine is let go before, so that waiting for GitHub costs
 * nothing. Where GitHub cannot be asked any more, what the runners told counts.
 */
export async function learnResults(told: ToldResults, deps: GuardDeps): Promise<Results> {
  const { clock, github, guarding, journal, log, signal, context } = deps;
  const deadline = deadlineAfter(clock, SETTLED_WITHIN);
  const see = (reading: JobsReading) => viewJobs(reading, guarding.labels, context);
  let view = see(github.jobs.known());
  // What was queued at the last look may have run since.
  while (!isSettled(view) || view.queued.length > 0) {
    let trouble: unknown;
    try {
      view = see(await github.jobs.look({ signal }));
      if (isSettled(view)) break;
    } catch (error) {
      signal.throwIfAborted();
      log.debug(`The results could not be asked: ${plain(describe(error))}`);
      trouble = error;
    }
    if (trouble instanceof GitHubTokenFailure || deadline.passed()) {
      if (trouble !== undefined) view = see(believe(github.jobs.known(), told));
      break;
    }
    await clock.sleep(Math.min(github.jobs.pause(PAUSE), deadline.left()), signal);
  }
  const jobs = [...view.completed, ...view.running, ...view.queued, ...view.held];
  journal.noteGuard({ jobs: jobs.slice(0, MOST_REPORTED).map(toRecord) });
  for (const job of jobs) log.info(`Job '${plain(job.name, 100)}': ${plain(job.conclusion ?? job.status, 20)}.`);
  return {
    unserved: view.queued,
    failed: [...view.completed, ...view.running].filter(
      ({ conclusion }) => conclusion === undefined || !GOOD.includes(conclusion),
    ),
  };
}

/** A job that is still queued stays so, for nobody serves it any more. */
function isSettled({ completed, running, queued }: JobsView): boolean {
  return running.length === 0 && completed.length + queued.length > 0;
}

/** What the runner application calls the end of a job, in GitHub's words. */
const CONCLUSIONS: ReadonlyMap<string, string> = new Map([
  ["succeeded", "success"],
  ["succeededwithissues", "success"],
  ["canceled", "cancelled"],
  ["skipped", "skipped"],
]);

function believe({ jobs, whole }: JobsReading, told: ToldResults): JobsReading {
  const believed = (job: RunJob): RunJob => {
    const result = told.get(job.name);
    if (job.status === "completed" || result === undefined) return job;
    return { ...job, status: "completed", conclusion: CONCLUSIONS.get(result.toLowerCase()) ?? "failure" };
  };
  return { jobs: jobs.map(believed), whole };
}

function toRecord({ name, conclusion, startedAt, completedAt }: RunJob): HeldJob {
  return {
    name: plain(name, 100),
    ...(conclusion === undefined ? {} : { conclusion: plain(conclusion, 20) }),
    ...(startedAt === undefined ? {} : { started: startedAt }),
    ...(completedAt === undefined ? {} : { completed: completedAt }),
  };
}
