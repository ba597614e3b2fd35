import { execFile, execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SshFailure } from "../../src/lease/failure.ts";
import { makeLeaseKeys } from "../../src/machine/keys.ts";
import { removeSshFiles, writeSshFiles } from "../../src/machine/ssh-files.ts";
import { machineKinds, standUp } from "./machine-stand.ts";

const execFileAsync = promisify(execFile);
const keys = makeLeaseKeys("lease");
const hasSsh = spawnSync("ssh", ["-V"]).error === undefined;
const address = { host: "192.0.2.7", port: 22, user: "ubuntu" };

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "ssh files "));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const write = (directory: string, more: Partial<typeof address> = {}) =>
  writeSshFiles({
    directory,
    address: { ...address, ...more },
    clientPrivateKey: keys.client.privateKey,
    hostPublicKey: keys.host.publicKey,
  });

describe("writeSshFiles", () => {
  it("keeps directory and files to the owner, whatever was there before", () => {
    const directory = join(root, "it's 100% ours");
    mkdirSync(directory, { mode: 0o755 });
    const files = write(directory);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    for (const path of [files.keyPath, files.configPath, files.knownHostsPath]) expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(files.keyPath, "utf8")).toBe(keys.client.privateKey);
  });

  it("writes over nothing", () => {
    write(join(root, "a"));
    expect(() => write(join(root, "a"))).toThrow("EEXIST");
  });

  it.each([
    [{ host: "192.0.2.7", port: 22 }, "192.0.2.7 "],
    [{ host: "gpu-1.example.com", port: 2222 }, "[gpu-1.example.com]:2222 "],
    [{ host: "2001:db8::1", port: 22 }, "2001:db8::1 "],
    [{ host: "2001:db8::1", port: 40_022 }, "[2001:db8::1]:40022 "],
  ])("names the machine in known_hosts as ssh looks it up: %o", (where, start) => {
    const { knownHostsPath } = write(join(root, "a"), where);
    const [type, raw] = keys.host.publicKey.split(" ");
    expect(readFileSync(knownHostsPath, "utf8")).toBe(`${start}${type} ${raw}\n`);
  });

  it.runIf(hasSsh)("is understood by ssh, with spaces, quotes and percent signs in the path", () => {
    const directory = join(root, "it's 100% of \\ ours");
    const files = write(directory, { port: 2222 });
    const seen = execFileSync("ssh", ["-G", "-F", files.configPath, "gpu"], { encoding: "utf8" });
    for (const line of [
      "hostname 192.0.2.7",
      "port 2222",
      "user ubuntu",
      "identitiesonly yes",
      "stricthostkeychecking true",
      "hostkeyalgorithms ssh-ed25519",
      "batchmode yes",
      "serveraliveinterval 15",
      "loglevel ERROR",
      "forwardagent no",
      "controlmaster false",
    ])
      expect(seen).toContain(`\n${line}\n`);
  });

  it.each([
    [{ host: "-oProxyCommand=id" }, "host '-oProxyCommand=id'"],
    [{ host: "a b" }, "host 'a b'"],
    [{ host: "a\n  ProxyCommand id" }, "host 'a   ProxyCommand id'"],
    [{ host: "" }, "host ''"],
    [{ host: "$(id)" }, "host"],
    [{ host: "fe80::1%eth0" }, "host"],
    [{ host: "a..b" }, "host"],
    [{ host: `${"a".repeat(64)}.com` }, "host"],
    [{ port: 0 }, "port 0"],
    [{ port: 65_536 }, "port 65536"],
    [{ port: 2.5 }, "port 2.5"],
    [{ user: "-l" }, "user '-l'"],
    [{ user: "root; id" }, "user 'root; id'"],
    [{ user: "ro ot" }, "user"],
    [{ user: "" }, "user"],
    [{ user: "%r" }, "user"],
  ])("refuses what is no address: %o", (more, told) => {
    expect(() => write(join(root, "a"), more)).toThrow(SshFailure);
    expect(() => write(join(root, "a"), more)).toThrow(told);
    expect(existsSync(join(root, "a"))).toBe(false);
  });

  for (const { kind, available } of machineKinds)
    it.runIf(hasSsh && available)(`gives a command that works in the next step's shell (${kind})`, async () => {
      const stand = await standUp({ kind });
      try {
        const files = writeSshFiles({
          directory: join(root, "it's here"),
          address: stand.machine,
          clientPrivateKey: stand.keys.client.privateKey,
          hostPublicKey: stand.keys.host.publicKey,
        });
        const ran = await execFileAsync("bash", ["-c", `${files.command} nvidia-smi -L`]);
        expect(ran.stdout).toContain("GPU 0: NVIDIA H100 80GB HBM3");
      } finally {
        await stand.end();
      }
    });

  it("is loaded without the SSH library", () => {
    const source = (name: string) => readFileSync(new URL(`../../src/machine/${name}`, import.meta.url), "utf8");
    const loaded = new Set<string>();
    const follow = (name: string) => {
      if (loaded.has(name)) return;
      loaded.add(name);
      for (const [, from = ""] of source(name).matchAll(/from "([^"]+)"/g)) {
        expect(from).not.toMatch(/^(node-ssh|ssh2)/);
        if (from.startsWith("./")) follow(from.slice(2));
      }
    };
    follow("ssh-files.ts");
    expect(loaded.size).toBeGreaterThan(1);
  });
});

describe("removeSshFiles", () => {
  it("removes what was written, twice if need be", () => {
    const directory = join(root, "a");
    write(directory);
    removeSshFiles(directory);
    expect(existsSync(directory)).toBe(false);
    removeSshFiles(directory);
  });

  it("leaves what others have put there", () => {
    const directory = join(root, "a");
    const files = write(directory);
    writeFileSync(join(directory, "notes"), "mine");
    removeSshFiles(directory);
    expect(existsSync(files.keyPath)).toBe(false);
    expect(readFileSync(join(directory, "notes"), "utf8")).toBe("mine");
  });
});
