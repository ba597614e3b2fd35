import { describe } from "../lease/failure.ts";
import { encodeJournal, type GuardRecord } from "../lease/journal.ts";
import type { Log } from "../lease/log.ts";
import type { Guarding, RunContext } from "../lease/plan.ts";
import type { RawInputs } from "./input-names.ts";
import { readSecrets, secretIn } from "./input-secrets.ts";
import { stateStore } from "./state.ts";

/** What the journal of a guard begins with. */
export function startGuardRecord({ labels, scope }: Pick<Guarding, "labels" | "scope">): GuardRecord {
  return {
    labels: [...labels],
    scope: scope.kind === "repository" ? `${scope.owner}/${scope.repository}` : scope.owner,
    records: [],
    jobs: [],
  };
}

/**
 * A guard whose inputs are refused has no plan, but jobs may be queued for it all the same: post is told their label, so that it
 * cancels the run as it does for every guard that has no machine.
 */
export function leaveJobsStranded(raw: RawInputs, { repository, runId, runAttempt }: RunContext, log: Log): void {
  if (raw.mode.trim() !== "runner" || raw["cancel-run-on-failure"].trim().toLowerCase() === "false") return;
  const secrets = readSecrets(raw);
  const labels = raw["runner-label"]
    .split(/[,\n]/)
    // A token that was put there by mistake is no label, and has no place in the state.
    .filter((label) => secretIn(label, secrets) === undefined)
    .map((label) => label.trim().slice(0, 100))
    .filter((label) => label !== "");
  const guard: GuardRecord = {
    labels: labels.length > 0 ? labels.slice(0, 10) : [`gpu-${runId}-${runAttempt}`],
    scope: repository,
    records: [],
    jobs: [],
    stranded: true,
  };
  try {
    stateStore.save(
      encodeJournal({ version: 1, provider: "compute-clear", apiUrl: "", cleanupTimeout: 10_000, guard, attempts: [] }),
    );
  } catch (error) {
    log.info(`${describe(error)} Queued jobs with this label are not looked after.`);
  }
}
