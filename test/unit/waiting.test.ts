import { describe, expect, test } from "vitest";
import type { Clock } from "../../src/lease/clock.ts";
import { startWaiting } from "../../src/lease/waiting.ts";
import { keptLog } from "../kept-log.ts";

/** A clock that stands until it is moved. */
function standingClock(): Clock & { pass(ms: number): void } {
  let ticks = 1_000_000;
  return {
    now: () => ticks,
    ticks: () => ticks,
    sleep: async () => undefined,
    pass(ms) {
      ticks += ms;
    },
  };
}

describe("a wait", () => {
  test("tells the first news at once, with the time since it began", () => {
    const [clock, log] = [standingClock(), keptLog()];
    const waiting = startWaiting(clock, log);
    clock.pass(4_000);
    waiting.tell("booting.");
    expect(log.lines).toEqual(["info: 4 s: booting."]);
    expect(waiting.elapsed()).toBe(4_000);
  });

  test("tells what is new at once, and what is not every 30 s only", () => {
    const [clock, log] = [standingClock(), keptLog()];
    const waiting = startWaiting(clock, log);
    for (let second = 0; second <= 95; second += 5) {
      waiting.tell(second < 20 ? "pending." : "booting.");
      clock.pass(5_000);
    }
    expect(log.lines).toEqual([
      "info: 0 s: pending.",
      "info: 20 s: booting.",
      "info: 50 s: booting.",
      "info: 1 min 20 s: booting.",
    ]);
  });

  test("news that come back are news again", () => {
    const [clock, log] = [standingClock(), keptLog()];
    const waiting = startWaiting(clock, log);
    for (const news of ["a", "b", "a"]) waiting.tell(news);
    expect(log.lines).toHaveLength(3);
  });
});
