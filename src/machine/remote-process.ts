import type { Readable, Writable } from "node:stream";
import type { SshFailure } from "../lease/failure.ts";

/** How a process on the machine ended: `code` is null when `signal` (`SIGTERM`) ended it. */
export interface Exit {
  readonly code: number | null;
  readonly signal?: string;
}

/** A command that runs on the machine over a channel of its own. */
export interface RemoteProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Rejects with SshFailure when the connection is lost before the end, and with the reason of the signal given at its start. */
  readonly exited: Promise<Exit>;
  /** Closes the channel; the machine closes the command's stdin then. */
  close(): void;
}

/** A connection that is logged in. */
export interface Connection {
  /** `ssh-ed25519 AAAA…`. */
  readonly hostPublicKey: string;
  start(command: string, signal?: AbortSignal): Promise<RemoteProcess>;
  /** Resolves when the connection is lost; never after `close`. */
  readonly lost: Promise<SshFailure>;
  close(): void;
}
