import { formatDuration } from "./duration.ts";
import { hashRepository, readLeaseName } from "./name.ts";

/** A lease is left alone for so long after its own end: its job's own deletion may be under way, and clocks differ. */
export const GRACE = 600_000;

/** How the run attempt of a lease stands; `unknown` where GitHub does not tell. */
export type RunState = "completed" | "going-on" | "unknown";

/** A machine that a marketplace lists. `name` comes from outside. */
export interface Listed {
  readonly id: string;
  readonly name?: string;
}

/**
 * Whose a listed machine is, by its name alone. `stranger`: no name of ours, and nothing that we say more about; `kept`: of ours, or
 * like one, with why it is left alone; `lease`: ours, to be judged by its time and its run.
 */
export type Ownership =
  | { readonly kind: "stranger" }
  | { readonly kind: "kept"; readonly why: string }
  | {
      readonly kind: "lease";
      readonly runId: string;
      readonly runAttempt: number;
      readonly expiresAt: number;
      readonly isOwn: boolean;
    };

/** `repository` is `owner/repo`; with `all`, leases of other repositories count too. */
export function readOwnership(name: string | undefined, repository: string, all: boolean): Ownership {
  if (name === undefined || !/^gpup/i.test(name)) return { kind: "stranger" };
  const lease = readLeaseName(name);
  if (lease === undefined) return { kind: "kept", why: "its name only looks like one of ours" };
  const { expiresAt, repositoryHash, runAttempt, runId } = lease;
  const isOwn = repositoryHash === hashRepository(repository);
  if (!isOwn && !all) return { kind: "kept", why: "it is of another repository" };
  return { kind: "lease", runId, runAttempt, expiresAt, isOwn };
}

/** Why a lease may be deleted now (epoch ms); undefined when it may not, and then `whyKept` says why. */
export function whyExpired(lease: { readonly expiresAt: number }, run: RunState | undefined, now: number): string | undefined {
  const over = now - lease.expiresAt;
  if (over >= GRACE) return `its lease ended ${formatDuration(over)} ago`;
  return run === "completed" ? "its run attempt is completed" : undefined;
}

export function whyKept(lease: { readonly expiresAt: number }, run: RunState | undefined, now: number): string {
  const left = lease.expiresAt + GRACE - now;
  const time = `its time is over in ${formatDuration(left)}`;
  if (run === "going-on") return `its run goes on, and ${time}`;
  return run === "unknown" ? `GitHub does not tell of its run, and ${time}` : time;
}
