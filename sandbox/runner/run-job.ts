import { endOrphans } from "./orphans.ts";
import { type ActionOptions, type ActionResult, type RunningAction, runAction } from "./run-action.ts";

export interface JobOptions extends Omit<ActionOptions, "entry" | "state"> {
  /** Absolute paths of the bundles. */
  readonly main: string;
  readonly post: string;
  /** Runs beside main: watches it, cancels or kills it. Its rejection rejects the job, after main was killed. */
  readonly duringMain?: (main: RunningAction) => Promise<void>;
  /** Runs between main and post, as the following steps of a job do. */
  readonly between?: (main: ActionResult) => Promise<void>;
  readonly duringPost?: (post: RunningAction) => Promise<void>;
}

export interface JobResult {
  readonly main: ActionResult;
  readonly post: ActionResult;
  /** Post was killed because the budget of a cancelled job was used up. */
  readonly outOfTime: boolean;
}

/** A cancelled job has 5 minutes; 15 s before their end the listener kills the worker (JobDispatcher.cs of actions/runner). */
const CANCELLED_JOB_BUDGET_MS = 285_000;

async function follow(step: RunningAction, watch: ((step: RunningAction) => Promise<void>) | undefined): Promise<ActionResult> {
  try {
    await watch?.(step);
  } catch (error) {
    await step.kill();
    throw error;
  }
  return await step.done;
}

/**
 * Runs main and then post with what main saved, whatever became of main, as the runner does. Once main was cancelled through its
 * handle, both have 285 s together (divided by the time scale); then post is killed.
 */
export async function runJob(options: JobOptions): Promise<JobResult> {
  let cancelledAt: number | undefined;
  const main = await runAction({ ...options, entry: options.main });
  const watched: RunningAction = {
    ...main,
    cancel() {
      cancelledAt ??= Date.now();
      return main.cancel();
    },
  };
  const mainResult = await follow(watched, options.duringMain);
  await options.between?.(mainResult);

  const jobStatus = cancelledAt !== undefined ? "cancelled" : mainResult.conclusion;
  const post = await runAction({
    ...options,
    entry: options.post,
    state: mainResult.state,
    env: { ...options.env, ...mainResult.env },
    defaults: { ...options.defaults, jobStatus },
  });
  let outOfTime = false;
  const left =
    cancelledAt === undefined ? undefined : cancelledAt + CANCELLED_JOB_BUDGET_MS / (options.timeScale ?? 1) - Date.now();
  const budget =
    left === undefined
      ? undefined
      : setTimeout(() => {
          outOfTime = post.signal("SIGKILL");
        }, left);
  try {
    return { main: mainResult, post: await follow(post, options.duringPost), outOfTime };
  } finally {
    clearTimeout(budget);
    await endOrphans(options.directory);
  }
}
