import { findFreePort } from "../../sandbox/machine/front-door.ts";
import type { Address } from "../../src/lease/address.ts";
import { deadlineAfter, systemClock } from "../../src/lease/clock.ts";
import { silentLog } from "../../src/lease/log.ts";
import { connect } from "../../src/machine/connect.ts";
import type { LeaseKeys } from "../../src/machine/lease-keys.ts";
import type { Machine } from "../../src/machine/machine.ts";
import { installDebian } from "./debian.ts";
import { type IsolatedMachine, startIsolatedMachine } from "./isolated-machine.ts";

export const INSTANCE = "i-boot-test";
/** Where NoCloud, the datasource of this machine, finds the document. On a rented machine it comes from elsewhere. */
export const SEED = "/var/lib/cloud/seed/nocloud/user-data";
/** What the machine was told to power off with, instead of doing so. */
export const POWER_LOG = "/var/log/power";

const FIRST_STAGES = ["init --local", "init", "modules --mode=config"];
const LAST_STAGE = "modules --mode=final";

export interface CloudMachine extends IsolatedMachine {
  /** Of its sshd. */
  readonly address: Address;
  /** Runs cloud-init as a boot does, but for its last stage. Throws when it fails. */
  beginBoot(): Promise<void>;
  /** The last stage, in which the commands of `runcmd` run where they have not yet. */
  finishBoot(): Promise<void>;
}

/** A Debian with two GPUs as a cloud would hand it over: its sshd runs, with host keys of the image, and cloud-init is to come. */
export async function startCloudMachine(document: string): Promise<CloudMachine> {
  const machine = await startIsolatedMachine(await installDebian());
  const port = await findFreePort();
  const put = async (path: string, mode: string, ...lines: readonly string[]) => {
    const written = await machine.run(
      `mkdir -p "$(dirname ${path})" && cat >${path} && chmod ${mode} ${path}`,
      `${lines.join("\n")}\n`,
    );
    if (written.code !== 0) throw new Error(`${path} could not be written: ${written.stderr}`);
  };
  // Disks and network are this computer's.
  const settings = [
    "datasource_list: [NoCloud]",
    "network: {config: disabled}",
    "growpart: {mode: 'off'}",
    "resize_rootfs: false",
  ];
  await put("/etc/cloud/cloud.cfg.d/99-image.cfg", "0644", ...settings);
  await put("/etc/ssh/sshd_config.d/10-image.conf", "0644", "ListenAddress 127.0.0.1", `Port ${port}`);
  await put("/etc/hosts", "0644", "127.0.0.1 localhost gpu");
  await put("/etc/resolv.conf", "0644", "# Nothing outside of this computer is to be reached.");
  await put("/usr/local/bin/nvidia-smi", "0755", "#!/bin/sh", "echo 0", "echo 1");
  for (const name of ["shutdown", "poweroff", "halt", "reboot"])
    await put(`/usr/sbin/${name}`, "0755", "#!/bin/sh", `echo "${name} $*" >>${POWER_LOG}`);
  await put(SEED.replace("user-data", "meta-data"), "0644", `instance-id: ${INSTANCE}`, "local-hostname: gpu");
  await put(SEED, "0600", document);
  await machine.read("ssh-keygen -A && service ssh start");

  const runStage = async (stage: string) => void (await machine.read(`cloud-init ${stage}`));
  return {
    ...machine,
    address: { host: "127.0.0.1", port, user: "root" },
    async beginBoot() {
      await machine.read("rm -rf /run/cloud-init");
      for (const stage of FIRST_STAGES) await runStage(stage);
    },
    finishBoot: () => runStage(LAST_STAGE),
  };
}

/** Over SSH, as the product does: nothing but the host key of the lease is accepted. */
export function logIn(machine: CloudMachine, keys: LeaseKeys): Promise<Machine> {
  return connect({
    address: machine.address,
    keys: { clientPrivateKey: keys.client.privateKey, expectedHostKey: keys.host.publicKey },
    policy: "strict",
    clock: systemClock,
    log: silentLog,
    signal: new AbortController().signal,
    deadline: deadlineAfter(systemClock, 30_000),
    foreignKeyLimitMs: 10_000,
  });
}
