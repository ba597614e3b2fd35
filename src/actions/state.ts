import { getState, saveState } from "@actions/core";
import { JournalFailure } from "../lease/failure.ts";
import type { JournalStore } from "../lease/journal.ts";
import { appendOrUndo } from "./append.ts";

const KEY = "lease";

/** The journal in the step's state: `saveState` appends synchronously, so what is saved survives a SIGKILL of this process. */
export const stateStore: JournalStore = {
  save(encoded) {
    try {
      appendOrUndo(process.env["GITHUB_STATE"], () => saveState(KEY, encoded));
    } catch (error) {
      throw new JournalFailure(
        "The lease journal could not be written to the step's state.",
        "Nothing is bought without it, for post could not delete what it does not know. Is the runner's disk full?",
        { cause: error },
      );
    }
  },
};

/** What main saved, or undefined when it saved nothing: then nothing was bought. */
export function readSavedJournal(): string | undefined {
  return getState(KEY) || undefined;
}

/** Post cannot save state, and nobody would read it. */
export const memoryStore: JournalStore = { save: () => undefined };
