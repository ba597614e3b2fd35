import type { Clock } from "../lease/clock.ts";
import { formatDuration } from "../lease/duration.ts";
import { GitHubFailure, GitHubTokenFailure } from "../lease/failure.ts";
import type { Log } from "../lease/log.ts";
import { plain } from "../lease/plain.ts";
import { type Access, describeSafely, statusOf } from "./access.ts";
import type { Octokit } from "./octokit.ts";

const ANSWER_WITHIN = 20_000;
/** Pauses before a request that may be repeated is sent again. */
const REPEATS = [1_000, 4_000];
/** A limit that ends sooner than this is waited for. */
const LONGEST_BLOCK = 60_000;

export interface GitHubRequest {
  /** `GET /repos/{owner}/{repo}/actions/runners/{runner_id}` */
  readonly route: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly access: Access;
  /** Answers that are still the same come as 304, which costs no rate limit. */
  readonly etag?: string | undefined;
  readonly signal: AbortSignal;
}

/** An answer as it came, whatever its status. */
export interface GitHubAnswer {
  readonly status: number;
  readonly data: unknown;
  readonly etag?: string;
  /** GitHub's own words where it refuses. */
  readonly message: string;
}

/** No answer came: what was asked for may have happened all the same. */
export class GitHubSilence extends GitHubFailure {}

export interface GitHubClient {
  /**
   * Sends a request; reads and deletions are repeated after network trouble and 5xx, a POST never is. Throws GitHubSilence
   * when no answer came, GitHubTokenFailure on 401, GitHubFailure when a rate limit is used up, and the signal's reason.
   */
  send(request: GitHubRequest): Promise<GitHubAnswer>;
}

export function openClient(octokit: Octokit, clock: Clock, log: Log): GitHubClient {
  return {
    async send(request) {
      const { access, signal } = request;
      const mayRepeat = !request.route.startsWith("POST ");
      let renewed = false;
      for (let round = 0; ; round += 1) {
        await waitForBudget(request);
        const outcome = await sendOnce(request, await access.token(signal, renewed));
        if (outcome.status === 401 && access.renewable && !renewed) {
          renewed = true;
          continue;
        }
        if (outcome.status === 401) throw blameToken(access, outcome.message);
        if (isLimit(outcome, access, clock)) {
          if (round < REPEATS.length && access.budget.blockedUntil - clock.now() <= LONGEST_BLOCK) continue;
          throw blameLimit(request);
        }
        if (outcome.status !== 0 && outcome.status < 500) return outcome;
        const pause = mayRepeat ? REPEATS[round] : undefined;
        if (pause !== undefined) {
          await clock.sleep(pause, signal);
          continue;
        }
        if (outcome.status !== 0) return outcome;
        throw new GitHubSilence(
          `GitHub did not answer ${nameOf(request)}: ${outcome.message}`,
          "Check the network of the runner, HTTPS_PROXY and NO_PROXY; githubstatus.com tells of outages.",
        );
      }
    },
  };

  async function waitForBudget(request: GitHubRequest): Promise<void> {
    const wait = request.access.budget.blockedUntil - clock.now();
    if (wait > LONGEST_BLOCK) throw blameLimit(request);
    if (wait > 0) await clock.sleep(wait, request.signal);
  }

  function blameLimit(request: GitHubRequest): GitHubFailure {
    const { budget, input } = request.access;
    return new GitHubFailure(
      `GitHub's rate limit for '${input}' is used up for another ${formatDuration(Math.max(0, budget.blockedUntil - clock.now()))}.`,
      "Other jobs of this repository share it. Fewer guards at a time, or an App's token of its own, help.",
    );
  }

  /** Status 0 stands for no answer. */
  async function sendOnce({ route, parameters, access, etag, signal }: GitHubRequest, token: string): Promise<GitHubAnswer> {
    const headers = {
      authorization: `Bearer ${token}`,
      "x-github-api-version": "2022-11-28",
      ...(etag === undefined ? {} : { "if-none-match": etag }),
    };
    const late = AbortSignal.timeout(ANSWER_WITHIN);
    const finish = (status: number, answered: Readonly<Record<string, unknown>>, data: unknown, message: string) => {
      noteBudget(access, status, answered, message, clock);
      log.debug(
        `${nameOf({ route })}: ${status || "no answer"}, ${access.budget.remaining ?? "unknown"} left for '${access.input}'`,
      );
      const { etag: fresh } = answered;
      return { status, data, message, ...(typeof fresh === "string" ? { etag: fresh } : {}) };
    };
    try {
      const request = { signal: AbortSignal.any([signal, late]) };
      const answer = await octokit.request(route, { ...parameters, headers, request });
      return finish(answer.status, answer.headers, answer.data, "");
    } catch (error) {
      signal.throwIfAborted();
      const status = statusOf(error);
      const why = late.aborted
        ? `no answer within ${formatDuration(ANSWER_WITHIN)}`
        : describeSafely(error).replaceAll(token, "***");
      return finish(status, headersOf(error), undefined, plain(why));
    }
  }
}

function nameOf({ route }: Pick<GitHubRequest, "route">): string {
  return route;
}

function headersOf(error: unknown): Readonly<Record<string, unknown>> {
  if (typeof error !== "object" || error === null || !("response" in error)) return {};
  const { response } = error;
  if (typeof response !== "object" || response === null || !("headers" in response)) return {};
  const { headers } = response;
  return typeof headers === "object" && headers !== null ? { ...headers } : {};
}

/** https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api */
function noteBudget(
  { budget }: Access,
  status: number,
  headers: Readonly<Record<string, unknown>>,
  message: string,
  clock: Clock,
): void {
  const number = (name: string) => (headers[name] === undefined ? undefined : Number(headers[name]));
  const remaining = number("x-ratelimit-remaining");
  const reset = number("x-ratelimit-reset");
  if (remaining !== undefined && Number.isFinite(remaining)) budget.remaining = remaining;
  if (reset !== undefined && Number.isFinite(reset)) budget.resetAt = reset * 1000;
  if (status !== 403 && status !== 429) return;
  const retryAfter = number("retry-after");
  if (retryAfter !== undefined && Number.isFinite(retryAfter)) budget.blockedUntil = clock.now() + retryAfter * 1000;
  else if (remaining === 0) budget.blockedUntil = budget.resetAt;
  else if (status === 429 || /secondary rate limit|abuse detection/i.test(message))
    budget.blockedUntil = clock.now() + LONGEST_BLOCK;
}

/** A 403 can mean a limit or a permission that is missing. */
function isLimit({ status }: GitHubAnswer, { budget }: Access, clock: Clock): boolean {
  return (status === 403 || status === 429) && budget.blockedUntil > clock.now();
}

function blameToken({ input }: Access, message: string): GitHubTokenFailure {
  const hint =
    input === "run-token"
      ? "Leave 'run-token' unset: the default is the token of this job, which lasts as long as it does."
      : "It is wrong, was revoked or has expired. An App's token ends after an hour: give 'github-app-id' and 'github-app-private-key' instead, from which fresh ones are made.";
  return new GitHubTokenFailure(`GitHub does not accept '${input}' (any more): ${message}`, hint);
}
