import { createHash, randomBytes } from "node:crypto";

/**
 * A lease's name carries all that a sweep needs to know about a machine:
 * `gpup-<hash of owner/repo>-<run_id>-<run_attempt>-<6 random>-<expiry, minutes since the epoch, base 36>`.
 */
export interface LeaseName {
  /** First 8 hex digits of the SHA-256 of the lower-case `owner/repo`. */
  readonly repositoryHash: string;
  readonly runId: string;
  readonly runAttempt: number;
  readonly random: string;
  /** Milliseconds since the epoch, on a full minute. */
  readonly expiresAt: number;
}

// Numbers without leading zeros, so that a name has one way to be written; seven digits of expiry stay within what a Date holds.
const WRITTEN = /^gpup-([0-9a-f]{8})-(\d{1,19})-([1-9]\d{0,4})-([0-9a-z]{6})-(0|[1-9a-z][0-9a-z]{0,6})$/;
const MINUTE = 60_000;

/** GitHub treats the names of owners and repositories without regard to case, so their hash does as well. */
export function hashRepository(repository: string): string {
  return createHash("sha256").update(repository.toLowerCase()).digest("hex").slice(0, 8);
}

/** `expiresAt` in milliseconds since the epoch; it is rounded up to a full minute. */
export function writeLeaseName(lease: { repository: string; runId: string; runAttempt: number; expiresAt: number }): string {
  const expiry = Math.ceil(lease.expiresAt / MINUTE).toString(36);
  return `gpup-${hashRepository(lease.repository)}-${lease.runId}-${lease.runAttempt}-${randomBytes(3).toString("hex")}-${expiry}`;
}

/** The parts of a lease's name, or undefined when the text is not exactly one. */
export function readLeaseName(text: string): LeaseName | undefined {
  const match = WRITTEN.exec(text);
  if (!match) return undefined;
  const [, repositoryHash = "", runId = "", runAttempt = "", random = "", expiry = ""] = match;
  return { repositoryHash, runId, runAttempt: Number(runAttempt), random, expiresAt: Number.parseInt(expiry, 36) * MINUTE };
}
