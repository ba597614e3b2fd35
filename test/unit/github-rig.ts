import { onTestFinished } from "vitest";
import { type GitHubOptions, type GitHubStand, startGitHub } from "../../sandbox/github/start-github.ts";
import { type Clock, systemClock } from "../../src/lease/clock.ts";
import type { RunnerService } from "../../src/runner/contract.ts";
import { openRunnerService, type ServiceOptions } from "../../src/runner/service.ts";
import { keptLog } from "../kept-log.ts";

export const RUN_ID = "8123456789";
export const LABEL = `gpu-${RUN_ID}-1`;

export interface GitHubRig {
  readonly stand: GitHubStand;
  readonly log: ReturnType<typeof keptLog>;
  readonly masked: readonly string[];
  open(different?: Partial<ServiceOptions["guarding"]> & { readonly clock?: Clock; readonly apiUrl?: string }): RunnerService;
}

/** A stand-in GitHub with one repository, and clients of it. */
export async function setUpGitHub(options: GitHubOptions = {}): Promise<GitHubRig> {
  const stand = await startGitHub(options);
  onTestFinished(() => stand.close());
  const log = keptLog();
  const masked: string[] = [];
  return {
    stand,
    log,
    masked,
    open: ({ clock = systemClock, apiUrl = stand.url, ...guarding } = {}) =>
      openRunnerService({
        apiUrl,
        repository: "acme/kernels",
        runId: RUN_ID,
        runAttempt: 1,
        guarding: {
          labels: [LABEL],
          scope: { kind: "repository", owner: "acme", repository: "kernels" },
          groupId: 1,
          matrix: { index: 0, total: 1 },
          runToken: stand.runToken,
          credentials: { kind: "token", token: stand.adminToken },
          ...guarding,
        },
        clock,
        log,
        maskSecret: (secret) => masked.push(secret),
      }),
  };
}

export const signal = new AbortController().signal;
