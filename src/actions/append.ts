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
    // A device that stands in for the file does not grow, and cannot be cut.
    if (file && before !== undefined && statSync(file).size > before) truncateSync(file, before);
    throw error;
  }
}
