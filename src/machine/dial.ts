import type { Client, ClientChannel, ConnectConfig, PublicKeyAuthMethod, ServerHostKeyAlgorithm } from "ssh2";
import ssh2 from "ssh2";
import type { Address } from "../lease/address.ts";
import { describe, SshFailure } from "../lease/failure.ts";
import { plain } from "../lease/plain.ts";
import { writeAddress } from "./address.ts";
import { decodePublicKey, fingerprintOf, isSameKey, type PublicKey, signaturesOf, writePublicKey } from "./host-key.ts";
import type { Connection, Exit, RemoteProcess } from "./remote-process.ts";

/**
 * How one try to log in ended.
 * - `foreign-key`: the machine showed another host key than the expected one, and nothing was sent to it
 * - `not-yet`: it may work later; `seen` is the host key that it proved to hold, if it came that far
 */
export type DialOutcome =
  | { readonly kind: "open"; readonly connection: Connection; readonly seen: PublicKey }
  | { readonly kind: "foreign-key"; readonly reason: string }
  | { readonly kind: "not-yet"; readonly reason: string; readonly seen?: PublicKey };

const ANY_HOST_KEY = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
] as const satisfies readonly ServerHostKeyAlgorithm[];

const UNANSWERED = 4;

const LOST_HINT = "The machine may have been reclaimed or restarted by its vendor. It is deleted; its time until now is billed.";

function propertyOf(error: Error, name: "code" | "level"): string {
  const value: unknown = Reflect.get(error, name);
  return typeof value === "string" ? value : "";
}

function explain(error: Error, address: Address, timeoutMs: number): string {
  const code = propertyOf(error, "code");
  const level = propertyOf(error, "level");
  if (code === "ECONNREFUSED") return `nothing listens on port ${address.port} yet (connection refused)`;
  if (code === "ECONNRESET" || code === "EPIPE") return "the machine closed the connection (reset)";
  if (code === "EHOSTUNREACH" || code === "ENETUNREACH") return "there is no route to the machine yet";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return `the name ${address.host} does not resolve yet`;
  if (level === "client-timeout" || code === "ETIMEDOUT") return `no SSH answer within ${Math.round(timeoutMs / 1000)} s`;
  if (level === "client-authentication") return "the machine does not accept our key yet (permission denied)";
  if (/^Connection lost before handshake/.test(error.message)) return "the machine closed the connection before SSH began";
  return plain(error.message, 120);
}

function followChannel(channel: ClientChannel, lost: Promise<SshFailure>, signal: AbortSignal | undefined): RemoteProcess {
  const close = () => {
    channel.end();
    channel.close();
  };
  const exited = new Promise<Exit>((resolve, reject) => {
    const abort = () => {
      reject(signal?.reason);
      close();
    };
    const settled = () => signal?.removeEventListener("abort", abort);
    signal?.addEventListener("abort", abort, { once: true });
    channel.once("exit", (code: number | null, name?: string) => {
      resolve(name === undefined ? { code } : { code, signal: name });
      settled();
    });
    channel.once("close", () => {
      // The end of a lost connection also closes its channels, and says more.
      setImmediate(() => {
        reject(new SshFailure("The machine closed the channel without telling how the command ended.", LOST_HINT));
        settled();
      });
    });
    lost.then((failure) => {
      reject(failure);
      settled();
    });
    if (signal?.aborted) abort();
  });
  // Whoever awaits it sees the rejection; who has already failed otherwise must not be killed by it.
  exited.catch(() => undefined);
  // A write after the remote end was closed is answered by `exited`.
  channel.on("error", () => undefined);
  return { stdin: channel, stdout: channel, stderr: channel.stderr, exited, close };
}

