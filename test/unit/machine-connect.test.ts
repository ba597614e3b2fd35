import { createServer, type Socket } from "node:net";
import ssh2 from "ssh2";
import { afterEach, describe, expect, it } from "vitest";
import { deadlineAfter, systemClock } from "../../src/lease/clock.ts";
import { HostKeyFailure, SshFailure } from "../../src/lease/failure.ts";
import { makeLeaseKeys } from "../../src/machine/keys.ts";
import { keepLog, machineKinds, racingClock, type Stand, standUp, until } from "./machine-stand.ts";

let stand: Stand | undefined;
afterEach(async () => {
  await stand?.end();
  stand = undefined;
});

for (const { kind, available } of machineKinds)
  describe.runIf(available)(`connect to a machine of kind ${kind}`, () => {
    it("logs in with the first authentication that it sends, to the key from cloud-init", async () => {
      stand = await standUp({ kind });
      const machine = await stand.connect();
      expect(`${machine.hostPublicKey} lease`).toBe(stand.keys.host.publicKey);
      expect(await machine.exec('echo "$0 $HOME"; echo oops >&2; exit 3')).toMatchObject({
        code: 3,
        stdout: `sh ${stand.machine.home}\n`,
        stderr: "oops\n",
      });
      expect(stand.machine.connections()).toBe(1);
    });

    it("sends nothing to a foreign host key, and gives up after three minutes of them", async () => {
      stand = await standUp({ kind, faults: { foreignHostKey: true } });
      const clock = racingClock();
      const log = keepLog();
      const failing = stand.connect({ clock, log, deadline: deadlineAfter(clock, 900_000) });
      await expect(failing).rejects.toThrow(HostKeyFailure);
      await expect(failing).rejects.toThrow("only foreign host keys for 3 min");
      expect(clock.ticks()).toBeLessThan(190_000);
      expect(stand.machine.connections()).toBeGreaterThan(20);
      expect(stand.machine.authenticationRequests()).toBe(0);
      expect(log.sentences[0]).toContain("so nothing is sent to it");
      expect(log.sentences.filter((sentence) => sentence.includes("still trying after")).length).toBeGreaterThan(3);
    });

    it("waits for the machine to take on its own key, and then for ours", async () => {
      stand = await standUp({ kind, faults: { lateMs: 300, foreignHostKey: true, foreignHostKeyMs: 900, lateKeyMs: 1_500 } });
      const log = keepLog();
      const quick = { ...systemClock, sleep: (_ms: number, signal?: AbortSignal) => systemClock.sleep(100, signal) };
      const machine = await stand.connect({ clock: quick, log });
      expect((await machine.exec("echo in")).stdout).toBe("in\n");
      expect(log.sentences.map((sentence) => sentence.replace(/^SSH to [^ ]+ ?/, ""))).toEqual([
        expect.stringContaining("connection refused"),
        expect.stringContaining("not its own"),
        expect.stringContaining("permission denied"),
        expect.stringContaining("works after"),
      ]);
    });

    it("tells the last reason when the deadline passes", async () => {
      stand = await standUp({ kind, faults: { noSsh: true } });
      const clock = racingClock();
      const failing = stand.connect({ clock, deadline: deadlineAfter(clock, 60_000) });
      await expect(failing).rejects.toThrow(SshFailure);
      await expect(failing).rejects.toThrow(/did not work within 1 min: nothing listens on port \d+ yet \(connection refused\)/);
    });

    it("pins at first sight what it sees, says so, and accepts nothing else later", async () => {
      stand = await standUp({ kind });
      const log = keepLog();
      const clientPrivateKey = stand.keys.client.privateKey;
      const machine = await stand.connect({ keys: { clientPrivateKey }, policy: "first-sight", log });
      expect(`${machine.hostPublicKey} lease`).toBe(stand.keys.host.publicKey);
      expect(log.sentences[0]).toContain(stand.machine.hostKeyFingerprint);

      const other = makeLeaseKeys("other").host.publicKey;
      const clock = racingClock();
      const again = stand.connect({
        keys: { clientPrivateKey, expectedHostKey: other },
        policy: "first-sight",
        clock,
        deadline: deadlineAfter(clock, 900_000),
      });
      await expect(again).rejects.toThrow(HostKeyFailure);
    });

    it("ends a try and a pause when its signal fires", async () => {
      stand = await standUp({ kind, faults: { noSsh: true } });
      const stop = new AbortController();
      const reason = new Error("stopped");
      const log = keepLog();
      const connecting = stand.connect({ signal: stop.signal, log });
      await until(() => log.sentences.length > 0, "the first try fails");
      stop.abort(reason);
      await expect(connecting).rejects.toBe(reason);
    });

    it("tells about a lost connection, to who listens and to who has a command running", async () => {
      stand = await standUp({ kind });
      const machine = await stand.connect();
      const running = machine.exec("echo started; sleep 60");
      running.catch(() => undefined);
      await until(() => (stand?.machine.processes().length ?? 0) > 0, "the command runs");
      stand.machine.drop();
      await expect(running).rejects.toThrow(SshFailure);
      await expect(running).rejects.toThrow("was lost");
      expect((await machine.lost).message).toContain("was lost");
      await expect(machine.exec("true")).rejects.toThrow("was lost");
    });

    it("gives a command up after its time, when it says too much, and when its signal fires", async () => {
      stand = await standUp({ kind });
      const machine = await stand.connect();
      await expect(machine.exec("sleep 60", { timeoutMs: 100 })).rejects.toThrow("did not finish 'sleep 60' within 0 s");
      await expect(machine.exec("yes", { maxOutput: 1_000 })).rejects.toThrow("more than 1000 bytes");
      const reason = new Error("stopped");
      await expect(machine.exec("sleep 60", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      expect((await machine.exec("cat", { stdin: "to stdin" })).stdout).toBe("to stdin");
      expect((await machine.exec("kill -9 $$")).code).not.toBe(0);
      const { code, signal } = await machine.exec("kill -TERM $$");
      expect({ code, signal }).toEqual({ code: null, signal: "SIGTERM" });
    });
  });

describe("connect to a server of another sort", () => {
  const servers: { close(): void }[] = [];
  const sockets = new Set<Socket>();
  afterEach(() => {
    for (const socket of sockets) socket.destroy();
    for (const server of servers.splice(0)) server.close();
  });
  const portOf = (server: { address(): unknown }) => Number(Reflect.get(Object(server.address()), "port"));

  it("counts a server without any ed25519 key as a foreign one", async () => {
    stand = await standUp({ kind: "embedded", faults: { noSsh: true } });
    const rsa = ssh2.utils.generateKeyPairSync("rsa", { bits: 2048 });
    let requests = 0;
    const server = new ssh2.Server({ hostKeys: [rsa.private] }, (client) => {
      client.on("error", () => undefined);
      client.on("authentication", () => {
        requests += 1;
      });
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const clock = racingClock();
    const address = { host: "127.0.0.1", port: portOf(server), user: "root" };
    const failing = stand.connect({ address, clock, deadline: deadlineAfter(clock, 900_000), foreignKeyLimitMs: 20_000 });
    await expect(failing).rejects.toThrow(HostKeyFailure);
    await expect(failing).rejects.toThrow("no key of that type");
    expect(requests).toBe(0);
  });

  it("does not give up early on a machine that shows foreign keys only in between", async () => {
    stand = await standUp({ kind: "embedded", faults: { noSsh: true } });
    const foreign = new ssh2.Server({ hostKeys: [makeLeaseKeys("foreign").host.privateKey] }, (client) => {
      client.on("error", () => undefined);
    });
    let visits = 0;
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      visits += 1;
      if (visits % 3 === 0) socket.destroy();
      else foreign.injectSocket(socket);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const clock = racingClock();
    const address = { host: "127.0.0.1", port: portOf(server), user: "root" };
    const failing = stand.connect({ address, clock, deadline: deadlineAfter(clock, 120_000), foreignKeyLimitMs: 20_000 });
    await expect(failing).rejects.toThrow(SshFailure);
    expect(clock.ticks()).toBe(120_000);
  });

  it("goes on when the port is open and closes, or talks nonsense", async () => {
    stand = await standUp({ kind: "embedded", faults: { noSsh: true } });
    let visits = 0;
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      visits += 1;
      if (visits % 2 === 0) socket.end("HTTP/1.1 400 ::error::Bad Request\r\n\r\n");
      else socket.destroy();
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const clock = racingClock();
    const log = keepLog();
    const address = { host: "127.0.0.1", port: portOf(server), user: "root" };
    await expect(stand.connect({ address, clock, log, deadline: deadlineAfter(clock, 60_000) })).rejects.toThrow(SshFailure);
    expect(visits).toBeGreaterThan(5);
    expect(log.sentences.join("\n")).not.toContain("::error::");
  });

  it("refuses an address that is none, and a strict connection without a key, before any connection", async () => {
    stand = await standUp({ kind: "embedded" });
    const clientPrivateKey = stand.keys.client.privateKey;
    await expect(stand.connect({ address: { host: "-oX", port: 22, user: "root" } })).rejects.toThrow(SshFailure);
    await expect(stand.connect({ keys: { clientPrivateKey } })).rejects.toThrow("needs the machine's host key");
    await expect(
      stand.connect({ keys: { clientPrivateKey: "secret?", expectedHostKey: stand.keys.host.publicKey } }),
    ).rejects.toThrow("Our own SSH key cannot be read");
    expect(stand.machine.connections()).toBe(0);
  });
});
