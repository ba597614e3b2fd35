import { createHash, timingSafeEqual } from "node:crypto";
import { SshFailure } from "../lease/failure.ts";
import { plain } from "../lease/plain.ts";

/** A public key as it travels in an SSH handshake (`raw`), with the name of its type. */
export interface PublicKey {
  readonly type: string;
  readonly raw: Buffer;
}

/** The key of a machine that we see for the first time, or undefined when the bytes are none. */
export function decodePublicKey(raw: Buffer): PublicKey | undefined {
  if (raw.length < 8) return undefined;
  const length = raw.readUInt32BE(0);
  if (length > 64 || raw.length <= 4 + length) return undefined;
  const type = raw.toString("latin1", 4, 4 + length);
  return /^[a-z0-9@.-]+$/.test(type) ? { type, raw } : undefined;
}

/** Reads `ssh-ed25519 AAAA… comment`; throws SshFailure when it is not a public key. */
export function readPublicKey(line: string): PublicKey {
  const [type = "", encoded = ""] = line.trim().split(/\s+/);
  const key = decodePublicKey(Buffer.from(encoded, "base64"));
  if (key?.type === type) return key;
  throw new SshFailure(
    `'${plain(line, 60)}' is not a public key of OpenSSH.`,
    "This is a defect of gpu-provision; the machine is deleted.",
  );
}

/** `ssh-ed25519 AAAA…`, as known_hosts has it. */
export function writePublicKey(key: PublicKey): string {
  return `${key.type} ${key.raw.toString("base64")}`;
}

export function isSameKey(one: PublicKey, other: PublicKey): boolean {
  return one.raw.length === other.raw.length && timingSafeEqual(one.raw, other.raw);
}

/** `SHA256:…`, as ssh-keygen -l shows it. */
export function fingerprintOf(key: PublicKey): string {
  return `SHA256:${createHash("sha256").update(key.raw).digest("base64").replaceAll("=", "")}`;
}

/** Signature algorithms by which a server can prove that it holds a key of this type. */
export function signaturesOf(type: string): readonly string[] {
  return type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type];
}
