import { InputFailure } from "../lease/failure.ts";
import { admitAgain, admitAtBoot } from "./cloud-init-admit.ts";
import { mergeCloudConfig, type Value, writeCloudConfig } from "./cloud-init-merge.ts";
import type { CloudInitPart, OurCloudInit } from "./cloud-init-parts.ts";
import { readUserScript } from "./cloud-init-read.ts";
import { carryScript } from "./cloud-init-script.ts";

/**
 * Largest document, in bytes of UTF-8. Compute Clear says "64KB" and leaves open whether it counts bytes or characters,
 * to 64,000 or to 65,536; this is the smallest reading.
 */
export const MAX_CLOUD_INIT_BYTES = 64_000;

/**
 * One `#cloud-config` document with our part and the user's; commands and files of ours stand before theirs.
 * It holds the private host key, so it is a secret. Throws InputFailure when the user's script cannot be read, fights
 * ours, or makes the document larger than MAX_CLOUD_INIT_BYTES.
 */
export function composeCloudInit(ours: OurCloudInit, userScript = "#cloud-config"): string {
  const { document, flaws } = compose(ours, userScript);
  if (flaws.length > 0) throw new InputFailure(flaws.map((flaw) => `'cloud-init' cannot be used: ${flaw}`));
  return document;
}

/**
 * What is wrong with a user's script, for a sentence that has named the input already; empty when it can be carried. It is
 * composed with keys at least as long as real ones, and with `parts` of that kind, so that whatever would be refused shows before anything is bought.
 */
export function checkUserScript(userScript: string, parts: readonly CloudInitPart[] = []): readonly string[] {
  return compose({ ...SAMPLE, parts }, userScript).flaws;
}

interface Composed {
  /** Of use only without flaws. */
  readonly document: string;
  readonly flaws: readonly string[];
}

function compose(ours: OurCloudInit, userScript: string): Composed {
  const user = readUserScript(userScript);
  if (user.kind === "refused") return { document: "", flaws: user.flaws };
  if (user.kind === "script") {
    const document = writeCloudConfig(mergeCloudConfig(describeOurs(ours, [carryScript(user.text)])).content);
    const length = Buffer.byteLength(user.text);
    const around = Buffer.byteLength(document) - 4 * Math.ceil(length / 3);
    return { document, flaws: measure(document, length, Math.floor((MAX_CLOUD_INIT_BYTES - around) / 4) * 3) };
  }
  const own = describeOurs(ours);
  const { content, flaws } = mergeCloudConfig(own, user.content);
  if (flaws.length > 0) return { document: "", flaws };
  const document = writeCloudConfig(content);
  const around = Buffer.byteLength(writeCloudConfig(mergeCloudConfig(own).content));
  return { document, flaws: measure(document, Buffer.byteLength(document) - around, MAX_CLOUD_INIT_BYTES - around) };
}

/** The flaw of a document that is too large. `taken` and `room` are the user's, in bytes. */
function measure(document: string, taken: number, room: number): readonly string[] {
  const size = Buffer.byteLength(document);
  if (size <= MAX_CLOUD_INIT_BYTES) return [];
  const count = (bytes: number) => Math.max(0, bytes).toLocaleString("en-US");
  return [
    `it is too large: with the part of gpu-provision the document has ${count(size)} bytes, and the marketplace takes ` +
      `${count(MAX_CLOUD_INIT_BYTES)}. Your script takes ${count(taken)} bytes, and there is room for ${count(room)}. ` +
      "Let it download what is large, or use 'upload'.",
  ];
}

const SAMPLE: OurCloudInit = {
  hostKey: { privateKey: `${"A".repeat(70)}\n`.repeat(7), publicKey: `ssh-ed25519 ${"A".repeat(120)}` },
  clientPublicKey: `ssh-ed25519 ${"A".repeat(120)}`,
};

// Without `disable_root: false` and `ssh_deletekeys: true` cloud-init puts a command before root's keys, and leaves host
// keys of the image: https://docs.cloud-init.io/en/latest/reference/modules.html#ssh
function describeOurs(ours: OurCloudInit, more: readonly CloudInitPart[] = []): { readonly [key: string]: Value } {
  const parts = [...(ours.parts ?? []), ...more];
  const files = parts.flatMap((part) => part.writeFiles ?? []);
  return {
    disable_root: false,
    ssh_pwauth: false,
    ssh_deletekeys: true,
    // Both end in a newline as the files do that the boot script writes; else every boot would find them changed.
    ssh_keys: { ed25519_private: `${ours.hostKey.privateKey.trim()}\n`, ed25519_public: `${ours.hostKey.publicKey.trim()}\n` },
    bootcmd: [admitAtBoot(ours), ...parts.flatMap((part) => part.bootcmd ?? [])],
    ...(files.length > 0 ? { write_files: files.map((file) => ({ owner: "root:root", ...file })) } : {}),
    runcmd: [admitAgain, ...parts.flatMap((part) => part.runcmd ?? [])],
  };
}
