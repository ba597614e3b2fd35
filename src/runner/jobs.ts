import * as z from "zod";
import type { Clock } from "../lease/clock.ts";
import { GitHubFailure, GitHubTokenFailure } from "../lease/failure.ts";
import type { Access } from "./access.ts";
import type { GitHubAnswer, GitHubClient } from "./client.ts";
import type { RunJob, RunJobs } from "./contract.ts";

const PER_PAGE = 100;
/** More jobs than any run may have: a list that claims them is not followed. */
const MOST_PAGES = 50;
/** Of what is left of a rate limit: the rest is for the ends of jobs, which are looked at at once. */
const SHARE = 0.5;

const moment = z
  .string()
  .transform((text) => Date.parse(text))
  .refine(Number.isFinite)
  .optional()
  .catch(undefined);
const step = z.object({ name: z.string().catch(""), status: z.string().catch("") });
const job = z.object({
  id: z.number(),
  name: z.string().catch(""),
  status: z.string().catch("unknown"),
  conclusion: z.string().nullish().catch(undefined),
  labels: z.array(z.string()).catch([]),
  runner_name: z.string().nullish().catch(undefined),
  started_at: moment,
  completed_at: moment,
  html_url: z.string().nullish().catch(undefined),
  steps: z.array(step).nullish().catch(undefined),
});
const page = z.object({ total_count: z.number().int().nonnegative(), jobs: z.array(job) });

interface Page {
  readonly etag: string | undefined;
  readonly total: number;
  readonly jobs: readonly RunJob[];
}

export interface RunJobsOptions {
  readonly client: GitHubClient;
  readonly clock: Clock;
  /** `owner/repo` of the run. */
  readonly repository: string;
  readonly runId: string;
  readonly runAttempt: number;
  readonly labels: readonly string[];
  /** Sees the jobs for sure. */
  readonly run: Access;
  /** Has a larger budget, and may be allowed to see them too. */
  readonly runners: Access | undefined;
  /** Guards of the same matrix share these budgets; `index` counts from 0. */
  readonly matrix: { readonly index: number; readonly total: number };
}

/**
 * The jobs of a run attempt, with as few requests as it takes: a page that has not changed costs nothing (304), and one whose
 * jobs are all over is not asked for again. https://docs.github.com/en/rest/actions/workflow-jobs
 */
