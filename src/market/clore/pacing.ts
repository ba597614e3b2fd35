import PQueue from "p-queue";
import type { Clock } from "../../lease/clock.ts";

/**
 * Keeps a lease within the documented rates: one request a second, one order every five. A little more, for what leaves at such a
 * distance may arrive at a smaller one. Other jobs use the same key, so the marketplace can still ask for fewer (code 5).
 */
const REQUEST_EVERY = 1_100;
const ORDER_EVERY = 5_200;
const FIRST_WAIT = 1_500;
const LONGEST_WAIT = 60_000;
/** So many good answers take one doubling back. */
const GOOD_ANSWERS = 10;
const MOST_DOUBLINGS = 6;

/** Deletions go before everything that waits. */
const PRIORITIES = { cancel: 2, order: 1, read: 0 } as const;

export interface Pacing {
  /** Runs `send` when its turn has come; a signal takes it out of the queue. */
  inTurn<T>(kind: keyof typeof PRIORITIES, send: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** The marketplace said code 5: waits, longer each time, and at least as long as it asks for. Others wait elsewhere: so at random. */
  backOff(retryAfterMs: number | undefined, signal?: AbortSignal): Promise<void>;
  /** A request was answered otherwise. */
  forgive(): void;
  /** Milliseconds between polls, at least `wanted`, doubled for as long as requests are too many, up to a minute. */
  pace(wanted: number): number;
  /** Milliseconds spent in `backOff` so far; waits at the same time count once. */
  heldUp(): number;
}

export function startPacing(clock: Clock, random: () => number = Math.random): Pacing {
  const requests = new PQueue({ intervalCap: 1, interval: REQUEST_EVERY, strict: true });
  const turns = new PQueue({ concurrency: 1 });
  let lastOrder = Number.NEGATIVE_INFINITY;
  let doublings = 0;
  let good = 0;
  let waits = 0;
  let waitingSince = 0;
  let waited = 0;
  // A turn is given, and what is sent then is the sender's: the queue would let go of what runs when a signal fires.
  const takeTurn = (kind: keyof typeof PRIORITIES, signal?: AbortSignal) =>
    requests.add(() => undefined, { priority: PRIORITIES[kind], ...(signal ? { signal } : {}) });
  const takeOrderTurn = async (signal?: AbortSignal) => {
    await clock.sleep(Math.max(0, lastOrder + ORDER_EVERY - clock.ticks()), signal);
    await takeTurn("order", signal);
    lastOrder = clock.ticks();
  };
  return {
    async inTurn(kind, send, signal) {
      if (kind === "order") await turns.add(() => takeOrderTurn(signal), { ...(signal ? { signal } : {}) });
      else await takeTurn(kind, signal);
      return send();
    },
    async backOff(retryAfterMs = 0, signal) {
      const usual = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** doublings);
      doublings = Math.min(MOST_DOUBLINGS, doublings + 1);
      good = 0;
      if (waits === 0) waitingSince = clock.ticks();
      waits += 1;
      try {
        await clock.sleep(Math.min(LONGEST_WAIT, Math.max(retryAfterMs, usual * (0.5 + random()))), signal);
      } finally {
        waits -= 1;
        if (waits === 0) waited += clock.ticks() - waitingSince;
      }
    },
    forgive() {
      good += 1;
      if (good < GOOD_ANSWERS) return;
      good = 0;
      doublings = Math.max(0, doublings - 1);
    },
    pace: (wanted) => Math.max(wanted, Math.min(LONGEST_WAIT, wanted * 2 ** doublings)),
    heldUp: () => waited + (waits > 0 ? clock.ticks() - waitingSince : 0),
  };
}
