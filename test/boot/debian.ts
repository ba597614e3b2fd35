import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { demandProgram } from "./program.ts";

const SUITE = "stable";
/** On top of debootstrap's smallest set; what an image of a cloud has anyway, as far as it is of use here. */
const PACKAGES = ["cloud-init", "curl", "iproute2", "openssh-server", "sudo", "systemd"];
const CACHE = new URL("../../.tmp/boot/", import.meta.url).pathname;
const SEARCH_PATH = "/usr/sbin:/usr/bin:/sbin:/bin";
/** What is mounted or left running meanwhile ends with the command. */
const APART = ["unshare", "--mount", "--mount-proc", "--pid", "--fork", "--kill-child", "--uts", "--ipc"] as const;

/**
 * A directory with a Debian that nobody has booted yet, which must not be changed. The first call installs it and takes about a
 * minute; later ones, of this and of other processes, find it below `.tmp/boot`. Delete that folder for a fresh one.
 */
export async function installDebian(): Promise<string> {
  const mirror = await findMirror();
  const recipe = JSON.stringify([mirror, SUITE, PACKAGES, process.arch]);
  const root = join(CACHE, `debian-${createHash("sha256").update(recipe).digest("hex").slice(0, 12)}`);
  if (existsSync(root)) return root;
  // Only a whole one gets the name under which it is found.
  const half = `${root}.${process.pid}`;
  try {
    await mkdir(CACHE, { recursive: true });
    await demandProgram([...APART, "debootstrap", "--variant=minbase", "--include=ca-certificates", SUITE, half, mirror]);
    await install(half);
    if (!existsSync(root)) await rename(half, root);
  } finally {
    await rm(half, { recursive: true, force: true });
  }
  return root;
}

/** The mirror that apt uses here for Debian itself, in apt's own words. */
async function findMirror(): Promise<string> {
  const format = "$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)";
  const list = () => demandProgram(["apt-get", "indextargets", "--format", format, "Created-By: Packages"]);
  const find = (lines: string) => /^Debian\|Debian\|main\|(.*)$/m.exec(lines)?.[1];
  let uri = find(await list());
  if (uri === undefined) {
    // Before its first update apt knows of no origin.
    await demandProgram(["apt-get", "update", "-qq"]);
    uri = find(await list());
  }
  // Debian's own cloud images name a file that lists mirrors.
  const listed = /^mirror\+file:(\/.*?)\/?$/.exec(uri ?? "")?.[1];
  if (listed !== undefined) uri = /^https?:\S+/m.exec(readFileSync(listed, "utf8"))?.[0];
  if (uri === undefined) throw new Error("apt has no mirror of Debian here, so there is nothing to install a machine from.");
  return uri;
}

/** debootstrap does not understand packages that stand for one another, apt does. */
async function install(root: string): Promise<void> {
  await writeFile(
    join(root, "usr/sbin/policy-rc.d"),
    "#!/bin/sh\n# Nothing is started while packages are installed.\nexit 101\n",
    {
      mode: 0o755,
    },
  );
  const script = `mount -t proc proc "$1/proc" && exec chroot "$1" sh -ec '
    apt-get -qq update
    apt-get -qq -y install --no-install-recommends ${PACKAGES.join(" ")}
    apt-get clean
    rm -rf /var/lib/apt/lists/* /etc/ssh/ssh_host_*
  '`;
  const environment = { ...process.env, PATH: SEARCH_PATH, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" };
  await demandProgram([...APART, "sh", "-c", script, "sh", root], { environment });
}
