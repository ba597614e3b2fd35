import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { stringify } from "yaml";
import { canStartOpenSsh } from "../../sandbox/machine/openssh-service.ts";
import { type MachineOptions, type StandInMachine, startMachine } from "../../sandbox/machine/start-machine.ts";
import { type Clock, deadlineAfter, systemClock } from "../../src/lease/clock.ts";
import { type Log, silentLog } from "../../src/lease/log.ts";
import { type ConnectOptions, connect } from "../../src/machine/connect.ts";
import { makeLeaseKeys } from "../../src/machine/keys.ts";
import type { LeaseKeys } from "../../src/machine/lease-keys.ts";
import type { Machine } from "../../src/machine/machine.ts";

/** Both kinds of stand-in machine, and whether this computer can run them. */
export const machineKinds = [
  { kind: "embedded", available: true },
  { kind: "openssh", available: canStartOpenSsh() },
] as const;

export interface Stand {
  readonly machine: StandInMachine;
  readonly keys: LeaseKeys;
  /** A directory of its own for the test's files. */
  readonly directory: string;
  connect(options?: Partial<ConnectOptions>): Promise<Machine>;
  end(): Promise<void>;
}

/** A machine that has got our host key through cloud-init, and a way to log in to it. */
export async function standUp(options: Partial<MachineOptions> = {}): Promise<Stand> {
  const directory = await mkdtemp(join(tmpdir(), "machine-test-"));
  const keys = makeLeaseKeys("lease");
  const cloudInit = `#cloud-config\n${stringify({
    ssh_keys: { ed25519_private: keys.host.privateKey, ed25519_public: keys.host.publicKey },
  })}`;
  const machine = await startMachine({
    directory: join(directory, "machine"),
    cloudInit,
    sshPublicKey: keys.client.publicKey,
    gpus: { name: "NVIDIA H100 80GB HBM3", count: 1 },
    ...options,
  });
  const opened: Machine[] = [];
  return {
    machine,
    keys,
    directory,
    async connect(more = {}) {
      const one = await connect({
        address: machine,
        keys: { clientPrivateKey: keys.client.privateKey, expectedHostKey: keys.host.publicKey },
        policy: "strict",
        clock: systemClock,
        log: silentLog,
        signal: new AbortController().signal,
        deadline: deadlineAfter(systemClock, 20_000),
        ...more,
      });
      opened.push(one);
      return one;
    },
    async end() {
      for (const one of opened) one.close();
      await machine.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A clock on which a pause takes no time, but counts. */
export function racingClock(): Clock {
  let ticks = 0;
  return {
    now: () => ticks,
    ticks: () => ticks,
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      await turn();
      ticks += ms;
    },
  };
}

export function keepLog(): Log & { readonly sentences: string[] } {
  const sentences: string[] = [];
  const keep = (sentence: string) => void sentences.push(sentence);
  return { sentences, info: keep, debug: keep, notice: keep, warn: keep, error: keep, group: (_title, work) => work() };
}

/** Resolves when `holds` does; looks every 20 ms and gives up after ten seconds. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  for (let round = 0; round < 500; round += 1) {
    if (holds()) return;
    await systemClock.sleep(20);
  }
  throw new Error(`It never came to this: ${what}`);
}
