import type { RunContext } from "./lease/plan.ts";
import type { JobsReading, RunJob } from "./runner/contract.ts";

/** By what a guard job is known. */
export type GuardContext = Pick<RunContext, "runnerName" | "actionRepository">;

/** The jobs of this run as a guard sees them. */
export interface JobsView {
  /** Wait for a runner with our labels. */
  readonly queued: readonly RunJob[];
  /** Name our labels, but GitHub does not queue them yet: they wait for an approval, or for a concurrency group. */
  readonly held: readonly RunJob[];
  readonly running: readonly RunJob[];
  readonly completed: readonly RunJob[];
  /** Ask for our labels and for others that our runners will not have. */
  readonly unservable: readonly RunJob[];
  /** Jobs that are neither ours nor of a guard. */
  readonly others: readonly RunJob[];
  /** Every other job of the run, guards aside, is completed, so nothing can queue one more on our labels. */
  readonly nothingElse: boolean;
}

/** Sorts the jobs of a run by what they mean for a guard whose runners carry `labels`, and nothing else. */
export function viewJobs({ jobs, whole }: JobsReading, labels: readonly string[], context: GuardContext): JobsView {
  const carried = new Set(labels.map(lower));
  const asks = (job: RunJob) => job.labels.length > 0 && labels.every((label) => job.labels.map(lower).includes(lower(label)));
  const isServed = (job: RunJob) => job.labels.length > 0 && job.labels.every((label) => carried.has(lower(label)));
  const ours = jobs.filter(isServed);
  const isOpen = (job: RunJob) => job.status !== "completed";
  const others = jobs.filter((job) => !isServed(job) && !isGuard(job, context));
  return {
    queued: ours.filter(({ status }) => status === "queued"),
    held: ours.filter((job) => isOpen(job) && job.status !== "queued" && job.status !== "in_progress"),
    running: ours.filter(({ status }) => status === "in_progress"),
    completed: ours.filter((job) => !isOpen(job)),
    unservable: jobs.filter((job) => isOpen(job) && asks(job) && !isServed(job)),
    others,
    nothingElse: whole && !others.some(isOpen),
  };
}

/**
 * This very job, and others that run this action just now. Whoever is not surely one of these counts as a job that may still queue
 * another: that costs a `linger`, and the other way round a job would be left without a machine.
 */
function isGuard(job: RunJob, { runnerName, actionRepository }: GuardContext): boolean {
  if (job.status !== "in_progress") return false;
  if (runnerName !== "" && job.runnerName === runnerName) return true;
  return actionRepository !== "" && job.runningSteps.some((step) => step.startsWith(`Run ${actionRepository}@`));
}

function lower(label: string): string {
  return label.toLowerCase();
}
