import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2 from "ssh2";
import { describe, expect, it } from "vitest";
import { fingerprintOf, readPublicKey, writePublicKey } from "../../src/machine/host-key.ts";
import { makeLeaseKeys } from "../../src/machine/keys.ts";

const hasKeygen = spawnSync("ssh-keygen", ["-V"]).error === undefined;

describe("makeLeaseKeys", () => {
  // One pair in 256 of those that ssh2 makes is spoiled: these are enough to meet some.
  it("never makes a key that OpenSSH could not read", () => {
    for (let round = 0; round < 1_500; round += 1)
      for (const pair of Object.values(makeLeaseKeys("x"))) expect(readPublicKey(pair.publicKey).raw).toHaveLength(51);
  });

  it.runIf(hasKeygen)("makes keys that OpenSSH reads", () => {
    const directory = mkdtempSync(join(tmpdir(), "keys-"));
    try {
      for (const [name, pair] of Object.entries(makeLeaseKeys("gpup-lease"))) {
        const path = join(directory, name);
        writeFileSync(path, pair.privateKey, { mode: 0o600 });
        expect(spawnSync("ssh-keygen", ["-y", "-f", path], { encoding: "utf8" }).stdout).toBe(`${pair.publicKey}\n`);
      }
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it("makes key pairs whose halves belong together, for every pair", () => {
    for (let round = 0; round < 100; round += 1) {
      const { client, host } = makeLeaseKeys("gpup-lease");
      for (const pair of [client, host]) {
        const parsed = ssh2.utils.parseKey(pair.privateKey);
        if (parsed instanceof Error) throw parsed;
        expect(pair.privateKey).toMatch(/^-----BEGIN OPENSSH PRIVATE KEY-----\n/);
        expect(pair.publicKey).toBe(`ssh-ed25519 ${parsed.getPublicSSH().toString("base64")} gpup-lease`);
      }
      expect(client.privateKey).not.toBe(host.privateKey);
    }
  });
});

describe("public keys", () => {
  // ssh-keygen -lf of this key shows this fingerprint.
  const known = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

  it("have the fingerprint that GitHub publishes for its own", () => {
    expect(fingerprintOf(readPublicKey(`${known} comment`))).toBe("SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU");
    expect(writePublicKey(readPublicKey(`${known} comment`))).toBe(known);
  });

  it.each([
    "",
    "ssh-ed25519",
    "ssh-ed25519 AAAA",
    "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",
  ])("are refused when they are none: '%s'", (line) => {
    expect(() => readPublicKey(line)).toThrow("is not a public key");
  });
});
