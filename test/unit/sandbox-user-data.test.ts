import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { stringify } from "yaml";
import type { MachineOptions } from "../../sandbox/machine/start-machine.ts";
import { type Stand, standUp as standMachineUp, until } from "./machine-stand.ts";

/** A machine that applies a document, and ends with the test. */
async function standUp(document: object | string, options: Partial<MachineOptions> = {}) {
  const cloudInit = typeof document === "string" ? document : `#cloud-config\n${stringify(document)}`;
  const stand = await standMachineUp({ kind: "embedded", appliesUserData: true, cloudInit, ...options });
  onTestFinished(() => stand.end());
  return stand;
}

const at = (stand: Stand, path: string) => join(stand.directory, "machine/root", path);
const read = (stand: Stand, path: string) => readFileSync(at(stand, path), "utf8");
const modeOf = (stand: Stand, path: string) => statSync(at(stand, path)).mode & 0o777;

it("writes files below its own directory, with their modes, whatever their encoding", async () => {
  const stand = await standUp({
    write_files: [
      { path: "/etc/plain", content: "a\n" },
      {
        path: "/var/lib/gpu-provision/secret",
        content: Buffer.from("b\0c").toString("base64"),
        encoding: "b64",
        permissions: "0600",
      },
      { path: "/opt/script.sh", content: "#!/bin/sh\n", permissions: "0755", owner: "root:root" },
      { path: "/etc/plain", content: "more\n", append: true },
      { path: "/etc/empty" },
    ],
  });
  expect(await stand.machine.userDataApplied).toBe("");
  expect([read(stand, "etc/plain"), modeOf(stand, "etc/plain")]).toEqual(["a\nmore\n", 0o644]);
  expect([read(stand, "var/lib/gpu-provision/secret"), modeOf(stand, "var/lib/gpu-provision/secret")]).toEqual(["b\0c", 0o600]);
  expect(modeOf(stand, "opt/script.sh")).toBe(0o755);
  expect(read(stand, "etc/empty")).toBe("");
});

it("runs the commands of the boot before files are written, and the others after that", async () => {
  const stand = await standUp({
    bootcmd: ['[ -e "$GPU_PROVISION_ROOT/etc/a" ] || echo no file yet'],
    write_files: [{ path: "/etc/a", content: "the file\n" }],
    runcmd: ['cat "$GPU_PROVISION_ROOT/etc/a"', "echo to stderr >&2"],
  });
  expect(await stand.machine.userDataApplied).toBe("no file yet\nthe file\nto stderr\n");
  expect(read(stand, "var/log/cloud-init-output.log")).toBe("no file yet\nthe file\nto stderr\n");
});

it("joins commands into one script, in which lists are taken word by word", async () => {
  const stand = await standUp({
    runcmd: ["greeting='it is'", ["echo", "$greeting", "a'b  c"], "false", 'echo "$greeting"; exit 3', "echo never"],
  });
  expect(await stand.machine.userDataApplied).toBe("$greeting a'b  c\nit is\n");
});

it.each(["", "#!/bin/sh\ntrue\n"])("applies nothing of a document that is no #cloud-config: %j", async (document) => {
  const stand = await standUp(document);
  expect(await stand.machine.userDataApplied).toBe("");
  expect(existsSync(at(stand, "runcmd.sh"))).toBe(false);
});

it("applies nothing but the keys unless it is told to", async () => {
  const stand = await standUp({ runcmd: ["echo hello"] }, { appliesUserData: false });
  expect(await stand.machine.userDataApplied).toBe("");
  expect(existsSync(at(stand, ""))).toBe(false);
  const machine = await stand.connect({ keys: { clientPrivateKey: stand.keys.client.privateKey }, policy: "first-sight" });
  expect((await machine.exec('echo "[$GPU_PROVISION_ROOT]"')).stdout).toBe("[]\n");
});

it("tells why a document cannot be applied", async () => {
  const stand = await standUp({ runcmd: "not a list" });
  await expect(stand.machine.userDataApplied).rejects.toThrow("runcmd");
});

