import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Clock } from "../../src/lease/clock.ts";
import { startPacing } from "../../src/market/clore/pacing.ts";

const SECOND = 1_000;
const clock: Clock = {
  now: () => Date.now(),
  ticks: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
    }),
};
const half = () => 0.5;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** When each of some requests is sent, with what it is. */
function record(pacing: ReturnType<typeof startPacing>) {
  const began = Date.now();
  const sent: { readonly what: string; readonly at: number }[] = [];
  return {
    sent,
    send: (kind: "cancel" | "order" | "read", what: string = kind, signal?: AbortSignal) =>
      pacing.inTurn(kind, async () => sent.push({ what, at: Date.now() - began }), signal),
  };
}

describe("the rate of one lease", () => {
  test("is less than one request a second, and one order in five", async () => {
    const { send, sent } = record(startPacing(clock, half));
    for (let number = 0; number < 6; number += 1) void send("read");
    for (let number = 0; number < 3; number += 1) void send("order");
    await vi.advanceTimersByTimeAsync(60 * SECOND);
    expect(sent).toHaveLength(9);
    const gaps = (list: typeof sent) => list.slice(1).map(({ at }, index) => at - (list[index]?.at ?? 0));
    expect(Math.min(...gaps(sent))).toBeGreaterThan(SECOND);
    expect(Math.min(...gaps(sent.filter(({ what }) => what === "order")))).toBeGreaterThan(5 * SECOND);
  });

  test("lets a cancellation go before everything that waits, an order before reads", async () => {
    const { send, sent } = record(startPacing(clock, half));
    for (const kind of ["read", "read", "order", "read", "cancel"] as const) void send(kind);
    await vi.advanceTimersByTimeAsync(10 * SECOND);
    expect(sent.map(({ what }) => what)).toEqual(["read", "cancel", "order", "read", "read"]);
  });

  test("a signal takes out what waits, and not what has left", async () => {
    const { send, sent } = record(startPacing(clock, half));
    const stop = new AbortController();
    const left = send("read", "first", stop.signal);
    await vi.advanceTimersByTimeAsync(1);
    const waiting = Promise.all([
      expect(send("read", "second", stop.signal)).rejects.toThrow("enough"),
      expect(send("order", "third", stop.signal)).rejects.toThrow("enough"),
    ]);
    stop.abort(new Error("enough"));
    await vi.advanceTimersByTimeAsync(20 * SECOND);
    await Promise.all([left, waiting]);
    expect(sent.map(({ what }) => what)).toEqual(["first"]);
  });
});

describe("when there are too many requests", () => {
  test("the waits double up to a minute, polls as well, and good answers take that back", async () => {
    const pacing = startPacing(clock, half);
    const waits: number[] = [];
    for (let number = 0; number < 9; number += 1) {
      const began = Date.now();
      const waiting = pacing.backOff(undefined);
      await vi.advanceTimersToNextTimerAsync();
      await waiting;
      waits.push((Date.now() - began) / SECOND);
    }
    expect(waits).toEqual([1.5, 3, 6, 12, 24, 48, 60, 60, 60]);
    expect(pacing.heldUp()).toBe(waits.reduce((sum, wait) => sum + wait, 0) * SECOND);
    expect(pacing.pace(15 * SECOND)).toBe(60 * SECOND);
    expect(pacing.pace(120 * SECOND)).toBe(120 * SECOND);
    for (let number = 0; number < 60; number += 1) pacing.forgive();
    expect(pacing.pace(15 * SECOND)).toBe(15 * SECOND);
  });

  test("waits at the same time count once, and while they last", async () => {
    const pacing = startPacing(clock, half);
    const both = Promise.all([pacing.backOff(4 * SECOND), pacing.backOff(6 * SECOND)]);
    await vi.advanceTimersByTimeAsync(5 * SECOND);
    expect(pacing.heldUp()).toBe(5 * SECOND);
    await vi.advanceTimersByTimeAsync(5 * SECOND);
    await both;
    expect(pacing.heldUp()).toBe(6 * SECOND);
  });

  test("jobs that wait elsewhere come back at other times", async () => {
    const began = Date.now();
    const ends: number[] = [];
    for (const share of [0, 0.5, 0.9]) {
      void startPacing(clock, () => share)
        .backOff(undefined)
        .then(() => ends.push(Date.now() - began));
    }
    await vi.advanceTimersByTimeAsync(3 * SECOND);
    expect(ends).toEqual([750, 1_500, 2_100]);
  });
});
