import type { Clock } from "../lease/clock.ts";
import { GitHubFailure, GitHubTokenFailure } from "../lease/failure.ts";
import type { Log } from "../lease/log.ts";
import type { Guarding } from "../lease/plan.ts";
import { type Access, accessByApp, accessByToken } from "./access.ts";
import { resolveApplication } from "./application.ts";
import { openClient } from "./client.ts";
import type { RunnerService } from "./contract.ts";
import { openRunJobs } from "./jobs.ts";
import { openOctokit } from "./octokit.ts";
import { openRegistrations } from "./registrations.ts";

/** What GitHub has to be told of a guard. Post may lack the tokens that main had. */
export interface ServiceOptions {
  /** Base URL of GitHub's API, without a trailing slash. */
  readonly apiUrl: string;
  /** `owner/repo` of the run. */
  readonly repository: string;
  readonly runId: string;
  readonly runAttempt: number;
  readonly guarding: Pick<Guarding, "labels" | "scope" | "groupId" | "matrix"> & {
    readonly runToken: string | undefined;
    readonly credentials: Guarding["credentials"] | undefined;
  };
  readonly clock: Clock;
  readonly log: Log;
  readonly maskSecret: (secret: string) => void;
}

/** GitHub's side of runner mode. Without a token, what needs it throws GitHubTokenFailure. */
export function openRunnerService(options: ServiceOptions): RunnerService {
  const { clock, guarding, log, maskSecret, repository, runId } = options;
  const { credentials, labels, runToken, scope } = guarding;
  const octokit = openOctokit(options.apiUrl, log);
  const client = openClient(octokit, clock, log);
  const run = runToken === undefined ? without("run-token") : accessByToken("run-token", runToken);
  const runners = openRunnersAccess();
  const [owner = "", repo = ""] = repository.split("/");

  return {
    jobs: openRunJobs({ ...options, client, labels, run, runners: credentials && runners, matrix: guarding.matrix }),
    registrations: openRegistrations({
      client,
      access: runners,
      scope,
      groupId: guarding.groupId,
      labels,
      clock,
      log,
      maskSecret,
    }),
    resolveApplication: (version, signal) => resolveApplication(version, { client, scope, runners, run }, signal),
    async cancelRun(signal) {
      const parameters = { owner, repo, run_id: runId };
      const answer = await client.send({
        route: "POST /repos/{owner}/{repo}/actions/runs/{run_id}/cancel",
        parameters,
        access: run,
        signal,
      });
      // A run that is over cannot be cancelled.
      if (answer.status === 202 || answer.status === 409) return;
      throw new GitHubFailure(
        `GitHub does not cancel this run (HTTP ${answer.status}: ${answer.message}).`,
        "Give the guard's job this line:\n    permissions: { actions: write }",
      );
    },
  };

  function openRunnersAccess(): Access {
    if (credentials === undefined) return without("github-token");
    if (credentials.kind === "token") return accessByToken("github-token", credentials.token);
    return accessByApp(credentials, scope, octokit, maskSecret);
  }
}

function without(input: Access["input"]): Access {
  return {
    ...accessByToken(input, ""),
    async token() {
      throw new GitHubTokenFailure(
        `There is no '${input}'.`,
        "It is evaluated anew for the post step: is the secret still there?",
      );
    },
  };
}
