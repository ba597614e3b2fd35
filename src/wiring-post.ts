import { readFileSync } from "node:fs";
import * as z from "zod";
import { parseReleaseInputs } from "./actions/inputs.ts";
import type { ActionLog } from "./actions/log.ts";
import { maskSecret } from "./actions/log.ts";
import { readRawInputs } from "./actions/read-inputs.ts";
import { renderReport } from "./actions/report.ts";
import { memoryStore, readSavedJournal } from "./actions/state.ts";
import { writeSummary } from "./actions/summary.ts";
import type { FinishDeps } from "./finish.ts";
import { systemClock } from "./lease/clock.ts";
import { describe, TokenFailure } from "./lease/failure.ts";
import { decodeJournal, openJournal } from "./lease/journal.ts";
import { removeSshFiles } from "./machine/ssh-files.ts";
import { markets } from "./market/registry.ts";

/** The expiry watch gets over its standard input what the runner hands to the real post as variables. */
export function takeOverFromMain(): void {
  const handed = z.object({ INPUT_TOKEN: z.string(), STATE_lease: z.string() });
  Object.assign(process.env, handed.parse(JSON.parse(readFileSync(0, "utf8"))));
}

/** The real collaborators of post, or undefined when main left no journal: then nothing was bought. */
export function wirePost(log: ActionLog): FinishDeps | undefined {
  const saved = readSavedJournal();
  if (saved === undefined) return undefined;
  const record = decodeJournal(saved);
  const { token, tokenProblem, jobCancelled } = parseReleaseInputs(readRawInputs());
  if (token !== undefined) maskSecret(token);
  return {
    // Inputs are evaluated anew for post, so the journal decides where to delete; only the token is never in it.
    openMarket() {
      if (token !== undefined) return markets[record.provider].open({ token, apiUrl: record.apiUrl, log });
      throw new TokenFailure(`${tokenProblem ?? "There is no token"}`, "Without it nothing can be deleted.");
    },
    byHand: markets[record.provider].byHand(record.apiUrl),
    clock: systemClock,
    log,
    journal: openJournal(record, memoryStore, () => undefined),
    jobCancelled,
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
