import type { Readable } from "node:stream";
import type { Clock } from "../lease/clock.ts";
import { formatDuration } from "../lease/duration.ts";
import { DeadlineFailure, SshFailure } from "../lease/failure.ts";
import { plain } from "../lease/plain.ts";
import { asBytes } from "./bytes.ts";
import type { ExecOptions, ExecResult } from "./machine.ts";
import type { Connection } from "./remote-process.ts";
import { type ReadingProgress, settleOutput } from "./settle.ts";

const DEFAULT_MAX_OUTPUT = 1_048_576;

async function collect(stream: Readable, into: Buffer[], limit: number, progress: ReadingProgress, command: string) {
  let size = 0;
  for await (const chunk of stream) {
    const bytes = asBytes(chunk);
    progress.chunks += 1;
    size += bytes.length;
    if (size > limit)
      throw new SshFailure(
        `The machine answered '${plain(command, 60)}' with more than ${limit} bytes.`,
        "No such answer was expected; the machine is deleted.",
      );
    into.push(bytes);
  }
}

const textOf = (chunks: readonly Buffer[]) => Buffer.concat(chunks).toString("utf8");

/** Runs one shell command and collects its output. The command's text is visible in the machine's process list. */
export async function execute(connection: Connection, command: string, options: ExecOptions, clock: Clock): Promise<ExecResult> {
  const limit = options.maxOutput ?? DEFAULT_MAX_OUTPUT;
  const over = new AbortController();
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  if (options.timeoutMs !== undefined) {
    const limitMs = options.timeoutMs;
    const failure = () =>
      new DeadlineFailure(
        `The machine did not finish '${plain(command, 60)}' within ${formatDuration(limitMs)}.`,
        "The machine hangs or is overloaded. It is deleted; its time until now is billed.",
      );
    clock.sleep(limitMs, over.signal).then(
      () => stop.abort(failure()),
      () => undefined, // the command has ended in time
    );
  }
  try {
    const process = await connection.start(command, signal);
    try {
      process.stdin.end(options.stdin);
      const progress: ReadingProgress = { chunks: 0, busy: false };
      const stdout: Buffer[] = [];
      const stderr: Buffer[] = [];
      const reading = Promise.all([
        collect(process.stdout, stdout, limit, progress, command),
        collect(process.stderr, stderr, limit, progress, command),
      ]);
      const exit = await Promise.race([process.exited, reading.then(() => process.exited)]);
      await settleOutput(reading, progress, process, clock);
      return { ...exit, stdout: textOf(stdout), stderr: textOf(stderr) };
    } finally {
      process.close();
    }
  } finally {
    over.abort();
  }
}
