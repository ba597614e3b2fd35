"use strict";
/*
 * Preload (`node --require`) that makes time pass faster in an unchanged process, so that a test of waits that take minutes ends
 * in seconds. The product has no switch for time: what a test runs is byte for byte what ships, and it cannot be told from inside
 * that its minutes are short.
 *
 * SANDBOX_TIME_SCALE   so many seconds pass in a real one; without it, or with 1, nothing is changed
 * SANDBOX_TIME_ORIGIN  real milliseconds since the epoch at which both times were the same, so that several processes share one
 *                      time; the start of this process unless told
 *
 * Scaled: setTimeout, setInterval, their promise forms, scheduler.wait, AbortSignal.timeout, Date, performance.now.
 * Not scaled: sockets, child processes and files, which wait for real things: their modules are loaded before anything is
 * replaced and keep the true timers. Every deadline shrinks while the work does not, so a scale that makes a 10 s deadline
 * shorter than a real request takes is too large.
 */
const scale = Number(process.env.SANDBOX_TIME_SCALE ?? "1");
if (!(scale > 0 && Number.isFinite(scale)))
  throw new Error(`SANDBOX_TIME_SCALE is '${process.env.SANDBOX_TIME_SCALE}', not a number above 0.`);
if (scale !== 1) scaleTime();

function scaleTime() {
  for (const name of ["child_process", "fs", "fs/promises", "net", "tls", "http", "https", "dns", "stream/promises", "readline"])
    require(`node:${name}`);
  const timers = require("node:timers");
  const timersPromises = require("node:timers/promises");
  const { promisify } = require("node:util");

  const RealDate = Date;
  const realNow = Date.now;
  const startedAt = realNow();
  const origin = Number(process.env.SANDBOX_TIME_ORIGIN ?? startedAt);
  const now = () => Math.floor(origin + (realNow() - origin) * scale);

  // Beyond this Node fires at once; what is too long for it unscaled must stay so.
  const LONGEST_TIMER = 2 ** 31 - 1;
  const shorten = (ms) => (typeof ms === "number" && ms > 0 && ms <= LONGEST_TIMER ? ms / scale : ms);

  const real = { setTimeout: timers.setTimeout, setInterval: timers.setInterval };
  const realPromises = { setTimeout: timersPromises.setTimeout, setInterval: timersPromises.setInterval };
  const scaled = {
    setTimeout: (callback, ms, ...rest) => real.setTimeout(callback, shorten(ms), ...rest),
    setInterval: (callback, ms, ...rest) => real.setInterval(callback, shorten(ms), ...rest),
  };
  const scaledPromises = {
    setTimeout: (ms, ...rest) => realPromises.setTimeout(shorten(ms), ...rest),
    setInterval: (ms, ...rest) => realPromises.setInterval(shorten(ms), ...rest),
  };
  Object.defineProperty(scaled.setTimeout, promisify.custom, { value: scaledPromises.setTimeout });
  Object.assign(timers, scaled);
  Object.assign(globalThis, scaled);
  Object.assign(timersPromises, scaledPromises);
  timersPromises.scheduler.wait = (ms, options) => scaledPromises.setTimeout(ms, undefined, options);

  const realAbortAfter = AbortSignal.timeout;
  AbortSignal.timeout = (ms) => realAbortAfter.call(AbortSignal, Math.ceil(shorten(ms)));

  const performanceNow = performance.now.bind(performance);
  performance.now = () => performanceNow() * scale;

  RealDate.now = now;
  globalThis.Date = new Proxy(RealDate, {
    apply: () => new RealDate(now()).toString(),
    construct: (target, given, newTarget) => Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget),
  });
  RealDate.prototype.constructor = globalThis.Date;
}
