import type { Clock } from "./clock.ts";
import { formatDuration } from "./duration.ts";
import type { Log } from "./log.ts";

const HEARTBEAT = 30_000;

/** Shows how a wait goes: a sentence when the news changes, and at least one every 30 s, with the time waited so far. */
export interface Waiting {
  tell(news: string): void;
  /** Milliseconds since the wait began. */
  elapsed(): number;
}

export function startWaiting(clock: Clock, log: Log): Waiting {
  const began = clock.ticks();
  let last = "";
  let lastTold = Number.NEGATIVE_INFINITY;
  const elapsed = () => clock.ticks() - began;
  return {
    elapsed,
    tell(news) {
      if (news === last && clock.ticks() - lastTold < HEARTBEAT) return;
      last = news;
      lastTold = clock.ticks();
      log.info(`${formatDuration(elapsed())}: ${news}`);
    },
  };
}
