import type { Guarding, RunnerCredentials, RunnerScope } from "../lease/plan.ts";
import type { InputName } from "./input-names.ts";
import type { InputValues, ReportProblem, SoundValues, Surroundings } from "./input-schema.ts";
import { quote } from "./input-values.ts";

/** What runner mode needs and no single input can say. */
export interface RunnerIdentity {
  readonly credentials: RunnerCredentials;
  readonly runToken: string;
  readonly labels: readonly string[];
  readonly scope: RunnerScope;
  readonly matrix: Guarding["matrix"];
}

type Given = Partial<Record<InputName, string>>;

/** Who registers which runners where. Undefined in ssh mode, and where something is missing or refused, which is reported. */
export function readRunnerIdentity(
  given: Given,
  values: SoundValues,
  run: Surroundings["run"],
  problem: ReportProblem,
): RunnerIdentity | undefined {
  if (values.mode !== "runner") return undefined;
  const credentials = readCredentials(given, values, problem);
  const labels = readLabels(given, values, run, problem);
  const scope = readScope(given, values, run, problem);
  const runToken = values["run-token"];
  if (given["run-token"] === undefined) {
    problem("run-token", "is empty; it takes the token of this job. Remove the line: the default is that token.");
  }
  if (!credentials || !labels || !scope || runToken === undefined) return undefined;
  return { credentials, runToken, labels, scope, matrix: { index: values["job-index"] ?? 0, total: values["job-total"] ?? 1 } };
}

export function makeGuarding(values: InputValues, identity: RunnerIdentity): Guarding {
  const lifetime = values["max-lifetime"];
  return {
    ...identity,
    groupId: values["runner-group-id"],
    version: values["runner-version"],
    runners: values.runners,
    docker: values.docker,
    waitForJob: values["wait-for-job"],
    requireJob: values["require-job"],
    hold: values.hold,
    mirror: values.hold && values.mirror,
    idleTimeout: Math.min(values["idle-timeout"], lifetime),
    linger: Math.min(values.linger, lifetime),
    cancelGrace: values["cancel-grace"],
    cancelRunOnFailure: values["cancel-run-on-failure"],
  };
}

const EMPTY_SECRET =
  "A secret that does not exist comes out empty, and runs for a fork's or Dependabot's pull request get no secrets at all.";

function readCredentials(given: Given, values: SoundValues, problem: ReportProblem): RunnerCredentials | undefined {
  const hasId = given["github-app-id"] !== undefined;
  const hasKey = given["github-app-private-key"] !== undefined;
  if (given["github-token"] !== undefined) {
    for (const name of ["github-app-id", "github-app-private-key"] as const) {
      if (given[name] !== undefined) problem(name, "is set together with 'github-token'; use the token or the App, not both.");
    }
    const token = values["github-token"];
    return token === undefined || isRunsOwn(token, values["run-token"], problem) ? undefined : { kind: "token", token };
  }
  if (!hasId && !hasKey) {
    problem(
      "github-token",
      "is empty; mode 'runner' takes a token with the permission Administration: write, from a secret, " +
        `or 'github-app-id' with 'github-app-private-key'. ${EMPTY_SECRET}`,
    );
  } else if (!hasId) {
    problem("github-app-id", "is empty, and 'github-app-private-key' is set; it takes the ID of the App that the key is of.");
  } else if (!hasKey) {
    problem(
      "github-app-private-key",
      `is empty, and 'github-app-id' is set; it takes the App's private key, from a secret. ${EMPTY_SECRET}`,
    );
  }
  const [appId, privateKey] = [values["github-app-id"], values["github-app-private-key"]];
  return appId === undefined || privateKey === undefined ? undefined : { kind: "app", appId, privateKey };
}

/** The token that GitHub makes for each job; a personal one may well be given for both. */
function isRunsOwn(token: string, runToken: string | undefined, problem: ReportProblem): boolean {
  if (token !== runToken || /^(?:gh[pou]_|github_pat_)/.test(token)) return false;
  problem(
    "github-token",
    "is the token of this job, as 'run-token' is. GITHUB_TOKEN can never create runners; it takes a personal access token or an " +
      "App's token with the permission Administration: write, from a secret.",
  );
  return true;
}

function readLabels(
  given: Given,
  values: SoundValues,
  { runId, runAttempt }: Surroundings["run"],
  problem: ReportProblem,
): readonly string[] | undefined {
  if (given["runner-label"] !== undefined) return values["runner-label"];
  const siblings = values["job-total"] ?? 1;
  if (siblings === 1) return [`gpu-${runId}-${runAttempt}`];
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the workflow's author is to write these expressions
  const label = "gpu-${{ github.run_id }}-${{ github.run_attempt }}-${{ matrix.<your key> }}";
  problem(
    "runner-label",
    `is missing, and this job is one of ${siblings} of a matrix, whose machines would take each other's jobs; ` +
      `write 'runner-label: ${label}' here and 'runs-on: ${label}' in the GPU job.`,
  );
  return undefined;
}

/** GitHub gives a job of this run only to runners of its own repository, or of the organisation that owns it. */
function readScope(given: Given, values: SoundValues, run: Surroundings["run"], problem: ReportProblem): RunnerScope | undefined {
  const [owner = "", repository = ""] = run.repository.split("/");
  const text = given["runner-scope"];
  if (text === undefined) return { kind: "repository", owner, repository };
  const scope = values["runner-scope"];
  if (scope === undefined || [owner, run.repository].some((place) => place.toLowerCase() === text.toLowerCase())) return scope;
  problem(
    "runner-scope",
    `is ${quote(text)}, whose runners get no job of this run; it takes '${run.repository}' or '${owner}', when that is an organisation.`,
  );
  return undefined;
}
