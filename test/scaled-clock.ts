import { type Clock, systemClock } from "../src/lease/clock.ts";

/** Time that runs `scale` times faster, for stories whose waits are minutes. */
export function scaledClock(scale: number): Clock {
  const origin = Date.now();
  return {
    now: () => origin + (Date.now() - origin) * scale,
    ticks: () => performance.now() * scale,
    sleep: (ms, signal) => systemClock.sleep(ms / scale, signal),
  };
}
