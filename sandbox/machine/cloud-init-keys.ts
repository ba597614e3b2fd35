import ssh2 from "ssh2";
import { parse } from "yaml";

/** A key pair in OpenSSH's forms. */
export interface MachineKeys {
  readonly privateKey: string;
  readonly publicKey: string;
}

// ssh2 1.17 strips leading zero bytes from public keys, which spoils one pair in 256; a good one is 51 bytes long.
export function makeKeys(comment: string): MachineKeys {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync("ed25519", { comment });
    const raw = Buffer.from(pair.public.split(" ")[1] ?? "", "base64");
    if (raw.length === 51) return { privateKey: pair.private, publicKey: pair.public };
  }
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

/**
 * The host keys that a cloud-init document brings, as cloud-init's module cc_ssh applies them; undefined where it brings none.
 * https://docs.cloud-init.io/en/latest/reference/modules.html#ssh
 */
export function hostKeysIn(cloudInit: string): MachineKeys | undefined {
  if (!cloudInit.startsWith("#cloud-config")) return undefined;
  const keys = property(parse(cloudInit), "ssh_keys");
  const privateKey = property(keys, "ed25519_private");
  const publicKey = property(keys, "ed25519_public");
  return typeof privateKey === "string" && typeof publicKey === "string" ? { privateKey, publicKey } : undefined;
}
