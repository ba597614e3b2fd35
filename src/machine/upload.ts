import { closeSync, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { basename, posix } from "node:path";
import ignore from "ignore";
import { type Header, pack as makePack, type Pack } from "tar-stream";
import { describe, Failure, TransferFailure } from "../lease/failure.ts";
import { plain } from "../lease/plain.ts";
import type { Transfer } from "../lease/plan.ts";
import { walkTree } from "./local-tree.ts";
import type { TransferTally } from "./machine.ts";
import type { Connection } from "./remote-process.ts";
import { sendStream } from "./send-stream.ts";
import { remotePathWord } from "./shell-word.ts";
import { askMachine, BILLED, followTransfer, machineWords, type TransferProgress, type TransferWorld } from "./transfer.ts";

type EntryHeader = Partial<Header> & Pick<Header, "name">;

const CHUNK = 262_144;
const SMALL = 65_536;

function shrank(path: string): TransferFailure {
  return new TransferFailure(
    `The file '${plain(path)}' became shorter while it was being uploaded.`,
    `Upload files that nothing writes to. ${BILLED}`,
  );
}

async function readFully(file: FileHandle, buffer: Buffer, path: string): Promise<void> {
  for (let filled = 0; filled < buffer.length; ) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled);
    if (bytesRead === 0) throw shrank(path);
    filled += bytesRead;
  }
}

// Synchronous: for a small file, the hops to the thread pool would take ten times as long as the reading.
function readSmallFile(path: string): { readonly stats: Stats; readonly content: Buffer } {
  const file = openSync(path, "r");
  try {
    const stats = fstatSync(file);
    const content = Buffer.allocUnsafe(stats.size);
    for (let filled = 0; filled < content.length; ) {
      const count = readSync(file, content, filled, content.length - filled, null);
      if (count === 0) throw shrank(path);
      filled += count;
    }
    return { stats, content };
  } finally {
    closeSync(file);
  }
}

// Owners of the local files mean nothing on the machine; set-user-ID bits have no business there.
function headerOf(name: string, stats: Stats, more: Partial<Header> & Pick<Header, "type">): EntryHeader {
  return { name, mode: stats.mode & 0o777, mtime: stats.mtime, uid: 0, gid: 0, ...more };
}

function addEmpty(pack: Pack, header: EntryHeader): Promise<void> {
  return new Promise((resolve, reject) => {
    pack.entry(header, (error) => (error ? reject(error) : resolve()));
  });
}

async function addLargeFile(pack: Pack, name: string, path: string, progress: TransferProgress): Promise<void> {
  const file = await open(path, "r");
  try {
    const stats = await file.stat();
    await new Promise<void>((resolve, reject) => {
      const header = headerOf(name, stats, { type: "file", size: stats.size });
      const entry = pack.entry(header, (error) => (error ? reject(error) : resolve()));
      entry.on("error", reject);
      const feed = async () => {
        for (let left = stats.size; left > 0; ) {
          const buffer = Buffer.allocUnsafe(Math.min(CHUNK, left));
          await readFully(file, buffer, path);
          left -= buffer.length;
          progress.bytes(buffer.length);
          if (!entry.write(buffer)) await new Promise<void>((drained) => entry.once("drain", () => drained()));
        }
        entry.end(null);
      };
      feed().catch(reject);
    });
  } finally {
    await file.close();
  }
}

function addSmallFile(pack: Pack, name: string, path: string, progress: TransferProgress): Promise<void> {
  return new Promise((resolve, reject) => {
    const { stats, content } = readSmallFile(path);
    const header = headerOf(name, stats, { type: "file", size: content.length });
    pack.entry(header, content, (error) => (error ? reject(error) : resolve())).on("error", reject);
    progress.bytes(content.length);
  });
}

/** Adds the bytes that the file has at this moment: what is appended later stays behind, and a file that shrinks is refused. */
async function addFile(pack: Pack, name: string, path: string, stats: Stats, progress: TransferProgress): Promise<void> {
  await (stats.size <= SMALL ? addSmallFile : addLargeFile)(pack, name, path, progress);
  progress.file();
}

