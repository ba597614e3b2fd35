import type { Clock } from "../lease/clock.ts";
import { TransferFailure } from "../lease/failure.ts";
import type { Log } from "../lease/log.ts";
import { plain } from "../lease/plain.ts";
import { execute } from "./execute.ts";
import type { ExecResult, TransferTally } from "./machine.ts";
import type { Connection } from "./remote-process.ts";

/** Clock and log, for the sentences that a long transfer shows. */
export interface TransferWorld {
  readonly clock: Clock;
  readonly log: Log;
}

export const BILLED = "The machine is deleted; its time until now is billed.";

const TELL_EVERY = 5_000;

/** Counts what is moved, and tells about it every five seconds. */
export interface TransferProgress {
  file(): void;
  bytes(count: number): void;
  /** The tally; tells it too if something was told before. */
  finish(): TransferTally;
}

/** `doing` begins the sentence: `upload of 'data'`. */
export function followTransfer(doing: string, { clock, log }: TransferWorld): TransferProgress {
  const started = clock.ticks();
  let told = started;
  let files = 0;
  let bytes = 0;
  const sentence = (verb: string) => {
    const seconds = Math.max(0.001, (clock.ticks() - started) / 1000);
    const megabytes = bytes / 1_000_000;
    return `${doing} ${verb}: ${files} files, ${megabytes.toFixed(1)} MB, ${(megabytes / seconds).toFixed(1)} MB/s.`;
  };
  const tellSometimes = () => {
    if (clock.ticks() - told <= TELL_EVERY) return;
    told = clock.ticks();
    log.info(sentence("goes on"));
  };
  return {
    file() {
      files += 1;
      tellSometimes();
    },
    bytes(count) {
      bytes += count;
      tellSometimes();
    },
    finish() {
      if (clock.ticks() - started > TELL_EVERY) log.info(sentence("is done"));
      return { files, bytes };
    },
  };
}

/** Asks the machine in a few shell words, before a stream is opened. */
export async function askMachine(
  connection: Connection,
  command: string,
  signal: AbortSignal,
  { clock }: TransferWorld,
): Promise<ExecResult> {
  const needTar = 'command -v tar >/dev/null 2>&1 || { echo "no tar" >&2; exit 97; }';
  const answer = await execute(connection, `${needTar}; ${command}`, { signal, timeoutMs: 60_000 }, clock);
  if (answer.code === 97)
    throw new TransferFailure(
      "There is no 'tar' on the machine, and files travel as a tar archive.",
      `Install it with 'cloud-init' (packages: [tar]). ${BILLED}`,
    );
  return answer;
}

/** What the machine said on stderr, as the end of a sentence. */
export function machineWords(stderr: string): string {
  const words = plain(stderr.trim().split("\n").slice(0, 3).join("; "), 240);
  return words === "" ? "" : `: ${words}`;
}
