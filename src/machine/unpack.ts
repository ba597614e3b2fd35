import { closeSync, constants, openSync, unlinkSync, writeSync } from "node:fs";
import { link, lstat, mkdir, symlink, unlink } from "node:fs/promises";
import { join } from "node:path";
import { type Extract, extract as makeExtract } from "tar-stream";
import { TransferFailure } from "../lease/failure.ts";
import { checkLinkTarget, readEntryName, refuseEntry } from "./archive-name.ts";
import { asBytes } from "./bytes.ts";
import type { TransferProgress } from "./transfer.ts";

type Entry = Extract extends AsyncIterable<infer One> ? One : never;

const hasCode = (error: unknown, code: string) => error instanceof Error && "code" in error && error.code === code;

/**
 * Unpacks a tar stream that may be hostile. With `kind: directory` everything lands below `path`, which exists; with `kind: file`
 * the archive must hold exactly one file, and that becomes `path`. Nothing is written through a symlink, nothing outside. Throws
 * TransferFailure for an entry that is refused.
 */
export interface UnpackTarget {
  readonly kind: "directory" | "file";
  readonly path: string;
}

function openFresh(path: string, mode: number): number {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  // Rights for the owner are kept, so that a later download can replace the file.
  const bits = (mode & 0o777) | 0o600;
  try {
    return openSync(path, flags, bits);
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  }
  // What lies there is replaced, not written into: it may be a symlink.
  unlinkSync(path);
  return openSync(path, flags, bits);
}

// Synchronous: for a small file, the hops to the thread pool would take longer than the writing, and a chunk is small as well.
async function writeFile(entry: Entry, path: string, progress: TransferProgress): Promise<void> {
  const file = openFresh(path, entry.header.mode);
  try {
    for await (const piece of entry) {
      const chunk = asBytes(piece);
      for (let written = 0; written < chunk.length; ) written += writeSync(file, chunk, written);
      progress.bytes(chunk.length);
    }
  } finally {
    closeSync(file);
  }
  progress.file();
}

/** Makes directories below `root`, and refuses to pass through anything else. Remembers what it has looked at. */
function directoryKeeper(root: string) {
  const known = new Set<string>([""]);
  return async function enter(parts: readonly string[], entryName: string, mode = 0o777): Promise<void> {
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const below = parts.slice(0, depth).join("/");
      if (known.has(below)) continue;
      const path = join(root, below);
      try {
        await mkdir(path, depth === parts.length ? (mode & 0o777) | 0o700 : 0o777);
      } catch (error) {
        if (!hasCode(error, "EEXIST")) throw error;
        if (!(await lstat(path)).isDirectory()) throw refuseEntry(entryName, `leads through '${below}', which is no directory`);
      }
      known.add(below);
    }
  };
}

async function removeOld(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
}

export async function unpack(stream: AsyncIterable<unknown>, target: UnpackTarget, progress: TransferProgress): Promise<void> {
  const enter = directoryKeeper(target.path);
  let files = 0;

  const place = async (entry: Entry): Promise<void> => {
    const { name, type, linkname } = entry.header;
    const isFile = type === "file" || type === "contiguous-file";
    if (target.kind === "file") {
      files += 1;
      if (!isFile || files > 1) throw refuseEntry(name, "is not the one file that was asked for");
      return writeFile(entry, target.path, progress);
    }
    const parts = readEntryName(name);
    const path = join(target.path, ...parts);
    if (type === "directory") return enter(parts, name, entry.header.mode);
    if (parts.length === 0) throw refuseEntry(name, "takes the place of the directory itself");
    if (isFile) {
      await enter(parts.slice(0, -1), name);
      return writeFile(entry, path, progress);
    }
    if (type === "symlink") {
      checkLinkTarget(parts, linkname ?? "");
      await enter(parts.slice(0, -1), name);
      await removeOld(path);
      return symlink(linkname ?? "", path);
    }
    if (type === "link") {
      const source = readEntryName(linkname ?? "");
      const sourcePath = join(target.path, ...source);
      await enter(source.slice(0, -1), name);
      if (source.length === 0 || !(await lstat(sourcePath)).isFile())
        throw refuseEntry(name, "is a hard link to something that is no file");
      await enter(parts.slice(0, -1), name);
      if (sourcePath === path) return;
      await removeOld(path);
      return link(sourcePath, path);
    }
    throw refuseEntry(name, `is a ${type ?? "thing of unknown type"}`);
  };

  const extract = makeExtract();
  let goOn: () => void = () => undefined;
  extract.on("drain", () => goOn());
  extract.on("close", () => goOn());
  // Whoever iterates gets its errors; an emitted error without a listener would end the process.
  extract.on("error", () => undefined);
  const feed = async () => {
    for await (const chunk of stream) {
      if (extract.destroyed) return;
      if (extract.write(asBytes(chunk))) continue;
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
    }
    extract.end(null);
  };
  const feeding = feed();
  feeding.catch((error: unknown) => extract.destroy(error instanceof Error ? error : new Error(String(error))));
  try {
    for await (const entry of extract) {
      await place(entry);
      entry.resume();
    }
  } finally {
    extract.destroy(null);
  }
  await feeding;
  if (target.kind === "file" && files === 0)
    throw new TransferFailure(
      "The machine sent an archive without the file that was asked for.",
      "This is a defect of gpu-provision.",
    );
}
