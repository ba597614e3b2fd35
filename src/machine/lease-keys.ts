/** An ed25519 key pair: `privateKey` in OpenSSH's PEM form, `publicKey` as `ssh-ed25519 AAAA… comment`. */
export interface KeyPair {
  readonly privateKey: string;
  readonly publicKey: string;
}

/** The keys of one lease: ours to log in with, and the one by which we know the machine. */
export interface LeaseKeys {
  readonly client: KeyPair;
  readonly host: KeyPair;
}
