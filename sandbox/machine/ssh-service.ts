import type { Socket } from "node:net";

/** Something that speaks SSH on the sockets that it is given. */
export interface SshService {
  admit(socket: Socket): void;
  /** From now on the holder of this key (a public key line) may log in. */
  authorize(publicKey: string): Promise<void>;
  /** Authentication requests that clients have sent so far. */
  authenticationRequests(): number;
  /** Process ids whose descendants belong to the machine. */
  roots(): readonly number[];
  stop(): Promise<void>;
}

export interface SshServiceOptions {
  readonly directory: string;
  readonly home: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly hostPrivateKey: string;
}