async function addTree(pack: Pack, root: string, patterns: readonly string[], progress: TransferProgress): Promise<string[]> {
  const leftOut: string[] = [];
  for await (const entry of walkTree(root, ignore().add([...patterns]))) {
    if (entry.kind === "file") await addFile(pack, entry.name, entry.path, entry.stats, progress);
    else if (entry.kind === "directory") await addEmpty(pack, headerOf(`${entry.name}/`, entry.stats, { type: "directory" }));
    else if (entry.kind === "symlink")
      await addEmpty(pack, headerOf(entry.name, entry.stats, { type: "symlink", linkname: entry.target }));
    else leftOut.push(entry.name);
  }
  return leftOut;
}

/** Where a file goes: into `to` when that is a directory, else it gets that name. */
async function placeFile(connection: Connection, from: string, to: string, signal: AbortSignal, world: TransferWorld) {
  if (to.endsWith("/") || to === "~" || to === "." || to === "") return { directory: to, name: basename(from) };
  const there = await askMachine(connection, `[ -d ${remotePathWord(to)} ]`, signal, world);
  if (there.code === 0) return { directory: to, name: basename(from) };
  return { directory: to.includes("/") ? posix.dirname(to) : "~", name: posix.basename(to) };
}

async function statLocal(path: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (error) {
    throw new TransferFailure(
      `'${plain(path)}' cannot be uploaded (${plain(describe(error))}).`,
      `Is the path right, and was the repository checked out in an earlier step? ${BILLED}`,
      { cause: error },
    );
  }
}

/**
 * Sends a file or a directory as one tar stream, which the machine's own tar unpacks. Directories go whole: hidden files, empty
 * directories, symlinks as symlinks, execute bits. Rejects with TransferFailure, SshFailure or the signal's reason.
 */
export async function upload(
  connection: Connection,
  transfer: Transfer,
  patterns: readonly string[],
  signal: AbortSignal,
  world: TransferWorld,
): Promise<TransferTally> {
  const { from, to } = transfer;
  const progress = followTransfer(`Upload of '${plain(from, 100)}'`, world);
  const stats = await statLocal(from);
  const isDirectory = stats.isDirectory();
  const place = isDirectory ? { directory: to, name: "" } : await placeFile(connection, from, to, signal, world);
  const word = remotePathWord(place.directory);
  const made = await askMachine(connection, `mkdir -p ${word}`, signal, world);
  if (made.code !== 0)
    throw new TransferFailure(
      `The directory '${plain(place.directory)}' cannot be made on the machine${machineWords(made.stderr)}.`,
      `Choose another path after '->'. ${BILLED}`,
    );

  // -o: files belong to the SSH user, whoever owns them here.
  const process = await connection.start(`exec tar -x -o -f - -C ${word}`, signal);
  const pack = makePack();
  // Whoever reads it gets its errors; an emitted error without a listener would end the process.
  pack.on("error", () => undefined);
  const fill = async () => {
    const leftOut = isDirectory ? await addTree(pack, from, patterns, progress) : [];
    if (!isDirectory) await addFile(pack, place.name, from, stats, progress);
    pack.finalize();
    return leftOut;
  };
  const filling = fill();
  filling.catch((error: unknown) => pack.destroy(error instanceof Error ? error : new Error(String(error))));
  let stderr = "";
  process.stderr.on("data", (chunk: Buffer) => {
    if (stderr.length < 2_000) stderr += chunk.toString();
  });
  process.stdout.resume();
  const remoteProblem = (how: string) =>
    new TransferFailure(
      `The machine could not unpack the upload to '${plain(to)}' (${how})${machineWords(stderr)}.`,
      `Is its disk full, or the path not writable for the SSH user? ${BILLED}`,
    );
  try {
    let sent: boolean;
    try {
      sent = await sendStream(process, pack);
    } catch (error) {
      // The stream breaks because filling it failed; that error says more.
      await filling;
      throw error;
    }
    const exit = await process.exited;
    if (exit.code !== 0) throw remoteProblem(`tar ended with ${exit.code ?? exit.signal}`);
    if (!sent) throw remoteProblem("tar ended early");
    const leftOut = await filling;
    if (leftOut.length > 0)
      world.log.warn(
        `${leftOut.length} sockets, pipes or devices were not uploaded: ${plain(leftOut.slice(0, 5).join(", "), 200)}.`,
      );
    return progress.finish();
  } catch (error) {
    if (error instanceof Failure || error === signal.reason) throw error;
    throw new TransferFailure(`'${plain(from)}' could not be uploaded (${plain(describe(error))}).`, BILLED, { cause: error });
  } finally {
    pack.destroy(null);
    process.close();
    await filling.catch(() => undefined); // told above; here only its open file has to be closed
  }
}
