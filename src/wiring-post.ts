import { readFileSync } from "node:fs";
import * as z from "zod";
import { parseReleaseInputs } from "./actions/inputs.ts";
import type { ActionLog } from "./actions/log.ts";
import { maskSecret } from "./actions/log.ts";
import { readRawInputs } from "./actions/read-inputs.ts";
import { renderReport } from "./actions/report.ts";
import { readRunContext } from "./actions/run-context.ts";
import { memoryStore, readSavedJournal } from "./actions/state.ts";
import { writeSummary } from "./actions/summary.ts";
import type { FinishDeps } from "./finish.ts";
import type { GuardCleanup } from "./guard-cleanup.ts";
import { systemClock } from "./lease/clock.ts";
import { describe, TokenFailure } from "./lease/failure.ts";
import type { GuardRecord, Journal } from "./lease/journal.ts";
import { decodeJournal, openJournal } from "./lease/journal.ts";
import type { Log } from "./lease/log.ts";
import type { RunnerScope } from "./lease/plan.ts";
import { removeSshFiles } from "./machine/ssh-files.ts";
import { marketplaceNamed } from "./market/registry.ts";

/** The expiry watch gets over its standard input what the runner hands to the real post as variables. */
export function takeOverFromMain(): void {
  const handed = z.object({ INPUT_TOKEN: z.string(), STATE_lease: z.string() });
  Object.assign(process.env, handed.parse(JSON.parse(readFileSync(0, "utf8"))));
}

/** The real collaborators of post, or undefined when main left no journal: then nothing was bought. */
export async function wirePost(log: ActionLog): Promise<FinishDeps | undefined> {
  const saved = readSavedJournal();
  if (saved === undefined) return undefined;
  const record = decodeJournal(saved);
  const marketplace = marketplaceNamed(record.provider);
  const { token, tokenProblem, jobCancelled } = parseReleaseInputs(readRawInputs());
  if (token !== undefined) maskSecret(token);
  const journal = openJournal(record, memoryStore, () => undefined);
  return {
    // Inputs are evaluated anew for post, so the journal decides where to delete; only the token is never in it.
    openMarket() {
      if (token !== undefined) return marketplace.open({ token, apiUrl: record.apiUrl, log, clock: systemClock });
      throw new TokenFailure(`${tokenProblem ?? "There is no token"}`, "Without it nothing can be deleted.");
    },
    byHand: marketplace.byHand(record.apiUrl),
    clock: systemClock,
    log,
    journal,
    jobCancelled,
    ...(record.guard === undefined ? {} : { guard: await wireGuardCleanup(record.guard, journal, log) }),
    removeFiles(directory) {
      try {
        removeSshFiles(directory);
      } catch (error) {
        log.warn(`The SSH files in ${directory} could not be removed: ${describe(error)}`);
      }
    },
    report: (now, trouble) => writeSummary(renderReport(now, Date.now(), trouble), log),
  };
}

/** Runner mode only, so it is loaded then only. */
async function wireGuardCleanup(guard: GuardRecord, journal: Journal, log: Log): Promise<GuardCleanup> {
  const { openGuardCleanup } = await import("./guard-cleanup.ts");
  const { RUNNER_NAME: runnerName = "", GITHUB_ACTION_REPOSITORY: actionRepository = "" } = process.env;
  return openGuardCleanup(guard, {
    async openGitHub() {
      const { openRunnerService } = await import("./runner/github-kit.ts");
      const run = readRunContext(process.env);
      const { credentials, runToken } = parseReleaseInputs(readRawInputs());
      const [owner = "", repository] = guard.scope.split("/");
      const scope: RunnerScope =
        repository === undefined ? { kind: "organisation", owner } : { kind: "repository", owner, repository };
      const guarding = { labels: guard.labels, scope, groupId: 1, matrix: { index: 0, total: 1 }, runToken, credentials };
      return openRunnerService({ ...run, apiUrl: run.gitHubApiUrl, guarding, clock: systemClock, log, maskSecret });
    },
    context: { runnerName, actionRepository },
    clock: systemClock,
    log,
    journal,
  });
}
