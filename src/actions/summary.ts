import { summary } from "@actions/core";
import { describe } from "../lease/failure.ts";
import type { Log } from "../lease/log.ts";

/** Adds markdown to the job summary. A report that cannot be written is told, and never fails a step. */
export async function writeSummary(markdown: string, log: Log): Promise<void> {
  try {
    await summary.addRaw(markdown, true).write();
  } catch (error) {
    log.info(`The job summary could not be written: ${describe(error)}`);
  }
}