function superviseClient(client: Client, address: Address, key: PublicKey): Connection {
  let closed = false;
  let gone: SshFailure | undefined;
  let lastError: Error | undefined;
  const { promise: lost, resolve: lose } = Promise.withResolvers<SshFailure>();
  client.on("error", (error: Error) => {
    lastError = error;
  });
  client.once("close", () => {
    const detail = lastError ? `: ${plain(describe(lastError), 160)}` : "";
    gone = new SshFailure(`The SSH connection to ${writeAddress(address)} was lost${detail}.`, LOST_HINT);
    if (!closed) lose(gone);
  });
  const refuse = () =>
    gone ?? new SshFailure(`The SSH connection to ${writeAddress(address)} is closed.`, "This is a defect of gpu-provision.");
  return {
    hostPublicKey: writePublicKey(key),
    lost,
    start(command, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        if (closed || gone) return reject(refuse());
        const abort = () => reject(signal?.reason);
        signal?.addEventListener("abort", abort, { once: true });
        lost.then(reject);
        const opened = (error: Error | undefined, channel: ClientChannel) => {
          signal?.removeEventListener("abort", abort);
          if (error) {
            const message = `The machine did not start a command (${plain(error.message, 120)}).`;
            return reject(gone ?? new SshFailure(message, LOST_HINT, { cause: error }));
          }
          const started = followChannel(channel, lost, signal);
          if (signal?.aborted) return started.close();
          resolve(started);
        };
        try {
          client.exec(command, opened);
        } catch (error) {
          // The socket is gone already, and its close event is on the way.
          reject(new SshFailure(`The SSH connection to ${writeAddress(address)} was lost.`, LOST_HINT, { cause: error }));
        }
      });
    },
    close() {
      closed = true;
      client.end();
      // A machine that does not answer must not keep this process alive.
      client.destroy();
    },
  };
}

/**
 * Tries once to log in. With `expected`, no other host key is accepted: a server that proves another one, or has none of that
 * type, is left before any word about us is sent. Rejects with the signal's reason, and with SshFailure when our own key cannot
 * be read.
 */
export function dial(options: {
  readonly address: Address;
  readonly privateKey: string;
  readonly expected: PublicKey | undefined;
  readonly timeoutMs: number;
  /** Milliseconds of silence after which an open connection counts as lost. */
  readonly silenceMs: number;
  readonly signal: AbortSignal;
}): Promise<DialOutcome> {
  const { address, expected, signal, silenceMs, timeoutMs } = options;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    // The parser's message is left out: it may quote what it could not parse.
    const ownKey = ssh2.utils.parseKey(options.privateKey);
    if (ownKey instanceof Error || !ownKey.isPrivateKey())
      return reject(
        new SshFailure("Our own SSH key cannot be read.", "This is a defect of gpu-provision; the machine is deleted."),
      );
    const client = new ssh2.Client();
    let seen: PublicKey | undefined;
    let foreign: string | undefined;
    const finish = (settle: () => void) => {
      signal.removeEventListener("abort", abort);
      settle();
    };
    const abort = () => {
      client.destroy();
      finish(() => reject(signal.reason));
    };
    signal.addEventListener("abort", abort, { once: true });

    const verify = (raw: Buffer): boolean => {
      const key = decodePublicKey(raw);
      if (key && (!expected || isSameKey(key, expected))) {
        seen = key;
        return true;
      }
      foreign = key ? fingerprintOf(key) : "an unreadable key";
      return false;
    };

    const fail = (error: Error) => {
      client.destroy();
      if (/no matching host key format/.test(error.message)) foreign = "no key of that type";
      if (foreign !== undefined) {
        const shown = foreign;
        const reason = `the machine shows a host key that is not its own (${shown}), so nothing is sent to it`;
        return finish(() => resolve({ kind: "foreign-key", reason }));
      }
      const reason = explain(error, address, timeoutMs);
      finish(() => resolve(seen ? { kind: "not-yet", reason, seen } : { kind: "not-yet", reason }));
    };

    // Small packets going back and forth would each wait for a delayed acknowledgement.
    client.once("connect", () => client.setNoDelay(true));
    client.on("error", fail);
    client.once("close", () => fail(new Error("Connection lost before handshake")));
    client.once("ready", () => {
      const key = seen;
      if (!key) return fail(new Error("The handshake ended without a host key"));
      client.removeAllListeners("error");
      client.removeAllListeners("close");
      const connection = superviseClient(client, address, key);
      finish(() => resolve({ kind: "open", connection, seen: key }));
    });

    const algorithms = expected
      ? ANY_HOST_KEY.filter((algorithm) => signaturesOf(expected.type).includes(algorithm))
      : [...ANY_HOST_KEY];
    const login: PublicKeyAuthMethod = { type: "publickey", username: address.user, key: options.privateKey };
    const config: ConnectConfig = {
      host: address.host,
      port: address.port,
      username: address.user,
      authHandler: [login],
      algorithms: { serverHostKey: algorithms },
      hostVerifier: verify,
      readyTimeout: timeoutMs,
      // The library gives up when one more than these has had no answer.
      keepaliveInterval: Math.round(silenceMs / (UNANSWERED + 1)),
      keepaliveCountMax: UNANSWERED,
    };
    client.connect(config);
  });
}
