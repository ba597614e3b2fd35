import { afterEach, describe, expect, test } from "vitest";
import type { Fault } from "../../sandbox/faults.ts";
import { deadlineAfter } from "../../src/lease/clock.ts";
import { CancelledFailure, NotReadyFailure, TokenFailure } from "../../src/lease/failure.ts";
import { waitUntilReady } from "../../src/ready.ts";
import { h100, SCALE, startMarketStand } from "./market-stand.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const STATUS = "GET /offers/:id/status";
const always = Number.POSITIVE_INFINITY;

/** A machine that is bought and being made. */
async function setUp(options: Parameters<typeof startMarketStand>[0] = {}, ...faults: { times: number; do: Fault }[]) {
  const rig = await startMarketStand(options);
  closers.push(rig.close);
  const order = rig.intend(await rig.offer(), { stage: "bought" });
  await rig.market.buy(order);
  for (const fault of faults) rig.stand.faults.add({ on: STATUS, ...fault });
  return {
    ...rig,
    wait: (deadlineMs = 600_000, signal = new AbortController().signal, pollInterval = 2_000) =>
      waitUntilReady(1, pollInterval, deadlineAfter(rig.clock, deadlineMs), { ...rig, signal, outputs: () => undefined }),
    asked: () => rig.stand.requests.filter(({ path }) => path.endsWith("/status")).length,
  };
}

describe("a bought machine", () => {
  test("is ready when it has an address; its progress is told", async () => {
    const rig = await setUp({ provisionMs: 60_000 / SCALE });
    expect(await rig.wait()).toEqual([{ host: "127.0.0.1", port: 22, user: "root" }]);
    expect(rig.log.text()).toMatch(/info: \d+ s: provisioning_started/);
    expect(rig.log.text()).toMatch(/info: \d+ s: provisioning_in_progress/);
  });

  test("that is ready without an address is waited for", async () => {
    const bare = { status: "procured", procurement_status: "ready", instances: [] };
    const rig = await setUp({}, { times: 3, do: { kind: "status", status: 200, body: bare } });
    expect(await rig.wait()).toHaveLength(1);
    expect(rig.log.text()).toContain("ready, but without an address yet.");
  });

  test("takes no id from the offer's state, which may tell of the machines of others", async () => {
    const rig = await setUp();
    rig.journal.note(1, { resourceIds: ["known-before"] });
    await rig.wait();
    expect(rig.journal.attempt(1).resourceIds).toEqual(["known-before"]);
  });

  test("that failed is told with the marketplace's reason", async () => {
    const rig = await setUp({ stock: [{ ...h100, conduct: { provisioning: "fails" } }] });
    const failure: unknown = await rig.wait().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(NotReadyFailure);
    expect(failure).toMatchObject({ message: expect.stringContaining("vendor could not start the instance") });
  });

  test("that is not ready by the deadline is given up", async () => {
    const rig = await setUp({ stock: [{ ...h100, conduct: { provisioning: "never" } }] });
    const began = rig.clock.ticks();
    await expect(rig.wait(30_000)).rejects.toThrow(/not ready within .+ \('provision-timeout'\)/);
    expect(rig.clock.ticks() - began).toBeGreaterThanOrEqual(30_000);
  });

  test("a signal ends the wait with its own reason, also within a request", async () => {
    const rig = await setUp({}, { times: always, do: { kind: "hang-before" } });
    const [controller, reason] = [new AbortController(), new CancelledFailure("SIGTERM")];
    const waited = rig.wait(600_000, controller.signal);
    while (rig.asked() === 0) await rig.clock.sleep(100);
    controller.abort(reason);
    await expect(waited).rejects.toBe(reason);
  });
});

describe("a marketplace that does not tell", () => {
  test("is asked again", async () => {
    const rig = await setUp({}, { times: 2, do: { kind: "html", status: 404 } });
    expect(await rig.wait()).toHaveLength(1);
    expect(rig.log.text()).toMatch(/the marketplace did not tell \(.*HTTP 404.*\); asking again\./);
  });

  test("is asked until the deadline and no longer", async () => {
    const rig = await setUp({}, { times: always, do: { kind: "html", status: 404 } });
    await expect(rig.wait(20_000)).rejects.toThrow(NotReadyFailure);
  });

  test("may refuse the token twice, for that may be a hiccup", async () => {
    const rig = await setUp({}, { times: 2, do: { kind: "status", status: 401 } });
    expect(await rig.wait()).toHaveLength(1);
  });

  test("that refuses the token three times running is believed", async () => {
    const rig = await setUp({}, { times: always, do: { kind: "status", status: 401 } });
    await expect(rig.wait()).rejects.toThrow(TokenFailure);
    expect(rig.asked()).toBe(3);
  });

  test.each<[string, Fault]>([
    ["an answer", { kind: "status", status: 200, body: { procurement_status: "provisioning_started" } }],
    ["other trouble", { kind: "html", status: 404 }],
  ])("refusals count only when they are in a row (%s between them)", async (_what, between) => {
    const refusal: Fault = { kind: "status", status: 401 };
    const rig = await setUp();
    for (const [index, fault] of [refusal, refusal, between, refusal, refusal].entries())
      rig.stand.faults.add({ on: STATUS, nth: index + 1, do: fault });
    expect(await rig.wait()).toHaveLength(1);
    expect(rig.stand.faults.strikes()).toHaveLength(5);
  });
});
