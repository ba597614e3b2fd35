import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { silentLog } from "../../src/lease/log.ts";
import { composeCloudInit } from "../../src/machine/cloud-init.ts";
import { makeLeaseKeys } from "../../src/machine/keys.ts";
import type { Machine } from "../../src/machine/machine.ts";
import type { MachineEvent, MachineRunners } from "../../src/runner/contract.ts";
import { composeBootPart, openMachineRunners } from "../../src/runner/kit.ts";
import { findObstacle } from "./can-boot.ts";
import { type CloudMachine, INSTANCE, logIn, POWER_LOG, SEED, startCloudMachine } from "./cloud-machine.ts";
import { type Download, IDLE, REPORT, serveApplication } from "./runner-application.ts";

const obstacle = findObstacle();
if (obstacle !== undefined) console.warn(`Skipped: ${obstacle}.`);

/** Seconds; a number by which the process that waits for its end is found. */
const LIFETIME = 7919;
const LIMIT = { timeout: 60_000, interval: 100 };
// It takes its time, so that a runner which does not wait for it would be seen.
const USER_SCRIPT = `#cloud-config
runcmd:
- sleep 2
- echo "$(ls -d /var/lib/gpu-provision) is there" >/var/lib/users-command
write_files:
- {path: /etc/users-file, content: theirs}
`;

