import { createAppAuth } from "@octokit/auth-app";
import { describe, GitHubTokenFailure } from "../lease/failure.ts";
import { plain } from "../lease/plain.ts";
import type { RunnerCredentials, RunnerScope } from "../lease/plan.ts";
import type { Octokit } from "./octokit.ts";

/** A token as requests need it. */
export interface Access {
  /** The input that it comes from, for sentences. */
  readonly input: "run-token" | "github-token" | "github-app-id";
  /** What the rate limit leaves, as GitHub told last. */
  readonly budget: Budget;
  /** The token to use now; with `refresh`, one that was not used before. */
  token(signal: AbortSignal, refresh?: boolean): Promise<string>;
  /** Whether a refused token can be replaced by a fresh one. */
  readonly renewable: boolean;
}

/** The requests that are left of a rate limit. Moments are milliseconds since the epoch. */
export interface Budget {
  remaining: number | undefined;
  resetAt: number;
  /** GitHub asked not to be asked before. */
  blockedUntil: number;
}

export function openBudget(): Budget {
  return { remaining: undefined, resetAt: 0, blockedUntil: 0 };
}

export function accessByToken(input: Access["input"], token: string): Access {
  return { input, budget: openBudget(), token: async () => token, renewable: false };
}

/**
 * Access through a GitHub App that is installed where the runners go. Its tokens end after an hour; the library makes fresh ones.
 * Every one is masked before it is used.
 */
export function accessByApp(
  { appId, privateKey }: Extract<RunnerCredentials, { kind: "app" }>,
  scope: RunnerScope,
  octokit: Octokit,
  maskSecret: (secret: string) => void,
): Access {
  const app = createAppAuth({ appId, privateKey, request: octokit.request });
  let installation: number | undefined;
  return {
    input: "github-app-id",
    budget: openBudget(),
    renewable: true,
    async token(signal, refresh = false) {
      signal.throwIfAborted();
      try {
        installation ??= await findInstallation();
        const { token } = await app({ type: "installation", installationId: installation, refresh });
        maskSecret(token);
        return token;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof GitHubTokenFailure) throw error;
        throw new GitHubTokenFailure(
          `The GitHub App ${plain(appId, 40)} got no token: ${plain(describeSafely(error))}`,
          "Are 'github-app-id' and 'github-app-private-key' of the same App, and is the key one that it still lists? Nothing more is bought.",
        );
      }
    },
  };

  async function findInstallation(): Promise<number> {
    const { token: jwt } = await app({ type: "app" });
    maskSecret(jwt);
    const headers = { authorization: `Bearer ${jwt}` };
    try {
      const { data } =
        scope.kind === "repository"
          ? await octokit.request("GET /repos/{owner}/{repo}/installation", {
              owner: scope.owner,
              repo: scope.repository,
              headers,
            })
          : await octokit.request("GET /orgs/{org}/installation", { org: scope.owner, headers });
      return data.id;
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
      const where = scope.kind === "repository" ? `${scope.owner}/${scope.repository}` : `organisation ${scope.owner}`;
      throw new GitHubTokenFailure(
        `The GitHub App ${plain(appId, 40)} is not installed in ${plain(where)}.`,
        "Nothing was bought. Install it there, with the permission Administration: write (for an organisation, Self-hosted runners: write).",
      );
    }
  }
}

/** The HTTP status that an error of the library carries; 0 where no answer came. */
export function statusOf(error: unknown): number {
  if (typeof error !== "object" || error === null || !("status" in error) || !("response" in error)) return 0;
  return error.response === undefined ? 0 : Number(error.status);
}

/** Errors of the library hold the request with its headers: only their message is used. */
export function describeSafely(error: unknown): string {
  return error instanceof Error ? error.message : describe(error);
}
