import type { Address } from "../lease/address.ts";
import type { Clock, Deadline } from "../lease/clock.ts";
import { formatDuration } from "../lease/duration.ts";
import { HostKeyFailure, SshFailure } from "../lease/failure.ts";
import type { Log } from "../lease/log.ts";
import { checkAddress, writeAddress } from "./address.ts";
import { dial } from "./dial.ts";
import { fingerprintOf, type PublicKey, readPublicKey } from "./host-key.ts";
import type { Machine } from "./machine.ts";
import { machineOver } from "./machine-over-ssh.ts";

const FIRST_PAUSE = 2_000;
const LONGEST_PAUSE = 5_000;
const LONGEST_TRY = 10_000;
const HEARTBEAT = 30_000;

export interface ConnectOptions {
  readonly address: Address;
  /** `expectedHostKey` is a public key line; the policy `strict` needs it. */
  readonly keys: { readonly clientPrivateKey: string; readonly expectedHostKey?: string };
  /** `strict`: only the expected key. `first-sight`: without an expected key, the first one seen is pinned. */
  readonly policy: "strict" | "first-sight";
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly deadline: Deadline;
  /** Milliseconds of silence after which the connection counts as lost, once it is open. */
  readonly silenceMs?: number;
  /** Milliseconds of nothing but foreign host keys after which the machine is given up. */
  readonly foreignKeyLimitMs?: number;
}

function firstPin(options: ConnectOptions): PublicKey | undefined {
  if (options.keys.expectedHostKey !== undefined) return readPublicKey(options.keys.expectedHostKey);
  if (options.policy === "first-sight") return undefined;
  throw new SshFailure("A strict connection needs the machine's host key.", "This is a defect of gpu-provision.");
}

/**
 * Logs in to a machine that may still be booting: tries again while it refuses, does not answer, does not know our key yet or
 * shows a foreign host key. Rejects with HostKeyFailure after `foreignKeyLimitMs` of nothing but foreign keys, with SshFailure
 * when the deadline passes otherwise, and with the signal's reason.
 */
export async function connect(options: ConnectOptions): Promise<Machine> {
  const { address, clock, log, signal, deadline, foreignKeyLimitMs = 180_000, silenceMs = 75_000 } = options;
  checkAddress(address);
  const where = writeAddress(address);
  const started = clock.ticks();
  let pinned = firstPin(options);
  let reason = "it was not tried yet";
  let foreignSince: number | undefined;
  let lastWord = started;
  let pause = FIRST_PAUSE;

  while (!deadline.passed()) {
    const tryStarted = clock.ticks();
    const outcome = await dial({
      address,
      privateKey: options.keys.clientPrivateKey,
      expected: pinned,
      timeoutMs: Math.max(1_000, Math.min(LONGEST_TRY, deadline.left())),
      silenceMs,
      signal,
    });
    if (outcome.kind !== "foreign-key" && outcome.seen && !pinned) {
      pinned = outcome.seen;
      log.warn(
        `The host key of ${where} was taken at first sight: ${fingerprintOf(pinned)}. From now on only this key is accepted; ` +
          "that it is the machine's own could not be checked.",
      );
    }
    const elapsed = clock.ticks() - started;
    if (outcome.kind === "open") {
      log.info(`SSH to ${where} works after ${formatDuration(elapsed)}.`);
      return machineOver(outcome.connection, { clock, log });
    }

    if (outcome.kind === "foreign-key") {
      foreignSince ??= tryStarted;
      if (clock.ticks() - foreignSince >= foreignKeyLimitMs)
        throw new HostKeyFailure(
          `The machine at ${where} has shown only foreign host keys for ${formatDuration(clock.ticks() - foreignSince)}: ${outcome.reason}.`,
          "Nothing was sent to it. Someone may stand in between, or the image does not apply the key from cloud-init " +
            "('host-key: first-sight' accepts such images). The machine is deleted; its time until now is billed.",
        );
    } else {
      foreignSince = undefined;
    }

    if (outcome.reason !== reason) {
      log.info(`SSH to ${where}: ${outcome.reason}.`);
      lastWord = clock.ticks();
    } else if (clock.ticks() - lastWord >= HEARTBEAT) {
      log.info(`SSH to ${where}: still trying after ${formatDuration(elapsed)}; ${outcome.reason}.`);
      lastWord = clock.ticks();
    }
    reason = outcome.reason;
    await clock.sleep(Math.min(pause, deadline.left()), signal);
    pause = Math.min(LONGEST_PAUSE, pause * 1.25);
  }
  throw new SshFailure(
    `SSH to ${where} did not work within ${formatDuration(clock.ticks() - started)}: ${reason}.`,
    "The machine is deleted; its time until now is billed. Raise 'provision-timeout' if this type of machine boots slowly.",
  );
}
