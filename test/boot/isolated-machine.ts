import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Outcome, runProgram } from "./program.ts";

/**
 * A machine without a kernel of its own: its own file system, processes and host name, but the network of this computer. Neither its
 * clock nor the power is in its reach. `run` executes shell commands as its root.
 */
export interface IsolatedMachine {
  run(command: string, stdin?: string): Promise<Outcome>;
  /** What a command prints; throws unless it succeeds. */
  read(command: string): Promise<string>;
  /** Ends its processes and drops its file system. Whatever ends this process does the same. */
  stop(): Promise<void>;
}

/**
 * The first process of the machine, in namespaces of its own: $1 is the system that lies below it, read-only, $2 a directory for
 * what the machine writes. It ends when its stdin does, and the kernel then ends all others and unmounts everything. Without
 * interest in SIGCHLD, what its orphans leave is cleaned up for it.
 */
const FIRST_PROCESS = `
mount -t tmpfs tmpfs "$2" && mkdir "$2/upper" "$2/work" "$2/root" &&
mount -t overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" overlay "$2/root" && cd "$2/root" &&
mount -t proc proc proc && mount -t sysfs -o ro sysfs sys && mount -t tmpfs -o mode=755 tmpfs run &&
rm -f dev/console && : >dev/console &&
echo ready && exec chroot . env --ignore-signal=CHLD cat
`;
const ENVIRONMENT = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root", LC_ALL: "C.UTF-8" };

export async function startIsolatedMachine(system: string): Promise<IsolatedMachine> {
  const directory = await mkdtemp(join(tmpdir(), "boot-"));
  const first = spawn(
    "unshare",
    ["--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc", "sh", "-c", FIRST_PROCESS, "sh", system, directory],
    { stdio: ["pipe", "pipe", "inherit"], env: ENVIRONMENT },
  );
  const ended = once(first, "exit");
  const said = await Promise.race([once(createInterface({ input: first.stdout }), "line"), ended.then(() => [])]);
  if (said[0] !== "ready") throw new Error("The machine could not be set up; what failed stands above.");
  const inside = Number(await readFile(`/proc/${first.pid}/task/${first.pid}/children`, "utf8"));

  const enter = ["--target", `${inside}`, "--mount", "--pid", "--uts", "--ipc", "--root"];
  const weaken = ["setpriv", "--bounding-set=-sys_boot,-sys_time,-sys_module"];
  const run = (command: string, stdin = "") =>
    runProgram(["nsenter", ...enter, ...weaken, "env", "--chdir=/", "sh", "-c", command], { stdin, environment: ENVIRONMENT });
  return {
    run,
    async read(command) {
      const { code, stdout, stderr } = await run(command);
      if (code !== 0) throw new Error(`On the machine, '${command}' has failed with exit code ${code}: ${stderr}${stdout}`);
      return stdout;
    },
    async stop() {
      first.stdin.end();
      await ended;
      await rm(directory, { recursive: true });
    },
  };
}
