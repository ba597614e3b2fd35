import { afterEach, describe, expect, test } from "vitest";
import type { Fault } from "../../sandbox/faults.ts";
import { deadlineAfter } from "../../src/lease/clock.ts";
import { CancelledFailure, MarketFailure, PurchaseFailure } from "../../src/lease/failure.ts";
import { writeLeaseName } from "../../src/lease/name.ts";
import type { PurchaseAnswer, PurchaseOrder } from "../../src/market/provider.ts";
import { purchase } from "../../src/purchase.ts";
import { h100, type MarketStand, SCALE, startMarketStand } from "./market-stand.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

interface Rig extends MarketStand {
  /** Sends the one purchase of this rig, and waits for what comes of it. */
  purchase(signal?: AbortSignal, deadlineMs?: number): Promise<void>;
  readonly order: PurchaseOrder;
}

async function setUp(options: Parameters<typeof startMarketStand>[0] = {}, fault?: Fault): Promise<Rig> {
  const rig = await startMarketStand(options);
  closers.push(rig.close);
  const order = rig.intend(await rig.offer());
  if (fault) rig.stand.faults.add({ on: "POST /procure_offer", do: fault });
  return {
    ...rig,
    order,
    purchase: (signal = new AbortController().signal, deadlineMs = 900_000) =>
      purchase(order, 1, deadlineAfter(rig.clock, deadlineMs), { ...rig, signal }),
  };
}

const ids = (rig: Rig) => rig.stand.ledger.entries().map(({ id }) => id);

/** Resolves when the marketplace has got the purchase, so that a signal comes while it is on its way. */
async function arrival(rig: Rig): Promise<void> {
  while (rig.purchases() === 0) await rig.clock.sleep(100);
}

/** Sends the purchase, and lets its answer come when the test says so, and be what it says. */
function answerLate(rig: Rig, said: PurchaseAnswer) {
  const late = Promise.withResolvers<PurchaseAnswer>();
  const buy = (order: PurchaseOrder) => {
    void rig.market.buy(order);
    return late.promise;
  };
  const deps = { ...rig, market: { ...rig.market, buy }, signal: new AbortController().signal };
  return {
    purchase: (deadlineMs: number) => purchase(rig.order, 1, deadlineAfter(rig.clock, deadlineMs), deps),
    async answer() {
      late.resolve(said);
      await late.promise;
    },
  };
}

describe("an answer", () => {
  test("that accepts is noted with the ids that it tells", async () => {
    const rig = await setUp({ manner: { procureAnswer: "procured" } });
    await rig.purchase();
    expect(rig.journal.attempt(1)).toMatchObject({ stage: "bought", resourceIds: ids(rig), answered: expect.any(Number) });
  });

  test("that accepts without ids is noted as bought", async () => {
    const rig = await setUp();
    await rig.purchase();
    expect(rig.journal.attempt(1)).toMatchObject({ stage: "bought", resourceIds: [] });
    expect(rig.purchases()).toBe(1);
  });

  test.each([
    ["has expired", "expired", /HTTP 410/],
    ["is taken", "taken", /HTTP 409/],
  ] as const)("that the offer %s has bought nothing, and another offer may be tried", async (_how, sale, message) => {
    const rig = await setUp({ stock: [{ ...h100, conduct: { sale } }] });
    const failure: unknown = await rig.purchase().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(PurchaseFailure);
    expect(failure).toMatchObject({ message: expect.stringMatching(message), offerStillGood: false });
    expect(rig.journal.attempt(1).stage).toBe("nothing-bought");
  });

  test("of HTTP 200 that says 'failed' leaves the attempt open, for there may be remains", async () => {
    const rig = await setUp({ stock: [{ ...h100, conduct: { sale: "fails-half-born" } }] });
    await expect(rig.purchase()).rejects.toThrow(/could not deliver: vendor out of capacity/);
    expect(rig.journal.attempt(1)).toMatchObject({ stage: "intended", answered: expect.any(Number) });
    expect(rig.stand.ledger.alive()).toHaveLength(1);
  });

  test.each([401, 402, 403])("of %d ends the step, for no other offer would be sold", async (status) => {
    const rig = await setUp({}, { kind: "status", status });
    const failure: unknown = await rig.purchase().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(MarketFailure);
    expect(failure).toMatchObject({ hint: expect.stringContaining("Nothing was bought") });
    expect(rig.journal.attempt(1).stage).toBe("nothing-bought");
  });

  test("of 429 is waited out as long as it asks, and leaves the offer good for another try", async () => {
    const rig = await setUp({}, { kind: "status", status: 429, headers: { "retry-after": "20" } });
    const began = rig.clock.ticks();
    const failure: unknown = await rig.purchase().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "purchase", offerStillGood: true });
    expect(rig.clock.ticks() - began).toBeGreaterThanOrEqual(19_000);
    expect(rig.purchases()).toBe(1);
    expect(rig.journal.attempt(1).stage).toBe("nothing-bought");
  });

  test("of 429 that asks for a day is waited for no longer than the attempt may take", async () => {
    const rig = await setUp({}, { kind: "status", status: 429, headers: { "retry-after": "86400" } });
    await expect(rig.purchase(undefined, 20_000)).rejects.toMatchObject({ code: "purchase", offerStillGood: true });
  });

  test("cannot come where nobody listens: the request never left, so nothing was bought", async () => {
    const rig = await setUp();
    await rig.stand.close();
    await expect(rig.purchase()).rejects.toMatchObject({ code: "purchase", offerStillGood: true });
    expect(rig.journal.attempt(1).stage).toBe("nothing-bought");
  });
});

