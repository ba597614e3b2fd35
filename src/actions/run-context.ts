import { isAbsolute } from "node:path";
import * as z from "zod";
import { InputFailure } from "../lease/failure.ts";
import { plain } from "../lease/plain.ts";
import type { RunContext } from "../lease/plan.ts";

// https://docs.github.com/en/actions/reference/workflows-and-actions/variables
function variable(what: string, form: RegExp) {
  return z
    .string({ error: `is not set; a workflow run sets it to ${what}.` })
    .regex(form, { error: ({ input }) => `is '${plain(String(input), 80)}'; a workflow run sets it to ${what}.` });
}

function directory(what: string) {
  return variable(what, /./).refine(isAbsolute, {
    error: ({ input }) => `is '${plain(String(input), 80)}'; a workflow run sets it to ${what}.`,
  });
}

const variables = z.object({
  GITHUB_REPOSITORY: variable("owner/repository", /^[\w.-]{1,100}\/[\w.-]{1,100}$/),
  GITHUB_RUN_ID: variable("a number", /^\d{1,19}$/),
  GITHUB_RUN_ATTEMPT: variable("a number from 1 on", /^[1-9]\d{0,4}$/),
  RUNNER_TEMP: directory("an absolute path"),
  GITHUB_WORKSPACE: directory("an absolute path"),
});

/** Where this step runs. Throws InputFailure, a problem for each variable, when it is not in a workflow run. */
export function readRunContext(env: Readonly<Record<string, string | undefined>>): RunContext {
  const parsed = variables.safeParse(env);
  if (!parsed.success) {
    throw new InputFailure(
      parsed.error.issues.map(
        ({ path, message }) =>
          `Variable ${String(path[0])} ${message} This action runs only as a step of a GitHub Actions workflow.`,
      ),
    );
  }
  const { GITHUB_REPOSITORY, GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT, RUNNER_TEMP, GITHUB_WORKSPACE } = parsed.data;
  return Object.freeze({
    repository: GITHUB_REPOSITORY,
    runId: GITHUB_RUN_ID,
    runAttempt: Number(GITHUB_RUN_ATTEMPT),
    tempDirectory: RUNNER_TEMP,
    gitHubApiUrl: (env["GITHUB_API_URL"] || "https://api.github.com").replace(/\/+$/, ""),
    runnerName: env["RUNNER_NAME"] ?? "",
    actionRepository: env["GITHUB_ACTION_REPOSITORY"] ?? "",
    workspace: GITHUB_WORKSPACE,
  });
}
