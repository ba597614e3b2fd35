import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, mkdirSync, readFileSync } from "node:fs";
import { appendFile, chmod, mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { findFreePort } from "./front-door.ts";
import type { SshService, SshServiceOptions } from "./ssh-service.ts";

const SSHD = "/usr/sbin/sshd";

function rootIsLocked(): boolean {
  try {
    return /^root:!/m.test(readFileSync("/etc/shadow", "utf8"));
  } catch {
    // Without shadow passwords there is no lock that sshd would look at.
    return false;
  }
}

/** Whether this process may start a real OpenSSH server that lets root in. */
export function canStartOpenSsh(): boolean {
  if (process.getuid?.() !== 0) return false;
  try {
    accessSync(SSHD, constants.X_OK);
  } catch {
    return false; // not installed
  }
  return !rootIsLocked();
}

/** From 9.8 on, sshd shuts out addresses that fail to log in, which on loopback means everyone. */
function penalizes(): boolean {
  // Where there is no client beside the server nothing is known, and the option would stop an older server.
  const shown = spawnSync("ssh", ["-V"], { encoding: "utf8" }).stderr ?? "";
  const [, major = "0", minor = "0"] = /OpenSSH_(\d+)\.(\d+)/.exec(shown) ?? [];
  return Number(major) * 100 + Number(minor) >= 908;
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

async function writeFiles(options: SshServiceOptions, port: number): Promise<string> {
  const at = (name: string) => join(options.directory, name);
  await mkdir(options.directory, { recursive: true });
  await writeFile(at("host_key"), options.hostPrivateKey);
  await chmod(at("host_key"), 0o600);
  await writeFile(at("authorized_keys"), "");
  // sshd sets its own environment, so the way into every session leads through this script.
  const exports = Object.entries(options.environment).map(([name, value]) => `export ${name}=${quoted(value)}`);
  const enter = [
    "#!/bin/sh",
    ...exports,
    'cd "$HOME" || exit 1',
    '[ -n "$SSH_ORIGINAL_COMMAND" ] || exec sh',
    'exec sh -c "$SSH_ORIGINAL_COMMAND"',
    "",
  ];
  await writeFile(at("enter"), enter.join("\n"));
  await chmod(at("enter"), 0o755);
  const config = [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey "${at("host_key")}"`,
    `AuthorizedKeysFile "${at("authorized_keys")}"`,
    "StrictModes no",
    "UsePAM no",
    "PermitRootLogin yes",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "MaxStartups 200",
    "MaxSessions 200",
    "PidFile none",
    "PrintMotd no",
    "PrintLastLog no",
    "LogLevel VERBOSE",
    ...(penalizes() ? ["PerSourcePenalties no"] : []),
    `ForceCommand ${quoted(at("enter"))}`,
    "",
  ];
  await writeFile(at("sshd_config"), config.join("\n"));
  return at("sshd_config");
}

async function startServer(options: SshServiceOptions, count: () => void) {
  const port = await findFreePort();
  const config = await writeFiles(options, port);
  const sshd = spawn(SSHD, ["-D", "-e", "-f", config], { stdio: ["ignore", "ignore", "pipe"], env: { PATH: "/usr/bin:/bin" } });
  const said: string[] = [];
  const lines = createInterface({ input: sshd.stderr });
  const listening = new Promise<boolean>((resolve) => {
    lines.on("line", (line) => {
      if (said.length < 50) said.push(line);
      if (line.includes("Server listening on")) resolve(true);
      if (/^(?:Accepted|Failed|Postponed|Partial) \S+ for /.test(line)) count();
    });
    sshd.once("exit", () => resolve(false));
    sshd.once("error", () => resolve(false));
  });
  if (await listening) return { sshd, port };
  throw new Error(`sshd did not start: ${said.join("; ")}`);
}

/** A real sshd on loopback, in the foreground, with its own configuration. Needs root; see `canStartOpenSsh`. */
export async function startOpenSshService(options: SshServiceOptions): Promise<SshService> {
  mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  let requests = 0;
  const { sshd, port } = await startServer(options, () => {
    requests += 1;
  });
  return {
    admit(socket) {
      const inside = connect({ port, host: "127.0.0.1", noDelay: true });
      socket.pipe(inside).pipe(socket);
      inside.once("error", () => socket.destroy());
      inside.once("close", () => socket.destroy());
      socket.once("close", () => inside.destroy());
    },
    // sshd reads the file at each login.
    authorize: (publicKey) => appendFile(join(options.directory, "authorized_keys"), `${publicKey}\n`),
    authenticationRequests: () => requests,
    roots: () => (sshd.pid === undefined ? [] : [sshd.pid]),
    async stop() {
      if (sshd.exitCode !== null || sshd.signalCode !== null) return;
      sshd.kill("SIGKILL");
      await once(sshd, "exit");
    },
  };
}
