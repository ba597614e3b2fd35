import { describe, expect, test } from "vitest";
import { type Clock, deadlineAfter, earlier, systemClock } from "../../src/lease/clock.ts";

function standingClock(): Clock & { pass(ms: number): void } {
  let ticks = 50;
  return {
    now: () => 0,
    ticks: () => ticks,
    sleep: async () => undefined,
    pass(ms) {
      ticks += ms;
    },
  };
}

describe("the system's clock", () => {
  test("a sleep that is over resolves, having taken no less than it was told", async () => {
    const began = systemClock.ticks();
    await systemClock.sleep(30);
    // Timers of Node count whole milliseconds.
    expect(systemClock.ticks() - began).toBeGreaterThanOrEqual(29);
  });

  test("a sleep ends with the signal's own reason, at once when it has fired before", async () => {
    const reason = new Error("cancelled");
    await expect(systemClock.sleep(3_600_000, AbortSignal.abort(reason))).rejects.toBe(reason);
    const controller = new AbortController();
    const asleep = systemClock.sleep(3_600_000, controller.signal);
    controller.abort(reason);
    await expect(asleep).rejects.toBe(reason);
  });

  test("a sleep into the past resolves, and one that is longer than a timer can be does not", async () => {
    await systemClock.sleep(-1_000);
    const controller = new AbortController();
    for (const ms of [2 ** 31, Number.POSITIVE_INFINITY]) {
      const asleep = systemClock.sleep(ms, controller.signal).then(
        () => "over",
        () => "cut short",
      );
      expect(await Promise.race([asleep, systemClock.sleep(50).then(() => "still asleep")])).toBe("still asleep");
    }
    controller.abort();
  });

  test("tells the time since the epoch, and ticks that never go back", () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(60_000);
    const [one, other] = [systemClock.ticks(), systemClock.ticks()];
    expect(other).toBeGreaterThanOrEqual(one);
  });
});

describe("a deadline", () => {
  test("counts down to nothing and stays there", () => {
    const clock = standingClock();
    const deadline = deadlineAfter(clock, 100);
    expect([deadline.left(), deadline.passed()]).toEqual([100, false]);
    clock.pass(99);
    expect([deadline.left(), deadline.passed()]).toEqual([1, false]);
    clock.pass(1);
    expect([deadline.left(), deadline.passed()]).toEqual([0, true]);
    clock.pass(1_000);
    expect([deadline.left(), deadline.passed()]).toEqual([0, true]);
  });

  test("of no time has passed", () => {
    expect(deadlineAfter(standingClock(), 0).passed()).toBe(true);
  });

  test("the earlier of two passes first, whichever it is", () => {
    const clock = standingClock();
    const [soon, late] = [deadlineAfter(clock, 10), deadlineAfter(clock, 1_000)];
    const both = [earlier(soon, late), earlier(late, soon)];
    expect(both.map((deadline) => deadline.left())).toEqual([10, 10]);
    clock.pass(10);
    expect(both.map((deadline) => [deadline.left(), deadline.passed()])).toEqual([
      [0, true],
      [0, true],
    ]);
  });
});
