import * as z from "zod";
import type { Clock } from "../lease/clock.ts";
import type { RunState } from "../lease/expired.ts";
import { describe } from "../lease/failure.ts";
import type { Log } from "../lease/log.ts";
import { plain } from "../lease/plain.ts";
import { accessByToken } from "./access.ts";
import { openClient } from "./client.ts";
import { openOctokit } from "./octokit.ts";

const attempt = z.object({ status: z.string() });

/**
 * Asks GitHub how run attempts of a repository (`owner/repo`) stand. Whatever is not said clearly is `unknown`, a 404 included: a
 * token that may not see a run is answered like that, too.
 */
export function openRunStates(options: {
  apiUrl: string;
  repository: string;
  token: string;
  clock: Clock;
  log: Log;
}): (runId: string, runAttempt: number) => Promise<RunState> {
  const { apiUrl, clock, log, repository, token } = options;
  const client = openClient(openOctokit(apiUrl, log), clock, log);
  const access = accessByToken("github-token", token);
  const [owner = "", repo = ""] = repository.split("/");
  const { signal } = new AbortController();
  return async (runId, runAttempt) => {
    try {
      const { data, status } = await client.send({
        route: "GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}",
        parameters: { owner, repo, run_id: runId, attempt_number: runAttempt },
        access,
        signal,
      });
      const read = attempt.safeParse(data);
      if (status !== 200 || !read.success) return "unknown";
      return read.data.status === "completed" ? "completed" : "going-on";
    } catch (error) {
      log.info(`GitHub did not say whether run ${runId} goes on: ${plain(describe(error), 160)}`);
      return "unknown";
    }
  };
}