export function openRunJobs(options: RunJobsOptions): RunJobs {
  const { client, clock, labels, matrix, run, runners } = options;
  const [owner = "", repo = ""] = options.repository.split("/");
  const pages = new Map<number, Page>();
  const wanted = new Set(labels.map((label) => label.toLowerCase()));
  // Undefined until it was tried: whether the runners' access sees the jobs, which it need not.
  let runnersSee: boolean | undefined = runners === undefined ? false : undefined;
  let asked = false;
  let total = 0;

  // Jobs are listed as the workflow has them, so a GPU job is likely to stand where its guard does, in a matrix of its own behind or
  // before that of the guards.
  const guesses = [matrix.total + matrix.index, matrix.index].map((position) => Math.floor(position / PER_PAGE) + 1);
  const etags = new Map<string, string>();
  const ask = (number: number, access: Access, signal: AbortSignal): Promise<GitHubAnswer> =>
    client.send({
      route: "GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}/jobs",
      parameters: { owner, repo, run_id: options.runId, attempt_number: options.runAttempt, per_page: PER_PAGE, page: number },
      access,
      // GitHub makes it of the answer and of who asks.
      etag: etags.get(`${access.input} ${number}`),
      signal,
    });

  async function read(number: number, signal: AbortSignal): Promise<Page> {
    if (asked && runners !== undefined && nextAccess() === runners) {
      const answer = await refusable(ask(number, runners, signal));
      if (answer !== undefined && answer.status !== 403 && answer.status !== 404) {
        runnersSee = true;
        return keep(number, runners, answer);
      }
      runnersSee = false;
    }
    const answer = await ask(number, run, signal);
    asked = true;
    return keep(number, run, answer);
  }

  function keep(number: number, access: Access, answer: GitHubAnswer): Page {
    const known = pages.get(number);
    if (answer.status === 304 && known !== undefined) return known;
    if (answer.status === 403 || answer.status === 404) throw blamePermission(answer);
    const parsed = answer.status === 200 ? page.safeParse(answer.data) : undefined;
    if (parsed?.success !== true) {
      throw new GitHubFailure(
        `GitHub's list of this run's jobs cannot be read (HTTP ${answer.status}${answer.message === "" ? "" : `: ${answer.message}`}).`,
        "It is asked for again.",
      );
    }
    const fresh = { etag: answer.etag, total: parsed.data.total_count, jobs: parsed.data.jobs.map(toJob) };
    pages.set(number, fresh);
    if (answer.etag !== undefined) etags.set(`${access.input} ${number}`, answer.etag);
    return fresh;
  }

  /** A page on which nothing can change any more, as long as the list does not shrink. */
  const isSettled = (one: Page | undefined) =>
    one?.jobs.length === PER_PAGE && one.jobs.every(({ status }) => status === "completed");
  return {
    async look({ signal, thorough = false }) {
      const before = total;
      const fresh = new Set<number>();
      const refresh = async (number: number) => {
        if (fresh.has(number)) return;
        if (!isSettled(pages.get(number))) ({ total } = await read(number, signal));
        fresh.add(number);
      };
      // Every page tells how many jobs there are; new ones are on the last.
      await refresh(before === 0 ? (guesses[0] ?? 1) : (allPages().find(isOurs) ?? lastPage()));
      if (total < before) pages.clear();
      if (total > before && before > 0) await refresh(lastPage());
      const isNews = (number: number) => pages.get(number) === undefined || isOurs(number);
      for (const number of byLikelihood()) {
        if (thorough && canAffordAll()) await refresh(number);
        // Where our jobs are known, what is on pages that nobody has looked at is not ours.
        else if (isNews(number) && (isOurs(number) || !knowsOurs())) await refresh(number);
      }
      for (const number of pages.keys()) if (number > lastPage()) pages.delete(number);
      return { jobs: known(), whole: allPages().every((number) => fresh.has(number) || isSettled(pages.get(number))) };
    },
    known: () => ({ jobs: known(), whole: false }),
    pause(least) {
      const { remaining, resetAt, blockedUntil } = nextAccess().budget;
      const untilReset = Math.max(0, resetAt - clock.now());
      const blocked = Math.max(0, blockedUntil - clock.now());
      if (remaining === 0 || blocked > 0) return Math.max(least, blocked, remaining === 0 ? untilReset : 0);
      if (remaining === undefined || untilReset === 0) return least;
      return Math.max(least, Math.min(untilReset, (untilReset * matrix.total) / (remaining * SHARE)));
    },
  };

  function known(): readonly RunJob[] {
    return [...pages.entries()].toSorted(([one], [other]) => one - other).flatMap(([, { jobs }]) => jobs);
  }

  function lastPage(): number {
    return Math.min(MOST_PAGES, Math.max(1, Math.ceil(total / PER_PAGE)));
  }

  function allPages(): readonly number[] {
    return Array.from({ length: lastPage() }, (_, index) => index + 1);
  }

  function byLikelihood(): readonly number[] {
    return [...new Set([...guesses, ...allPages()])].filter((number) => number <= lastPage());
  }

  function knowsOurs(): boolean {
    return allPages().some(isOurs);
  }

  function isOurs(number: number): boolean {
    const jobs = pages.get(number)?.jobs ?? [];
    return jobs.some((one) => one.labels.some((label) => wanted.has(label.toLowerCase())));
  }

  /** Whether every guard of the matrix could look at everything now, and most of the budget would still be there. */
  function canAffordAll(): boolean {
    const { remaining } = nextAccess().budget;
    return remaining === undefined || lastPage() * matrix.total <= remaining / 4;
  }

  function nextAccess(): Access {
    return runners !== undefined && runnersSee !== false && hasRoom(runners) ? runners : run;
  }

  function hasRoom({ budget }: Access): boolean {
    return budget.blockedUntil <= clock.now() && (budget.remaining !== 0 || budget.resetAt <= clock.now());
  }
}

/** A token that may not be used for this is no trouble: the other one is. */
async function refusable(asking: Promise<GitHubAnswer>): Promise<GitHubAnswer | undefined> {
  try {
    return await asking;
  } catch (error) {
    if (error instanceof GitHubTokenFailure) return undefined;
    throw error;
  }
}

function blamePermission({ status, message }: GitHubAnswer): GitHubTokenFailure {
  return new GitHubTokenFailure(
    `'run-token' may not see the jobs of this run (HTTP ${status}: ${message}).`,
    "Give the guard's job this line:\n    permissions: { actions: write }\nIt takes all other permissions away from that job; the GPU job keeps its own.",
  );
}

function toJob(one: z.infer<typeof job>): RunJob {
  return {
    id: one.id,
    name: one.name,
    status: one.status,
    labels: one.labels,
    runningSteps: (one.steps ?? []).filter(({ status }) => status === "in_progress").map(({ name }) => name),
    ...(one.conclusion ? { conclusion: one.conclusion } : {}),
    ...(one.runner_name ? { runnerName: one.runner_name } : {}),
    ...(one.started_at === undefined ? {} : { startedAt: one.started_at }),
    ...(one.completed_at === undefined ? {} : { completedAt: one.completed_at }),
    ...(one.html_url ? { url: one.html_url } : {}),
  };
}
