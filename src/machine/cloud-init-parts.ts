/** A file that cloud-init writes. `permissions` is octal (`0700`); with `encoding: "b64"`, `content` is base64. */
export interface CloudInitFile {
  readonly path: string;
  readonly content: string;
  readonly permissions: string;
  readonly encoding?: "b64";
}

/** What a feature adds. Commands are POSIX shell: `bootcmd` runs at every boot, before files are written; `runcmd` once. */
export interface CloudInitPart {
  readonly writeFiles?: readonly CloudInitFile[];
  readonly bootcmd?: readonly string[];
  readonly runcmd?: readonly string[];
}

/** Keys as OpenSSH writes them: the private one in its armour, each public one as a line. */
export interface OurCloudInit {
  readonly hostKey: { readonly privateKey: string; readonly publicKey: string };
  readonly clientPublicKey: string;
  readonly parts?: readonly CloudInitPart[];
}
