import { chmodSync, mkdirSync, rmdirSync, unlinkSync, writeFileSync } from "node:fs";
import { join, sep } from "node:path";
import type { Address } from "../lease/address.ts";
import { SshFailure } from "../lease/failure.ts";
import { checkAddress } from "./address.ts";
import { readPublicKey, signaturesOf, writePublicKey } from "./host-key.ts";
import { shellWord } from "./shell-word.ts";

// Post removes these files, and must load no SSH library for it: keep this file to node's own modules.

const KEY = "id_ed25519";
const KNOWN_HOSTS = "known_hosts";
const CONFIG = "config";

/** The name by which the following steps reach the machine: `ssh -F <config> gpu`. */
const ALIAS = "gpu";

export interface SshFiles {
  readonly keyPath: string;
  readonly configPath: string;
  readonly knownHostsPath: string;
  /** A shell command that opens the machine; a command for it can be appended. */
  readonly command: string;
}

// OpenSSH takes forward slashes on Windows too, and there a backslash means something else to every shell.
const slashed = (path: string) => (sep === "\\" ? path.replaceAll("\\", "/") : path);

// ssh_config: double quotes hold spaces, `%` begins a token and `${` a variable in paths.
function quoteForConfig(path: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a line break would begin a directive of its own
  if (/["\u0000-\u001f]|\$\{/.test(path))
    throw new SshFailure(
      `The path '${path}' cannot stand in an ssh configuration.`,
      "Set the runner's work directory to a path without quotes and line breaks.",
    );
  return `"${slashed(path).replaceAll("\\", "\\\\").replaceAll("%", "%%")}"`;
}

/**
 * Writes what the following steps need to reach the machine: a directory (0700) with a private key, a pinned host key and a
 * configuration (0600 each). Throws SshFailure when the address is not one, and the system's error when a file is already there.
 */
export function writeSshFiles(options: {
  readonly directory: string;
  readonly address: Address;
  readonly clientPrivateKey: string;
  readonly hostPublicKey: string;
}): SshFiles {
  const { directory, address } = options;
  checkAddress(address);
  const hostKey = readPublicKey(options.hostPublicKey);
  const keyPath = join(directory, KEY);
  const configPath = join(directory, CONFIG);
  const knownHostsPath = join(directory, KNOWN_HOSTS);
  const knownAs = address.port === 22 ? address.host : `[${address.host}]:${address.port}`;
  const config = [
    `Host ${ALIAS}`,
    `  HostName ${address.host}`,
    `  Port ${address.port}`,
    `  User ${address.user}`,
    `  IdentityFile ${quoteForConfig(keyPath)}`,
    "  IdentitiesOnly yes",
    `  UserKnownHostsFile ${quoteForConfig(knownHostsPath)}`,
    "  GlobalKnownHostsFile none",
    "  StrictHostKeyChecking yes",
    "  UpdateHostKeys no",
    `  HostKeyAlgorithms ${signaturesOf(hostKey.type).join(",")}`,
    "  BatchMode yes",
    "  ConnectTimeout 15",
    "  ServerAliveInterval 15",
    "  LogLevel ERROR",
    "  ForwardAgent no",
    "  ControlMaster no",
    "  ControlPath none",
    "",
  ].join("\n");
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  // An existing directory keeps its mode, and the umask may have taken bits away.
  chmodSync(directory, 0o700);
  const keep = { mode: 0o600, flag: "wx" } as const;
  writeFileSync(keyPath, options.clientPrivateKey, keep);
  writeFileSync(knownHostsPath, `${knownAs} ${writePublicKey(hostKey)}\n`, keep);
  writeFileSync(configPath, config, keep);
  return { keyPath, configPath, knownHostsPath, command: `ssh -F ${shellWord(slashed(configPath))} ${ALIAS}` };
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

/** Removes what `writeSshFiles` made in this directory, and the directory when nothing else is in it. Absence is no error. */
export function removeSshFiles(directory: string): void {
  for (const name of [KEY, KNOWN_HOSTS, CONFIG]) {
    try {
      unlinkSync(join(directory, name));
    } catch (error) {
      // Main may have failed before it wrote this one.
      if (!hasCode(error, "ENOENT", "ENOTDIR")) throw error;
    }
  }
  try {
    rmdirSync(directory);
  } catch (error) {
    // Gone already, or someone keeps files of their own in it, which are not ours to remove.
    if (!hasCode(error, "ENOENT", "ENOTDIR", "ENOTEMPTY", "EEXIST")) throw error;
  }
}
