import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runAction } from "../../sandbox/runner/run-action.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "scale-time-"));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

// Every wait below is 40 s or more: unscaled, none of these tests would end within its own limit.
async function runScaled(source: string, file: string, options: { env?: Record<string, string>; timeOrigin?: number } = {}) {
  const entry = join(directory, file);
  await writeFile(entry, source);
  const result = await (await runAction({ entry, directory, timeScale: 200, ...options })).done;
  return { ...result, text: result.lines.map((line) => line.text) };
}

it("shortens every timer that a program waits on, in both module systems", { timeout: 20_000 }, async () => {
  const waits = `
const waits = {
  setTimeout: () => new Promise((resolve) => setTimeout(resolve, 40_000)),
  setInterval: () => new Promise((resolve) => { const timer = setInterval(() => { clearInterval(timer); resolve(); }, 40_000); }),
  promise: () => pause(40_000),
  each: async () => { for await (const _ of every(40_000)) return; },
  scheduler: () => scheduler.wait(40_000),
  promisified: () => promisify(setTimeout)(40_000),
  abort: () => new Promise((resolve) => AbortSignal.timeout(40_000).addEventListener("abort", resolve)),
};
(async () => {
  for (const [name, wait] of Object.entries(waits)) {
    const date = Date.now(), ticks = performance.now(), made = new Date();
    // An abort signal's timer does not keep a process alive.
    const alive = setInterval(() => {}, 1e6);
    await wait();
    clearInterval(alive);
    const passed = [Date.now() - date, performance.now() - ticks, new Date() - made];
    // A timer may fire a real millisecond early by the clock, which is 200 of ours.
    console.log(name, passed.every((ms) => ms >= 39_000) ? "long" : passed.join(" "));
  }
})();`;
  const expected = ["setTimeout", "setInterval", "promise", "each", "scheduler", "promisified", "abort"].map(
    (name) => `${name} long`,
  );
  const commonJs = `const { setTimeout: pause, setInterval: every, scheduler } = require("timers/promises"); const { promisify } = require("util");`;
  const esModule = `import { setTimeout as pause, setInterval as every, scheduler } from "node:timers/promises"; import { promisify } from "node:util";`;
  expect((await runScaled(commonJs + waits, "main.cjs")).text).toEqual(expected);
  expect((await runScaled(esModule + waits, "main.mjs")).text).toEqual(expected);
});

it("leaves Date what it is", async () => {
  const { text } = await runScaled(
    `console.log(new Date(5).getTime(), new Date() instanceof Date, new Date().constructor === Date, typeof Date(), Date.UTC(1970, 0, 2));
class Later extends Date {} console.log(new Later(7).getTime(), new Later() instanceof Later);`,
    "main.cjs",
  );
  expect(text).toEqual(["5 true true string 86400000", "7 true"]);
});

it("shares its time with whoever has the same origin", async () => {
  const timeOrigin = Date.now() - 10_000;
  const { text } = await runScaled("console.log(Date.now())", "main.cjs", { timeOrigin });
  expect(Number(text[0])).toBeGreaterThanOrEqual(timeOrigin + 2_000_000);
  expect(Number(text[0])).toBeLessThanOrEqual(timeOrigin + (Date.now() - timeOrigin) * 200);
});

it("reaches the timeouts of undici", { timeout: 20_000 }, async () => {
  const server = createServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  try {
    const undici = JSON.stringify(createRequire(import.meta.url).resolve("undici"));
    const { text } = await runScaled(
      `const started = Date.now();
require(${undici}).request("http://127.0.0.1:${port}/", { headersTimeout: 60_000 })
  .catch((error) => console.log(error.code, Date.now() - started >= 55_000));`,
      "main.cjs",
    );
    expect(text).toEqual(["UND_ERR_HEADERS_TIMEOUT true"]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

it("leaves child processes their time", { timeout: 20_000 }, async () => {
  const { text } = await runScaled(
    `require("node:child_process").execFile("sleep", ["0.4"], { timeout: 40_000 }, (error) => console.log(error === null));`,
    "main.cjs",
  );
  expect(text).toEqual(["true"]);
});

it("changes nothing without a scale, and refuses one that is none", async () => {
  const preload = new URL("../../sandbox/scale-time.cjs", import.meta.url).pathname;
  const entry = join(directory, "main.cjs");
  await writeFile(
    entry,
    "console.log(setTimeout === require('node:timers').setTimeout, setTimeout.toString().includes('shorten'))",
  );
  const plain = await (await runAction({ entry, directory, preload: [preload] })).done;
  expect(plain.lines.map((line) => line.text)).toEqual(["true false"]);
  const refused = await (await runAction({ entry, directory, preload: [preload], env: { SANDBOX_TIME_SCALE: "fast" } })).done;
  expect(refused.exitCode).toBe(1);
});
