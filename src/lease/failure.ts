/**
 * One error type per kind of failure. `code` is stable, `message` says what failed and with which value,
 * `hint` what it means for the user's money and what to do, `cause` what lay beneath.
 */
export abstract class Failure extends Error {
  abstract readonly code: string;
  readonly hint: string;

  constructor(message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.hint = hint;
  }
}

/** Thrown when inputs are refused, before any request; `problems` holds one sentence for each. */
export class InputFailure extends Failure {
  readonly code = "input";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      problems.length === 1 ? String(problems[0]) : `${problems.length} inputs are not right:\n- ${problems.join("\n- ")}`,
      "Nothing was bought. Correct the `with:` block of this step.",
    );
    this.problems = problems;
  }
}

/** Thrown when no offer matches what was asked for, or none is left to try. */
export class NoOfferFailure extends Failure {
  readonly code = "no-offer";
}

/** Thrown when the marketplace refuses the token (401, 403). */
export class TokenFailure extends Failure {
  readonly code = "token";
}

/** Thrown when the marketplace cannot be reached, answers what cannot be read, or refuses a request. */
export class MarketFailure extends Failure {
  readonly code = "market";
  /** Milliseconds that the marketplace asks to wait before the next request of this kind. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, hint: string, options?: ErrorOptions & { retryAfterMs?: number | undefined }) {
    super(message, hint, options);
    this.retryAfterMs = options?.retryAfterMs;
  }
}

/**
 * Thrown when a purchase ended without a machine; another offer can be tried, or the same one when it is `offerStillGood`. When it
 * `lostRace`, somebody else was faster: that is no reason to try fewer others.
 */
export class PurchaseFailure extends Failure {
  readonly code = "purchase";
  readonly offerStillGood: boolean;
  readonly lostRace: boolean;

  constructor(message: string, hint: string, options: { readonly offerStillGood?: boolean; readonly lostRace?: boolean } = {}) {
    super(message, hint);
    this.offerStillGood = options.offerStillGood ?? false;
    this.lostRace = options.lostRace ?? false;
  }
}

/** Thrown when a bought machine did not become usable in time, or reports that it failed. */
export class NotReadyFailure extends Failure {
  readonly code = "not-ready";
}

/** Thrown when SSH cannot be used on a machine, or is lost while it is in use. */
export class SshFailure extends Failure {
  readonly code = "ssh";
}

/** Thrown when a machine shows only host keys that are not the one we gave it. Nothing was sent to it. */
export class HostKeyFailure extends Failure {
  readonly code = "host-key";
}

/** Thrown when `nvidia-smi` does not show the GPUs that were bought. */
export class GpuFailure extends Failure {
  readonly code = "gpu";
}

/** Thrown when the script of the `cloud-init` input, run over SSH, ended with another exit code than 0. */
export class SetupFailure extends Failure {
  readonly code = "cloud-init";
}

/** Thrown when `upload` or `download` cannot be done. */
export class TransferFailure extends Failure {
  readonly code = "transfer";
}

/** Thrown when GitHub refuses a request, or cannot be reached or read. */
export class GitHubFailure extends Failure {
  readonly code = "github";
}

/** Thrown when a GitHub token is refused, has expired or lacks a permission; the hint says which. */
export class GitHubTokenFailure extends Failure {
  readonly code = "github-token";
}

/** Thrown when the GPU jobs of this run cannot be served as the workflow is written. */
export class WorkflowFailure extends Failure {
  readonly code = "workflow";
}

/** Thrown when a runner did not come online on a machine that works otherwise. */
export class RunnerFailure extends Failure {
  readonly code = "runner";
}

/** Thrown when a machine vanished while its runners had jobs. */
export class MachineLostFailure extends Failure {
  readonly code = "machine-lost";
}

/** Thrown by `mirror` when a job that was held for failed or was cancelled. */
export class HeldJobFailure extends Failure {
  readonly code = "job";
}

/** Thrown when the commands in `run` ended with another exit code than 0. */
export class RunFailure extends Failure {
  readonly code = "run";
  readonly exitCode: number;

  constructor(exitCode: number, hint: string) {
    super(`The commands in 'run' ended with exit code ${exitCode}.`, hint);
    this.exitCode = exitCode;
  }
}

/** Thrown out of every wait when the step gets SIGINT or SIGTERM. */
export class CancelledFailure extends Failure {
  readonly code = "cancelled";

  constructor(by: string) {
    super(`The step was cancelled (${by}).`, "Whatever was bought is being deleted; the post step proves that it is gone.");
  }
}

/** Thrown out of every wait when the lease reaches its end (`max-lifetime`, `max-cost`). */
export class ExpiredFailure extends Failure {
  readonly code = "expired";
}

/** Why something was given up when its time was over. It stays with whoever set the deadline, and is no end of a story. */
export class DeadlineFailure extends Failure {
  readonly code = "deadline";
}

/** Thrown when the lease journal, or what the next steps need, cannot be written: nothing may be bought or kept then. */
export class JournalFailure extends Failure {
  readonly code = "journal";
}

/** Thrown when it could not be proved that everything is deleted; the message names what may still be billing. */
export class ReleaseFailure extends Failure {
  readonly code = "release";
}

/** Whether another offer could end better. */
export function isWorthAnotherOffer(error: unknown): boolean {
  return (
    error instanceof PurchaseFailure ||
    error instanceof NotReadyFailure ||
    error instanceof SshFailure ||
    error instanceof HostKeyFailure ||
    error instanceof GpuFailure ||
    error instanceof RunnerFailure
  );
}

/** One line for a log: the message and those of its causes, without stack. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.message || error.name;
  const inner = error.cause === undefined || error.cause === error ? "" : describe(error.cause);
  return inner === "" || own.includes(inner) ? own : `${own}: ${inner}`;
}