it("answers SSH while its document is applied, with the same programs and directory", async () => {
  const stand = await standUp({ runcmd: ['until [ -e "$GPU_PROVISION_ROOT/go" ]; do sleep 0.05; done; echo gone'] });
  const machine = await stand.connect({ keys: { clientPrivateKey: stand.keys.client.privateKey }, policy: "first-sight" });
  await machine.exec('useradd --create-home us; echo "$GPU_PROVISION_ROOT" >"$GPU_PROVISION_ROOT/go"');
  expect(await stand.machine.userDataApplied).toBe("gone\n");
  expect(read(stand, "go")).toBe(`${at(stand, "")}\n`);
  expect(stand.machine.calls()).toEqual(["useradd --create-home us"]);
});

it("writes calls down that would change the computer, and does not make them", async () => {
  const stand = await standUp({
    runcmd: [
      "useradd gpup-stand-in-user && groupadd gpup-stand-in-group && usermod -aG video gpup-stand-in-user && echo made",
      "id gpup-stand-in-user >/dev/null 2>&1 || echo but not really",
      `chown -R nobody: "$GPU_PROVISION_ROOT" && stat -c %u "$GPU_PROVISION_ROOT"`,
      "systemctl start docker || service docker start || apt-get -y install docker.io || echo refused",
      "shutdown -h now; poweroff; echo still here",
    ],
  });
  const uid = process.getuid?.();
  expect(await stand.machine.userDataApplied).toBe(`made\nbut not really\n${uid}\nrefused\nstill here\n`);
  expect(stand.machine.calls()).toEqual([
    "useradd gpup-stand-in-user",
    "groupadd gpup-stand-in-group",
    "usermod -aG video gpup-stand-in-user",
    `chown -R nobody: ${at(stand, "")}`,
    "systemctl start docker",
    "service docker start",
    "apt-get -y install docker.io",
    "shutdown -h now",
    "poweroff ",
  ]);
});

it("runs what is to be run as somebody else, under that name and with all arguments as they are", async () => {
  const show = `sh -c 'echo "$USER: $*"' sh 'a  b' "c'd"`;
  const stand = await standUp({
    runcmd: [`runuser -u worker -- ${show}`, `sudo -n ${show}`, `sudo -u worker A=1 sh -c 'echo "$A"'`],
  });
  expect(await stand.machine.userDataApplied).toBe("worker: a  b c'd\nroot: a  b c'd\n1\n");
});

it("has no calls to tell when there were none", async () => {
  const stand = await standUp({ runcmd: [] });
  await stand.machine.userDataApplied;
  expect(stand.machine.calls()).toEqual([]);
});

it("does not wait for what a command left in the background, and ends it with the machine", async () => {
  const stand = await standUp({ runcmd: ["setsid sleep 501 & sleep 502 & echo started"] });
  expect(await stand.machine.userDataApplied).toBe("started\n");
  await until(() => stand.machine.processes().length === 2, "both run");
  await stand.machine.stop();
  expect(stand.machine.processes()).toEqual([]);
});

it.each(["stop", "vanish"] as const)("starts nothing more after its end by %s", async (end) => {
  const stand = await standUp({ bootcmd: ["sleep 503"], runcmd: ['touch "$GPU_PROVISION_ROOT/ran"; sleep 504'] });
  await until(() => stand.machine.processes().length >= 2, "the boot's command runs");
  await stand.machine[end]();
  await expect(stand.machine.userDataApplied).rejects.toThrow("has ended");
  expect(stand.machine.processes()).toEqual([]);
  expect(existsSync(at(stand, "ran"))).toBe(false);
});

it("cuts its connections when it vanishes, and ends what they ran", async () => {
  const stand = await standUp({ runcmd: [] });
  const machine = await stand.connect({ keys: { clientPrivateKey: stand.keys.client.privateKey }, policy: "first-sight" });
  const running = machine.exec("sleep 505");
  running.catch(() => undefined);
  await until(() => stand.machine.processes().length > 0, "the command runs");
  await stand.machine.vanish();
  expect((await machine.lost).message).toContain("was lost");
  await expect(running).rejects.toThrow();
  expect(stand.machine.processes()).toEqual([]);
});
