import type { Clock } from "./clock.ts";

/** Lets a story sleep until something happens elsewhere. */
export interface Bell {
  ring(): void;
  /** Resolves at the next ring, at once when it rang since the last wait, or after `ms`. Rejects with the signal's reason. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export function hangBell(clock: Clock): Bell {
  let rang = false;
  let wake: AbortController | undefined;
  return {
    ring() {
      rang = true;
      wake?.abort();
    },
    async wait(ms, signal) {
      signal.throwIfAborted();
      if (!rang) {
        const woken = new AbortController();
        wake = woken;
        await clock.sleep(ms, AbortSignal.any([signal, woken.signal])).catch((error: unknown) => {
          signal.throwIfAborted();
          if (!woken.signal.aborted) throw error;
        });
        wake = undefined;
      }
      rang = false;
    },
  };
}
