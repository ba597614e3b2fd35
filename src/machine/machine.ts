import type { SshFailure } from "../lease/failure.ts";
import type { Transfer } from "../lease/plan.ts";

export interface ExecOptions {
  /** Sent to the command; without it the command's stdin is empty. */
  readonly stdin?: Buffer | string;
  readonly signal?: AbortSignal;
  /** Milliseconds after which the command is given up with DeadlineFailure. */
  readonly timeoutMs?: number;
  /** Bytes of stdout and of stderr that are taken, 1 MiB unless told; more is an SshFailure. */
  readonly maxOutput?: number;
}

/** How a command ended: `code` is null when `signal` (`SIGTERM`) ended it. */
export interface ExecResult {
  readonly code: number | null;
  readonly signal?: string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Commands as a workflow step has them. */
export interface RemoteScript {
  readonly text: string;
  /** `bash`, `sh`, `python`, or a command line with `{0}` for the script's path. */
  readonly shell: string;
  /** On the machine; `~/x` and relative paths start at home, which is the default. */
  readonly workingDirectory?: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Takes lines as they come, without their line end. While a promise is pending, no more is read from that stream. */
export interface LineSink {
  stdout(line: string): Promise<void> | void;
  stderr(line: string): Promise<void> | void;
}

/** What a transfer moved; `bytes` counts the contents of files. */
export interface TransferTally {
  readonly files: number;
  readonly bytes: number;
}

/** A bought machine that we are logged in to. Everything rejects with SshFailure once the connection is lost. */
export interface Machine {
  /** `ssh-ed25519 AAAA…`: the key that the machine proved to hold. */
  readonly hostPublicKey: string;
  /** Runs one shell command and collects what it prints. */
  exec(command: string, options?: ExecOptions): Promise<ExecResult>;
  /**
   * Runs a script and resolves to its exit code, 128 + N when signal N ended it. What it has started ends with it, and with the
   * connection. Rejects with ScriptFailure when it could not be started, and with the signal's reason.
   */
  run(script: RemoteScript, sink: LineSink, signal: AbortSignal): Promise<number>;
  /** Sends a file or a whole directory; `ignore` holds gitignore patterns. Rejects with TransferFailure. */
  upload(transfer: Transfer, ignore: readonly string[], signal: AbortSignal): Promise<TransferTally>;
  /** Fetches a file or a whole directory. Rejects with TransferFailure. */
  download(transfer: Transfer, signal: AbortSignal): Promise<TransferTally>;
  /** Resolves when the connection is lost; never after `close`. */
  readonly lost: Promise<SshFailure>;
  close(): void;
}
