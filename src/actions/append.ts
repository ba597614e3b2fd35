import { statSync, truncateSync } from "node:fs";

/**
 * Appends to one of the runner's command files, and takes an append back that failed half-way (a full disk): the runner reads
 * nothing behind a torn record. Throws what the append threw.
 */
export function appendOrUndo(file: string | undefined, append: () => void): void {
  const before = file ? statSync(file, { throwIfNoEntry: false })?.size : undefined;
  try {
    append();
  } catch (error) {
    if (file && before !== undefined) truncateSync(file, before);
    throw error;
  }
}
