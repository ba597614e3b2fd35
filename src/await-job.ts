import { type GuardContext, type JobsView, viewJobs } from "./gpu-jobs.ts";
import type { GuardDeps } from "./guard.ts";
import { deadlineAfter } from "./lease/clock.ts";
import { formatDuration } from "./lease/duration.ts";
import { describe, GitHubFailure, WorkflowFailure } from "./lease/failure.ts";
import { plain } from "./lease/plain.ts";
import type { Guarding } from "./lease/plan.ts";
import { startWaiting } from "./lease/waiting.ts";
import type { RunJob, RunnerService } from "./runner/contract.ts";

/** Milliseconds between two looks: short at first, for most jobs are queued within seconds of the guard's start. */
const PAUSES = [3_000, 5_000, 10_000, 15_000, 20_000];
const LONGEST_PAUSE = 30_000;
/** Whether the rest of a run is over, only a look at all of it tells. */
const THOROUGH_EVERY = 4;
/** A job that `needs:` others is listed only some moments after the last of them has ended. */
const QUIET_FOR = 45_000;

/** What is needed of a guard's collaborators. */
export interface AwaitDeps extends Pick<GuardDeps, "clock" | "log" | "signal"> {
  readonly guarding: Pick<Guarding, "labels" | "waitForJob">;
  readonly context: GuardContext;
  readonly github: Pick<RunnerService, "jobs">;
}

/** Why no job is served: `reason` is a sentence for the log. */
export type Awaited = { readonly queued: readonly RunJob[] } | { readonly reason: string };

/**
 * Waits, with nothing bought, until a job with our labels is queued. Ends early when the rest of the run is over. Throws
 * WorkflowFailure when a job can never be served as it is written, and what a first look at the run's jobs throws.
 */
export async function awaitJob({ guarding, context, github, clock, log, signal }: AwaitDeps): Promise<Awaited> {
  const deadline = deadlineAfter(clock, guarding.waitForJob);
  const waiting = startWaiting(clock, log);
  const named = new Set<number>();
  let quietSince: number | undefined;
  for (let round = 0; ; round += 1) {
    const view = await lookAgain(round % THOROUGH_EVERY === 0);
    if (view !== undefined) {
      refuseUnservable(view, guarding.labels);
      if (view.queued.length > 0) return { queued: view.queued };
      for (const job of view.held.filter(({ id }) => !named.has(id))) {
        named.add(job.id);
        log.info(
          `Job '${plain(job.name)}' is ${plain(job.status)}: GitHub does not queue it yet (an approval, or its concurrency group).`,
        );
      }
      const isQuiet = view.nothingElse && view.held.length === 0 && view.running.length === 0;
      quietSince = isQuiet ? (quietSince ?? clock.ticks()) : undefined;
      if (quietSince !== undefined && clock.ticks() - quietSince >= Math.min(QUIET_FOR, guarding.waitForJob)) {
        return { reason: sayWhyNone(view) };
      }
    }
    if (deadline.passed()) {
      return { reason: `No job with this label was queued within ${formatDuration(guarding.waitForJob)} ('wait-for-job').` };
    }
    waiting.tell(`no job asks for ${guarding.labels.map((label) => `'${label}'`).join(", ")} yet; nothing is bought.`);
    const pause = github.jobs.pause(PAUSES[round] ?? LONGEST_PAUSE);
    await clock.sleep(Math.min(pause, deadline.left()), signal);
  }

  /** Trouble of GitHub's is waited out; a refused token is not, and neither is a first look that fails. */
  async function lookAgain(thorough: boolean): Promise<JobsView | undefined> {
    try {
      return viewJobs(await github.jobs.look({ signal, thorough }), guarding.labels, context);
    } catch (error) {
      if (!(error instanceof GitHubFailure) || deadline.passed()) throw error;
      waiting.tell(`${plain(describe(error))} Asking again.`);
      return undefined;
    }
  }
}

function sayWhyNone({ completed }: JobsView): string {
  const [job] = completed;
  if (job === undefined) return "Every other job of this run is over, and none with this label was queued.";
  const more = completed.length > 1 ? ` and ${completed.length - 1} more` : "";
  return `Job '${plain(job.name, 100)}'${more} with this label ended before a machine was needed (${plain(job.conclusion ?? "completed", 20)}).`;
}

function refuseUnservable({ unservable }: JobsView, labels: readonly string[]): void {
  const [job] = unservable;
  if (job === undefined) return;
  const own = new Set(labels.map((label) => label.toLowerCase()));
  const extra = job.labels.filter((label) => !own.has(label.toLowerCase())).map((label) => `'${plain(label, 100)}'`);
  const line = labels.length === 1 ? `runs-on: ${labels[0]}` : `runs-on: [${labels.join(", ")}]`;
  throw new WorkflowFailure(
    `Job '${plain(job.name, 100)}' asks for ${extra.join(" and ")} beside our label. Our runner carries only ${labels.map((label) => `'${label}'`).join(" and ")}, so GitHub would never give it this job.`,
    `Nothing was bought. Write this line in that job:\n    ${line}\n(as an expression: the value of this step's 'runner-label').`,
  );
}
