import ssh2 from "ssh2";
import { readPublicKey } from "./host-key.ts";
import type { KeyPair, LeaseKeys } from "./lease-keys.ts";

/** Bytes of an ed25519 public key on the wire: the type's name and the point, each with its length. */
const PUBLIC_KEY_SIZE = 4 + 11 + 4 + 32;

// ssh2 1.17 strips leading zero bytes from the point (lib/keygen.js), which spoils one pair in 256: OpenSSH reads neither half.
// Such a pair is thrown away.
function makeKeyPair(comment: string): KeyPair {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync("ed25519", { comment });
    const { raw } = readPublicKey(pair.public);
    if (raw.length === PUBLIC_KEY_SIZE) return { privateKey: pair.private, publicKey: pair.public };
  }
}

/** Fresh keys for one lease. The comment is shown to whoever lists the keys on the machine. */
export function makeLeaseKeys(comment: string): LeaseKeys {
  return { client: makeKeyPair(comment), host: makeKeyPair(comment) };
}
