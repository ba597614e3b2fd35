import { setTimeout as pause } from "node:timers/promises";

/** Time as the stories see it. All values are milliseconds. */
export interface Clock {
  /** Wall clock, since the epoch: for what another process reads, like an expiry. It can jump. */
  now(): number;
  /** Since some fixed moment of this process: for deadlines and durations. It never jumps. */
  ticks(): number;
  /** Resolves after `ms`; rejects with the signal's reason as soon as the signal fires. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

// Timers of Node fire at once when asked for more than 2^31-1 ms.
const LONGEST_TIMER = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  ticks: () => performance.now(),
  async sleep(ms, signal) {
    signal?.throwIfAborted();
    try {
      await pause(Math.min(Math.max(0, ms), LONGEST_TIMER), undefined, signal ? { signal } : {});
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
};

/** A moment on the clock's ticks after which something is over. */
export interface Deadline {
  /** Milliseconds left, 0 when it has passed. */
  left(): number;
  passed(): boolean;
}

export function deadlineAfter(clock: Clock, ms: number): Deadline {
  const end = clock.ticks() + ms;
  const left = () => Math.max(0, end - clock.ticks());
  return { left, passed: () => left() === 0 };
}

/** The same, put off by all that `heldUp` (milliseconds so far) grows by. */
export function deadlineBeside(clock: Clock, ms: number, heldUp: () => number): Deadline {
  const began = heldUp();
  const end = clock.ticks() + ms;
  const left = () => Math.max(0, end + heldUp() - began - clock.ticks());
  return { left, passed: () => left() === 0 };
}

export function earlier(one: Deadline, other: Deadline): Deadline {
  const left = () => Math.min(one.left(), other.left());
  return { left, passed: () => left() === 0 };
}