describe("a lost answer", () => {
  test.each<[string, Fault]>([
    ["a cut connection", { kind: "reset-after" }],
    ["an answer that breaks off", { kind: "malformed" }],
    ["a proxy's 502", { kind: "html", status: 502, effect: true }],
    ["a 500 of the API", { kind: "status", status: 500, effect: true }],
    ["a proxy's page with 403", { kind: "html", status: 403, effect: true }],
  ])("(%s) is looked up, and what carries our name is adopted", async (_how, fault) => {
    const rig = await setUp({}, fault);
    await rig.purchase();
    expect(rig.stand.faults.strikes()).toHaveLength(1);
    expect(rig.journal.attempt(1)).toMatchObject({ stage: "bought", resourceIds: ids(rig) });
    expect(rig.log.text()).toContain("looked up, not sent again");
    expect(rig.purchases()).toBe(1);
  });

  test("whose effect comes later is found when it comes", async () => {
    const rig = await setUp({}, { kind: "late-effect", ms: 60_000 / SCALE });
    await rig.purchase();
    expect(rig.journal.attempt(1)).toMatchObject({ stage: "bought", resourceIds: ids(rig) });
    expect(rig.purchases()).toBe(1);
  });

  test("of a purchase that had no effect counts as unsold after minutes, and is left to release to close", async () => {
    const rig = await setUp({}, { kind: "reset-before" });
    const began = rig.clock.ticks();
    await expect(rig.purchase()).rejects.toThrow(/the offer reads unsold/);
    expect(rig.clock.ticks() - began).toBeGreaterThanOrEqual(180_000);
    expect(rig.journal.attempt(1).stage).toBe("intended");
    expect(rig.purchases()).toBe(1);
  });

  test("of a sale that failed is told as soon as the offer says so", async () => {
    const rig = await setUp({ stock: [{ ...h100, conduct: { sale: "fails" } }] }, { kind: "reset-after" });
    await expect(rig.purchase()).rejects.toThrow(/reports that it failed/);
    expect(rig.journal.attempt(1).stage).toBe("intended");
  });

  test("does not adopt the machine of a sibling that bought the same offer", async () => {
    const rig = await setUp({ sharesOffers: true });
    const leaseName = writeLeaseName({ repository: "acme/kernels", runId: "42", runAttempt: 1, expiresAt: 0 });
    await rig.sibling.buy({ ...rig.order, leaseName });
    rig.stand.faults.add({ on: "POST /procure_offer", do: { kind: "reset-before" } });
    await expect(rig.purchase(undefined, 120_000)).rejects.toThrow(PurchaseFailure);
    expect(rig.stand.faults.strikes()).toHaveLength(1);
    expect(rig.journal.attempt(1)).toMatchObject({ stage: "intended", resourceIds: [] });
    expect(rig.stand.ledger.alive("sibling-1")).toHaveLength(1);
  });
});

