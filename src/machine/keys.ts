import ssh2 from "ssh2";
import type { KeyPair, LeaseKeys } from "./lease-keys.ts";

function makeKeyPair(comment: string): KeyPair {
  const pair = ssh2.utils.generateKeyPairSync("ed25519", { comment });
  return { privateKey: pair.private, publicKey: pair.public };
}

/** Fresh keys for one lease. The comment is shown to whoever lists the keys on the machine. */
export function makeLeaseKeys(comment: string): LeaseKeys {
  return { client: makeKeyPair(comment), host: makeKeyPair(comment) };
}
