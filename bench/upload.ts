import { execFile, fork } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import type * as z from "zod";
import { startMachine } from "../sandbox/machine/start-machine.ts";
import { makeLeaseKeys } from "../src/machine/keys.ts";
import { writeSshFiles } from "../src/machine/ssh-files.ts";
import { uploadedSchema } from "./uploader.ts";

const FILES_A_FOLDER = 100;
const LONGEST_UPLOAD = 120_000;
const FILE = Buffer.alloc(1024, "gpu-provision\n");
const SFTP_SERVER = "/usr/lib/openssh/sftp-server";

export interface Uploads {
  /** What the machine's SSH server is. */
  readonly kind: "openssh" | "embedded";
  readonly stream: z.infer<typeof uploadedSchema>;
  /** One file after the other over SFTP; undefined where there is no SFTP. */
  readonly sftp?: { readonly ms: number; readonly files: number };
}

async function makeTree(directory: string, count: number): Promise<void> {
  for (let start = 0; start < count; start += FILES_A_FOLDER) {
    const folder = join(directory, `part-${start / FILES_A_FOLDER}`);
    await mkdir(folder, { recursive: true });
    const names = Array.from({ length: Math.min(FILES_A_FOLDER, count - start) }, (_, index) => `file-${index}.txt`);
    await Promise.all(names.map((name) => writeFile(join(folder, name), FILE)));
  }
}

function uploadApart(order: unknown): Promise<z.infer<typeof uploadedSchema>> {
  return new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, "uploader.ts"), { timeout: LONGEST_UPLOAD, killSignal: "SIGKILL" });
    child.once("message", (message) => resolve(uploadedSchema.parse(message)));
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`The upload ended with ${code}.`)));
    child.send(JSON.parse(JSON.stringify(order)));
  });
}

async function uploadBySftp(from: string, configPath: string): Promise<number> {
  const batch = `${from}.batch`;
  await writeFile(batch, `put -r ${from} sftp-tree\n`);
  const started = performance.now();
  await promisify(execFile)("sftp", ["-q", "-F", configPath, "-s", SFTP_SERVER, "-b", batch, "gpu"], { timeout: LONGEST_UPLOAD });
  return performance.now() - started;
}

/** Uploads small files to a stand-in machine on loopback: all as one stream, and some of them one by one. */
export async function measureUploads(counts: { readonly stream: number; readonly sftp: number }): Promise<Uploads> {
  const directory = await mkdtemp(join(tmpdir(), "gpu-bench-"));
  const keys = makeLeaseKeys("bench");
  const hostKeys = { ed25519_private: keys.host.privateKey, ed25519_public: keys.host.publicKey };
  const machine = await startMachine({
    directory: join(directory, "machine"),
    cloudInit: `#cloud-config\n${stringify({ ssh_keys: hostKeys })}`,
    sshPublicKey: keys.client.publicKey,
    gpus: { name: "NVIDIA H100 80GB HBM3", count: 1 },
  });
  try {
    const address = { host: machine.host, port: machine.port, user: machine.user };
    await makeTree(join(directory, "stream"), counts.stream);
    const stream = await uploadApart({
      address,
      clientPrivateKey: keys.client.privateKey,
      hostPublicKey: keys.host.publicKey,
      from: join(directory, "stream"),
      to: "stream-tree",
    });
    if (machine.kind === "embedded" || !existsSync(SFTP_SERVER)) return { kind: machine.kind, stream };

    const { configPath } = writeSshFiles({
      directory: join(directory, "ssh"),
      address,
      clientPrivateKey: keys.client.privateKey,
      hostPublicKey: keys.host.publicKey,
    });
    await makeTree(join(directory, "sftp"), counts.sftp);
    return {
      kind: machine.kind,
      stream,
      sftp: { ms: await uploadBySftp(join(directory, "sftp"), configPath), files: counts.sftp },
    };
  } finally {
    await machine.stop();
    await rm(directory, { recursive: true, force: true });
  }
}