describe("an answer that does not come", () => {
  test("is not waited for alone: the purchase is looked up beside it", async () => {
    const rig = await setUp({}, { kind: "hang-after" });
    await rig.purchase();
    expect(rig.journal.attempt(1)).toMatchObject({ stage: "bought", resourceIds: ids(rig) });
    expect(rig.purchases()).toBe(1);
  });

  test("ends at the deadline, with the attempt left open", async () => {
    const rig = await setUp({}, { kind: "hang-before" });
    await expect(rig.purchase(undefined, 60_000)).rejects.toThrow(/'provision-timeout'/);
    expect(rig.journal.attempt(1).stage).toBe("intended");
    expect(rig.log.text()).toContain("still working on the purchase");
  });

  test("takes nothing back of what was found meanwhile when it comes after all", async () => {
    const rig = await setUp({}, { kind: "slow", ms: 80_000 / SCALE });
    await rig.purchase();
    const found = rig.journal.attempt(1);
    expect(found.resourceIds).toEqual(ids(rig));
    while (!rig.log.text().includes("POST /procure_offer after")) await rig.clock.sleep(100);
    await rig.clock.sleep(100);
    expect(rig.journal.attempt(1)).toEqual(found);
  });

  test.each<PurchaseAnswer>([
    { kind: "refused", reason: "HTTP 409", next: "other-offer" },
    { kind: "failed", reason: "out of capacity", resourceIds: [] },
    { kind: "unknown", reason: "a cut connection" },
  ])("cannot unsay a machine that was found ($kind)", async (said) => {
    const rig = await setUp({}, { kind: "hang-after" });
    const late = answerLate(rig, said);
    await late.purchase(900_000);
    const found = rig.journal.attempt(1);
    expect(found).toMatchObject({ stage: "bought", resourceIds: ids(rig) });
    await late.answer();
    expect(rig.journal.attempt(1)).toEqual(found);
  });

  test("adds the ids that nobody had seen to those that were found", async () => {
    const rig = await setUp({}, { kind: "hang-after" });
    const late = answerLate(rig, { kind: "accepted", resourceIds: ["r-unseen"] });
    await late.purchase(900_000);
    await late.answer();
    expect(rig.journal.attempt(1).resourceIds).toEqual([...ids(rig), "r-unseen"]);
  });

  test.each<[PurchaseAnswer, string]>([
    [{ kind: "accepted", resourceIds: [] }, "bought"],
    [{ kind: "failed", reason: "out of capacity", resourceIds: ["r-1"] }, "bought"],
    [{ kind: "failed", reason: "out of capacity", resourceIds: [] }, "gone"],
    [{ kind: "refused", reason: "HTTP 409", next: "other-offer" }, "gone"],
  ])("opens an attempt again that was given up as unsold, when it sold something (%j)", async (said, stage) => {
    const rig = await setUp({}, { kind: "hang-before" });
    const late = answerLate(rig, said);
    await expect(late.purchase(60_000)).rejects.toThrow(PurchaseFailure);
    rig.journal.note(1, { stage: "gone", proof: "the offer reads unsold" });
    await late.answer();
    expect(rig.journal.attempt(1).stage).toBe(stage);
  });
});

describe("a signal", () => {
  test("before the purchase leaves: nothing is sent, and the journal says so", async () => {
    const rig = await setUp();
    const reason = new CancelledFailure("SIGTERM");
    await expect(rig.purchase(AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(rig.purchases()).toBe(0);
    expect(rig.journal.attempt(1).stage).toBe("nothing-bought");
  });

  test("while it is on its way: the answer is waited for, noted, and then the signal's reason thrown", async () => {
    const rig = await setUp({ manner: { procureAnswer: "procured" } }, { kind: "slow", ms: 2_000 / SCALE });
    const [controller, reason] = [new AbortController(), new CancelledFailure("SIGINT")];
    const waited = rig.purchase(controller.signal);
    await arrival(rig);
    controller.abort(reason);
    await expect(waited).rejects.toBe(reason);
    expect(rig.journal.attempt(1)).toMatchObject({ stage: "bought", resourceIds: ids(rig) });
    expect(rig.purchases()).toBe(1);
  });

  test("an answer that takes longer than 6 s is not waited for, and the attempt stays open", async () => {
    const rig = await setUp({}, { kind: "hang-after" });
    const [controller, reason] = [new AbortController(), new CancelledFailure("SIGINT")];
    const waits: number[] = [];
    const clock = {
      ...rig.clock,
      sleep: (ms: number, signal?: AbortSignal) => {
        waits.push(ms);
        return rig.clock.sleep(ms, signal);
      },
    };
    const waited = purchase(rig.order, 1, deadlineAfter(clock, 900_000), { ...rig, clock, signal: controller.signal });
    await arrival(rig);
    controller.abort(reason);
    await expect(waited).rejects.toBe(reason);
    expect(waits).toEqual([30_000, 6_000]);
    expect(rig.journal.attempt(1).stage).toBe("intended");
  });

  test("while a lost answer is looked up ends the wait", async () => {
    const rig = await setUp({}, { kind: "reset-before" });
    const [controller, reason] = [new AbortController(), new CancelledFailure("SIGINT")];
    const waited = rig.purchase(controller.signal);
    const noticed = () => rig.log.text().includes("looked up, not sent again");
    while (!noticed()) await rig.clock.sleep(100);
    controller.abort(reason);
    await expect(waited).rejects.toBe(reason);
    expect(rig.journal.attempt(1).stage).toBe("intended");
  });
});
