/**
 * The time of the stand-in world. With a scale of 60 a second of ours is a minute of theirs. A process that is run with
 * `scale-time.cjs` and the same scale and origin sees the same time, so that expiries and bills mean the same on both sides.
 */
export interface WorldClock {
  readonly scale: number;
  /** Real milliseconds since the epoch at which both times were the same. */
  readonly origin: number;
  /** Milliseconds since the epoch, in the world's time. */
  now(): number;
}

/** `scale` world seconds pass in each real second; 1 is the real time. */
export function startWorldClock(scale = 1, origin = Date.now()): WorldClock {
  return { scale, origin, now: () => origin + (Date.now() - origin) * scale };
}
