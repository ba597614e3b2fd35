import type { Clock } from "../lease/clock.ts";
import type { RemoteProcess } from "./remote-process.ts";

/** Milliseconds for which output may still come when the command itself has ended. */
const DRAIN = 2_000;

/** How far reading has come: `chunks` grows with what is taken, `busy` while it is being passed on. */
export interface ReadingProgress {
  chunks: number;
  busy: boolean;
}

/**
 * After a command has ended: waits until all its output is read. Background processes can hold stdout open for ever, so after two
 * seconds the channel is closed; what has arrived by then is still passed on, however slow the taker is.
 */
export async function settleOutput(
  reading: Promise<unknown>,
  progress: ReadingProgress,
  process: RemoteProcess,
  clock: Clock,
): Promise<void> {
  const over = new AbortController();
  const giveUp = async () => {
    await clock.sleep(DRAIN, over.signal);
    process.close();
    let seen: number;
    do {
      seen = progress.chunks;
      await clock.sleep(DRAIN, over.signal);
    } while (progress.busy || progress.chunks !== seen);
  };
  try {
    await Promise.race([reading, giveUp()]);
  } finally {
    over.abort();
  }
}
