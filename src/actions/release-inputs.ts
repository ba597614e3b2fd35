import type { RunnerCredentials } from "../lease/plan.ts";
import { baseUrl, marketToken } from "./input-account.ts";
import { appId, privateKey, secretToken } from "./input-credentials.ts";
import type { RawInputs } from "./input-names.ts";

/** What post takes from inputs. A field is absent when the input is missing or cannot be used. */
export interface ReleaseInputs {
  readonly token?: string;
  /** Why `token` is absent; holds none of it. */
  readonly tokenProblem?: string;
  readonly apiUrl?: string;
  readonly jobCancelled: boolean;
  /** Sees the run's jobs and cancels the run. */
  readonly runToken?: string;
  /** Who deletes runner records, in runner mode. */
  readonly credentials?: RunnerCredentials;
}

/** Never throws: no input that is wrong by the end of the job may keep a machine alive. */
export function parseReleaseInputs(raw: RawInputs): ReleaseInputs {
  const token = marketToken().safeParse(raw.token.trim() || undefined);
  const apiUrl = baseUrl().safeParse(raw["api-url"].trim());
  return {
    ...(token.success ? { token: token.data } : { tokenProblem: `Input 'token' ${token.error.issues[0]?.message}` }),
    ...(apiUrl.success ? { apiUrl: apiUrl.data } : {}),
    jobCancelled: raw["job-status"].trim() === "cancelled",
    ...readGitHubAccess(raw),
  };
}

function readGitHubAccess(raw: RawInputs): Pick<ReleaseInputs, "runToken" | "credentials"> {
  const credentials = readCredentials(raw);
  const runToken = readToken(raw["run-token"]);
  return { ...(runToken === undefined ? {} : { runToken }), ...(credentials === undefined ? {} : { credentials }) };
}

function readCredentials(raw: RawInputs): RunnerCredentials | undefined {
  const token = readToken(raw["github-token"]);
  if (token !== undefined) return { kind: "token", token };
  const id = appId().safeParse(raw["github-app-id"].trim());
  const key = privateKey().safeParse(raw["github-app-private-key"].trim());
  return id.success && key.success ? { kind: "app", appId: id.data, privateKey: key.data } : undefined;
}

function readToken(text: string): string | undefined {
  return secretToken().safeParse(text.trim()).data || undefined;
}
