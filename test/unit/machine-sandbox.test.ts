import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startMachine } from "../../sandbox/machine/start-machine.ts";
import { fingerprintOf, readPublicKey } from "../../src/machine/host-key.ts";
import { makeLeaseKeys } from "../../src/machine/keys.ts";
import { keepLog, machineKinds, standUp, until } from "./machine-stand.ts";

const isOpen = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = createConnection(port, "127.0.0.1");
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("close", () => socket.destroy());
    socket.once("connect", () => socket.destroy());
  });

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sandbox-machine-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

for (const { kind, available } of machineKinds)
  describe.runIf(available)(`a stand-in machine of kind ${kind}`, () => {
    it("applies the host key of its cloud-init document, and makes one where there is none", async () => {
      const stand = await standUp({ kind });
      expect(stand.machine.kind).toBe(kind);
      expect(stand.machine.hostKeyFingerprint).toBe(fingerprintOf(readPublicKey(stand.keys.host.publicKey)));
      await stand.end();
      const bare = await standUp({ kind, cloudInit: "#!/bin/sh\ntrue\n" });
      try {
        expect(bare.machine.hostKeyFingerprint).not.toBe(fingerprintOf(readPublicKey(bare.keys.host.publicKey)));
        const log = keepLog();
        await bare.connect({ keys: { clientPrivateKey: bare.keys.client.privateKey }, policy: "first-sight", log });
        expect(log.sentences[0]).toContain(bare.machine.hostKeyFingerprint);
      } finally {
        await bare.end();
      }
    });

    it("admits nobody else, and counts who tries", async () => {
      const stand = await standUp({ kind });
      try {
        const stop = new AbortController();
        const log = keepLog();
        const stranger = stand.connect({
          keys: { clientPrivateKey: makeLeaseKeys("x").client.privateKey, expectedHostKey: stand.keys.host.publicKey },
          log,
          signal: stop.signal,
        });
        stranger.catch(() => undefined);
        await until(() => log.sentences.length > 0, "the stranger is refused");
        stop.abort(new Error("enough"));
        await expect(stranger).rejects.toThrow("enough");
        expect(log.sentences[0]).toContain("permission denied");
        expect(stand.machine.authenticationRequests()).toBeGreaterThan(0);
      } finally {
        await stand.end();
      }
    });

    it("ends with everything that it started, grandchildren in other sessions included", async () => {
      const stand = await standUp({ kind });
      const machine = await stand.connect();
      await machine.exec("setsid sh -c 'sleep 401 & sleep 402' </dev/null >/dev/null 2>&1 &");
      const running = machine.exec("sleep 403");
      running.catch(() => undefined);
      await until(() => stand.machine.processes().length >= 4, "the processes run");
      const pids = stand.machine.processes();
      const { port } = stand.machine;
      await stand.end();
      expect(stand.machine.processes()).toEqual([]);
      for (const pid of pids) {
        const state = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "utf8") : "gone";
        expect(state).toMatch(/^gone$|\) Z /);
      }
      expect(await isOpen(port)).toBe(false);
    });

    it("cuts its connections when it is told to", async () => {
      const stand = await standUp({ kind, faults: { dropAfterMs: 700 } });
      try {
        const machine = await stand.connect();
        expect((await machine.lost).message).toContain("was lost");
      } finally {
        await stand.end();
      }
    });
  });

describe("startMachine", () => {
  it("opens its port late, and never after its end", async () => {
    const keys = makeLeaseKeys("x");
    const options = { directory, cloudInit: "", sshPublicKey: keys.client.publicKey, gpus: { name: "NVIDIA L4", count: 1 } };
    const machine = await startMachine({ ...options, kind: "embedded", faults: { lateMs: 200 } });
    expect(await isOpen(machine.port)).toBe(false);
    for (let round = 0; !(await isOpen(machine.port)); round += 1) expect(round).toBeLessThan(100_000);
    await machine.stop();
    await machine.stop();
    expect(await isOpen(machine.port)).toBe(false);
  });

  it("shows its GPUs in the forms that nvidia-smi has", async () => {
    const stand = await standUp({ kind: "embedded", gpus: { name: "NVIDIA L40S", count: 2 } });
    try {
      const machine = await stand.connect();
      expect((await machine.exec("nvidia-smi")).stdout).toContain("NVIDIA L40S");
      expect((await machine.exec("nvidia-smi -L")).stdout).toMatch(/^GPU 0: NVIDIA L40S .*\nGPU 1: NVIDIA L40S .*\n$/);
      expect((await machine.exec("nvidia-smi --query-gpu=name,memory.total --format=csv")).stdout).toBe(
        "name, memory.total\nNVIDIA L40S, 24564 MiB\nNVIDIA L40S, 24564 MiB\n",
      );
    } finally {
      await stand.end();
    }
  });
});
