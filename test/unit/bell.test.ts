import { expect, test } from "vitest";
import { hangBell } from "../../src/lease/bell.ts";
import { systemClock } from "../../src/lease/clock.ts";

const HOUR = 3_600_000;
const silent = new AbortController().signal;

test("a ring wakes who waits", async () => {
  const bell = hangBell(systemClock);
  const waited = bell.wait(HOUR, silent);
  bell.ring();
  await expect(waited).resolves.toBeUndefined();
});

test("a ring before the wait is not lost, and counts once", async () => {
  const bell = hangBell(systemClock);
  bell.ring();
  bell.ring();
  await bell.wait(HOUR, silent);
  const end = new AbortController();
  const second = bell.wait(HOUR, end.signal);
  end.abort(new Error("nobody rang"));
  await expect(second).rejects.toThrow("nobody rang");
});

test("without a ring the time ends the wait", async () => {
  await expect(hangBell(systemClock).wait(5, silent)).resolves.toBeUndefined();
});

test("the signal's reason ends the wait, also when it fired before", async () => {
  const bell = hangBell(systemClock);
  const end = new AbortController();
  const waited = bell.wait(HOUR, end.signal);
  end.abort(new Error("over"));
  await expect(waited).rejects.toThrow("over");
  bell.ring();
  await expect(bell.wait(HOUR, end.signal)).rejects.toThrow("over");
});
