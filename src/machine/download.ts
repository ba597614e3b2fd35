import { mkdir, stat } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { describe, Failure, TransferFailure } from "../lease/failure.ts";
import { plain } from "../lease/plain.ts";
import type { Transfer } from "../lease/plan.ts";
import type { TransferTally } from "./machine.ts";
import type { Connection } from "./remote-process.ts";
import { remotePathWord, shellWord } from "./shell-word.ts";
import { askMachine, BILLED, followTransfer, machineWords, type TransferWorld } from "./transfer.ts";
import { type UnpackTarget, unpack } from "./unpack.ts";

async function isLocalDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    // Whatever keeps us from looking at it will be told when we write there.
    return false;
  }
}

async function prepareTarget(transfer: Transfer, kind: "directory" | "file"): Promise<UnpackTarget> {
  const { from, to } = transfer;
  if (kind === "directory") {
    await mkdir(to, { recursive: true });
    return { kind, path: to };
  }
  const path = to.endsWith("/") || (await isLocalDirectory(to)) ? join(to, posix.basename(from)) : to;
  await mkdir(dirname(path), { recursive: true });
  return { kind, path };
}

/** What the machine's tar is to send: a directory's contents, or one file under a name that cannot be an option. */
function archiveCommand(from: string, kind: "directory" | "file"): string {
  if (kind === "directory") return `exec tar -c -f - -C ${remotePathWord(from)} .`;
  const directory = from.includes("/") ? posix.dirname(from) : "~";
  return `exec tar -c -h -f - -C ${remotePathWord(directory)} ${shellWord(`./${posix.basename(from)}`)}`;
}

/**
 * Fetches a file or a directory as one tar stream. The machine is not trusted: what would be written outside the target is
 * refused. Rejects with TransferFailure, SshFailure or the signal's reason.
 */
export async function download(
  connection: Connection,
  transfer: Transfer,
  signal: AbortSignal,
  world: TransferWorld,
): Promise<TransferTally> {
  const { from, to } = transfer;
  const progress = followTransfer(`Download of '${plain(from, 100)}'`, world);
  const word = remotePathWord(from);
  const probe = `if [ -d ${word} ]; then echo directory; elif [ -f ${word} ]; then echo file; else echo none; fi`;
  const kind = (await askMachine(connection, probe, signal, world)).stdout.trim();
  if (kind !== "directory" && kind !== "file")
    throw new TransferFailure(
      `There is no file or directory '${plain(from)}' on the machine.`,
      `Paths that do not begin with a slash start at the home of the SSH user. ${BILLED}`,
    );

  let process: Awaited<ReturnType<Connection["start"]>> | undefined;
  let stderr = "";
  try {
    const target = await prepareTarget(transfer, kind);
    process = await connection.start(archiveCommand(from, kind), signal);
    process.stdin.end();
    process.stderr.on("data", (chunk: Buffer) => {
      if (stderr.length < 2_000) stderr += chunk.toString();
    });
    const failing = process.exited.then(() => new Promise<never>(() => undefined));
    await Promise.race([unpack(process.stdout, target, progress), failing]);
    const exit = await process.exited;
    // GNU tar: 1 means that a file changed while it was read; the archive is whole.
    if (exit.code === 1 && stderr !== "")
      world.log.warn(`While '${plain(from)}' was downloaded, the machine said${machineWords(stderr)}.`);
    else if (exit.code !== 0)
      throw new TransferFailure(
        `The machine could not send '${plain(from)}' (tar ended with ${exit.code ?? exit.signal})${machineWords(stderr)}.`,
        `May the SSH user read all of it? ${BILLED}`,
      );
    return progress.finish();
  } catch (error) {
    if (error instanceof Failure || error === signal.reason) throw error;
    throw new TransferFailure(
      `'${plain(from)}' could not be downloaded to '${plain(to)}' (${plain(describe(error))})${machineWords(stderr)}.`,
      `Is the local path writable, and its disk large enough? ${BILLED}`,
      { cause: error },
    );
  } finally {
    process?.close();
  }
}