describe.skipIf(obstacle !== undefined)("cloud-init makes a machine with two runners", () => {
  const keys = makeLeaseKeys("boot test");
  const configuration = randomBytes(3_000).toString("base64");
  const later = `${randomBytes(3_000).toString("base64")}${IDLE}`;
  const events: MachineEvent[] = [];
  const leave = new AbortController();
  let download: Download;
  let cloud: CloudMachine;
  let machine: Machine;
  let runners: MachineRunners;
  let following: Promise<unknown>;

  const until = (event: MachineEvent) => vi.waitFor(() => expect(events).toContainEqual(event), LIMIT);
  /** Files that hold a secret, with owner and mode. A piece will do: some files break or escape lines. */
  const holders = (secret: string) =>
    cloud
      .run("grep -rlF -f - /dev/console /etc /home /opt /root /run /tmp /usr/local /var | xargs stat -c '%n %U %a'", secret)
      .then(({ stdout }) => stdout.trim().split("\n").toSorted());

  beforeAll(async () => {
    download = await serveApplication();
    const part = composeBootPart({
      application: { version: "2.336.0", x64: download.archive, arm64: download.archive },
      runners: 2,
      gpuCount: 2,
      docker: "auto",
      lifetime: LIFETIME * 1_000,
      expectedGpus: { count: 2 },
      configuration,
      mintedAt: Date.now(),
    });
    const ours = { hostKey: keys.host, clientPublicKey: keys.client.publicKey, parts: [part] };
    cloud = await startCloudMachine(composeCloudInit(ours, USER_SCRIPT));
    await cloud.beginBoot();
  });

  afterAll(async () => {
    leave.abort();
    await following;
    machine?.close();
    await cloud?.stop();
    await download?.stop();
  });

  test("sshd, which ran before, shows our host key and lets us in", async () => {
    machine = await logIn(cloud, keys);
    expect((await machine.exec("id -un; hostname")).stdout).toBe("root\ngpu\n");
    expect(await cloud.read("ls /etc/ssh/ssh_host_*")).toBe("/etc/ssh/ssh_host_ed25519_key\n/etc/ssh/ssh_host_ed25519_key.pub\n");
    runners = openMachineRunners(machine, { log: silentLog });
    // What it rejects with in the end is that we leave; were it earlier, the events that are waited for would be missing.
    following = runners.follow((event) => events.push(event), leave.signal).catch((error: unknown) => error);
  });

  test("cloud-init ends without an error or a warning", async () => {
    await cloud.finishBoot();
    expect(JSON.parse(await cloud.read("cat /run/cloud-init/result.json"))).toMatchObject({ v1: { errors: [] } });
    expect((await cloud.run("grep -E 'WARNING|ERROR|Traceback' /var/log/cloud-init.log")).stdout).toBe("");
    expect(await cloud.read("cloud-init schema --config-file /var/lib/cloud/instance/cloud-config.txt")).toContain(
      "Valid schema",
    );
    expect(await cloud.read("cat /etc/users-file")).toBe("theirs");
  });

  test("the first runner does a job with what came with the machine, after the user's own commands", async () => {
    await until({ kind: "ended", slot: 1 });
    expect(events.filter((event) => event.kind !== "phase" && "slot" in event && event.slot === 1)).toEqual([
      { kind: "started", slot: 1 },
      { kind: "listening", slot: 1 },
      { kind: "job-started", slot: 1, job: "train" },
      { kind: "job-ended", slot: 1, job: "train", result: "Succeeded" },
      { kind: "ended", slot: 1 },
    ]);
    expect(await readReport(1)).toEqual([
      "user=gpup-runner-1 sudo=root home=/home/gpup-runner-1",
      "gpus=0",
      `configuration=${checksum(configuration)}`,
      "arguments=0",
      "after-commands=/var/lib/gpu-provision is there",
    ]);
  });

  test("the second one starts with what it gets over SSH", async () => {
    await until({ kind: "wants-configuration", slot: 2, why: expect.any(String) });
    await runners.start(2, later, leave.signal);
    await until({ kind: "listening", slot: 2 });
    const report = await readReport(2);
    expect(report).toContain("user=gpup-runner-2 sudo=root home=/home/gpup-runner-2");
    expect(report).toContain("gpus=1");
    expect(report).toContain(`configuration=${checksum(later)}`);
  });

  test("the secrets are where cloud-init keeps what it was given, and only root can read them there", async () => {
    const kept = [
      "/run/cloud-init/combined-cloud-config.json root 600",
      `/var/lib/cloud/instances/${INSTANCE}/cloud-config.txt root 600`,
      `/var/lib/cloud/instances/${INSTANCE}/obj.pkl root 400`,
      `/var/lib/cloud/instances/${INSTANCE}/user-data.txt root 600`,
      `/var/lib/cloud/instances/${INSTANCE}/user-data.txt.i root 600`,
      `${SEED} root 600`,
    ];
    expect(await holders(configuration.slice(100, 160))).toEqual(kept);
    expect(await holders(later.slice(100, 160))).toEqual([""]);
    const [, , line = ""] = keys.host.privateKey.split("\n");
    const own = ["/etc/ssh/ssh_host_ed25519_key root 600", "/var/lib/gpu-provision/admit.sh root 600"];
    expect(await holders(line)).toEqual([...kept, ...own].toSorted());
    expect((await runners.readBootLog(leave.signal)).join("\n")).toContain("Listening for Jobs");
  });

  test("systemd finds nothing wrong with the units", async () => {
    const units = (await cloud.read("ls /etc/systemd/system/gpu-provision-*")).trim().split("\n");
    expect(units.length).toBeGreaterThan(0);
    const instances = units.map((unit) => unit.replace("@.", "@1."));
    const { code, stdout, stderr } = await cloud.run(`systemd-analyze verify ${instances.join(" ")}`);
    expect({ code, said: stdout + stderr }).toEqual({ code: 0, said: "" });
  });

  test("at the end of its lifetime the machine stops its runner and powers itself off", async () => {
    const processes = () => cloud.run("ps -u gpup-runner-2 -o args=").then(({ stdout }) => stdout);
    expect(await processes()).toContain("run.sh");
    // Hours pass: what waits for them comes to its end.
    await cloud.read(`kill $(pgrep -xf 'sleep ${LIFETIME}')`);
    await until({ kind: "powering-off" });
    await vi.waitFor(async () => expect(await cloud.read(`cat ${POWER_LOG}`)).toBe("shutdown -h now\n"), LIMIT);
    await vi.waitFor(async () => expect(await processes()).toBe(""), LIMIT);
  });

  test("a machine that boots again is ours, but no runner any more", async () => {
    const before = await cloud.read("cat /var/log/gpu-provision-boot.log");
    await cloud.read("rm /root/.ssh/authorized_keys && echo spoiled >/etc/ssh/ssh_host_ed25519_key");
    await cloud.beginBoot();
    await cloud.finishBoot();
    expect(await cloud.read("cat /etc/ssh/ssh_host_ed25519_key")).toBe(keys.host.privateKey);
    expect(await cloud.read("cat /root/.ssh/authorized_keys")).toContain(keys.client.publicKey);
    expect(await cloud.read("ps -eo args=")).not.toMatch(/^sh \/var\/lib\/gpu-provision/m);
    expect(await cloud.read("cat /var/log/gpu-provision-boot.log")).toBe(before);
  });

  const readReport = async (slot: number) =>
    (await cloud.read(`cat /opt/gpu-provision/runner-${slot}/${REPORT}`)).trim().split("\n");
});

const checksum = (text: string) => createHash("sha256").update(text).digest("hex");
