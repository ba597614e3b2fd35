import { setOutput } from "@actions/core";
import { JournalFailure } from "../lease/failure.ts";
import type { Outputs } from "../lease/outputs.ts";
import { outputNames } from "../lease/outputs.ts";
import { appendOrUndo } from "./append.ts";

/** The outputs of a sweep. */
export function writeSweepOutputs(counts: { readonly found: number; readonly deleted: number; readonly kept: number }): void {
  for (const [name, count] of Object.entries(counts)) setOutput(name, count);
}

/** Sets outputs at once, so that later steps see what is known even if this step is killed. Throws when they cannot be written. */
export function writeOutputs(values: Outputs): void {
  try {
    appendOrUndo(process.env["GITHUB_OUTPUT"], () => {
      for (const name of outputNames) {
        const value = values[name];
        if (value !== undefined) setOutput(name, value);
      }
    });
  } catch (error) {
    throw new JournalFailure(
      "The outputs of this step could not be written.",
      "The steps that follow would not find the machine, so whatever was bought is deleted. Is the runner's disk full?",
      { cause: error },
    );
  }
}
