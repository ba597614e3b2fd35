import { posix } from "node:path";
import { TransferFailure } from "../lease/failure.ts";
import { plain } from "../lease/plain.ts";
import { BILLED } from "./transfer.ts";

/** A hostile machine can put anything into an archive, so whatever leaves the target is refused, not repaired. */
export function refuseEntry(name: string, why: string): TransferFailure {
  return new TransferFailure(
    `The machine sent '${plain(name, 160)}', which ${why}. It was not written.`,
    `A download may only contain files, directories and links within itself. ${BILLED}`,
  );
}

/** The parts of an entry's path below the target; none for the target itself. Throws TransferFailure when it leads out of it. */
export function readEntryName(name: string): readonly string[] {
  if (name.includes("\0")) throw refuseEntry(name, "contains a NUL character");
  if (name.startsWith("/")) throw refuseEntry(name, "is an absolute path");
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw refuseEntry(name, "contains '..'");
  // On Windows these would be separators and drives.
  if (process.platform === "win32" && parts.some((part) => /[\\:]/.test(part)))
    throw refuseEntry(name, "cannot be a file name here");
  return parts;
}

/**
 * Throws TransferFailure unless a symlink at `parts` stays inside the target. `..` may stand only at the front: after the name of
 * another symlink it would be resolved from wherever that one leads.
 */
export function checkLinkTarget(parts: readonly string[], target: string): void {
  const name = parts.join("/");
  if (target === "" || target.includes("\0")) throw refuseEntry(name, "is a symlink to nowhere");
  if (target.startsWith("/") || (process.platform === "win32" && /[\\:]/.test(target)))
    throw refuseEntry(name, `is a symlink to the absolute path '${plain(target, 100)}'`);
  const steps = target.split("/").filter((step) => step !== "" && step !== ".");
  const ups = steps.findIndex((step) => step !== "..");
  const leading = ups === -1 ? steps.length : ups;
  if (steps.slice(leading).includes("..") || leading > parts.length - 1)
    throw refuseEntry(name, `is a symlink that leads out of the download ('${plain(posix.normalize(target), 100)}')`);
}
