import { afterEach, describe, expect, test } from "vitest";
import { deadlineAfter } from "../../src/lease/clock.ts";
import { CancelledFailure, MarketFailure, NoOfferFailure, TokenFailure } from "../../src/lease/failure.ts";
import type { Limits, Wish } from "../../src/lease/plan.ts";
import { search } from "../../src/search.ts";
import { h100, type MarketStand, startMarketStand } from "./market-stand.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

type Change = { wish?: Partial<Wish>; limits?: Partial<Limits> };

async function setUp(options: Parameters<typeof startMarketStand>[0] = {}) {
  const rig = await startMarketStand(options);
  closers.push(rig.close);
  return {
    ...rig,
    search(change: Change = {}, tried: ReadonlySet<string> = new Set(), signal = new AbortController().signal) {
      const plan = rig.plan(change);
      return search(plan, tried, deadlineAfter(rig.clock, plan.limits.waitForOffer), { ...rig, signal });
    },
  };
}

const asked = ({ stand }: MarketStand) => stand.requests.filter(({ path }) => path === "/get_offers").length;
const always = Number.POSITIVE_INFINITY;

describe("offers that fit", () => {
  test("come cheapest first, and the log says why others were refused", async () => {
    const rig = await setUp({
      stock: [
        { ...h100, vendor: "dear", pricePerGpuHour: 3 },
        { ...h100, vendor: "cheap" },
        { ...h100, kind: "cluster" },
      ],
    });
    const offers = await rig.search();
    expect(offers.map(({ vendor }) => vendor)).toEqual(["cheap", "dear"]);
    expect(rig.log.text()).toContain("2 of 3 offers fit (1 refused: is a cluster, not a single machine):");
  });

  test("leave out what was tried", async () => {
    const rig = await setUp({ sharesOffers: true, stock: [h100, { ...h100, pricePerGpuHour: 3 }] });
    const [first] = await rig.search();
    const [next, ...others] = await rig.search({}, new Set([first?.id ?? ""]));
    expect(next?.pricePerHour).toBe(3);
    expect(others).toEqual([]);
  });

  test("of a hostile vendor are shown as harmless text", async () => {
    const rig = await setUp({ stock: [{ ...h100, vendor: "x\n::error::pwned" }] });
    await rig.search();
    expect(rig.log.text()).not.toContain("::error::");
    expect(rig.log.lines.filter((line) => line.includes("pwned"))).toHaveLength(1);
  });
});

describe("when none fits", () => {
  test("under the price cap, the failure says what the cheapest would cost", async () => {
    const rig = await setUp();
    const failure: unknown = await rig.search({ wish: { maxPricePerGpuHour: 1.5 } }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(NoOfferFailure);
    expect(failure).toMatchObject({
      message:
        "No offer for 1x H100: the market has no offer. The cheapest that would fit costs $2.00 per GPU-hour " +
        "(1x H100 from nebius (EU) at $2.00/h), above your 'max-price-per-gpu-hour' of $1.50.",
      hint: expect.stringContaining("raise the price cap"),
    });
  });

  test("of a type that is not on sale, the failure says what is", async () => {
    const rig = await setUp();
    await expect(rig.search({ wish: { gpuTypes: ["H10"] } })).rejects.toThrow(/'H10' is not on sale here: did you mean H100\?/);
  });

  test("because all were refused, the failure counts the reasons", async () => {
    const rig = await setUp();
    await expect(rig.search({ wish: { excludedVendors: ["nebius"] } })).rejects.toThrow(
      /no offer fits; 1 refused: vendor nebius is excluded/,
    );
  });

  test("and the catalogue cannot be had either, the failure is still that there is no offer", async () => {
    const rig = await setUp();
    for (const on of ["GET /available_gpus", "GET /available_vendors", "GET /available_regions", "GET /available_contracts"])
      rig.stand.faults.add({ on, times: always, do: { kind: "html", status: 404 } });
    await expect(rig.search({ wish: { gpuTypes: ["H10"] } })).rejects.toThrow(NoOfferFailure);
  });

  test("and the market breaks while it is asked without the cap, the failure is still that there is no offer", async () => {
    const rig = await setUp();
    rig.stand.faults.add({ on: "POST /get_offers", nth: 2, times: always, do: { kind: "html", status: 403 } });
    await expect(rig.search({ wish: { maxPricePerGpuHour: 1.5 } })).rejects.toThrow(NoOfferFailure);
  });

  test("without wait-for-offer it is asked once", async () => {
    const rig = await setUp({ stock: [] });
    await expect(rig.search()).rejects.toThrow(NoOfferFailure);
    expect(asked(rig)).toBe(1);
  });
});

describe("wait-for-offer", () => {
  const limits = { waitForOffer: 600_000 };

  test("asks again until one fits", async () => {
    const rig = await setUp();
    rig.stand.faults.add({ on: "POST /get_offers", times: 3, do: { kind: "status", status: 200, body: { offers: [] } } });
    expect(await rig.search({ limits })).toHaveLength(1);
    expect(asked(rig)).toBe(4);
    expect(rig.log.text()).toMatch(/the market has no offer; asking again, for up to \d+ min.* more\./);
  });

  test("asks a last time when the time is over, and then says how long it waited", async () => {
    const rig = await setUp({ stock: [] });
    await expect(rig.search({ limits: { waitForOffer: 12_000 } })).rejects.toThrow(/^No offer for 1x H100 for 12 s:/);
    expect(asked(rig)).toBeGreaterThanOrEqual(2);
  });

  test("bears with a marketplace in trouble", async () => {
    const rig = await setUp();
    rig.stand.faults.add({ on: "POST /get_offers", times: 2, do: { kind: "html", status: 403 } });
    expect(await rig.search({ limits })).toHaveLength(1);
    expect(rig.log.text()).toMatch(/HTTP 403: .+; asking again\./);
  });

  test("trouble is not borne without it, nor at its end", async () => {
    const rig = await setUp();
    rig.stand.faults.add({ on: "POST /get_offers", times: always, do: { kind: "html", status: 403 } });
    await expect(rig.search()).rejects.toThrow(MarketFailure);
    expect(asked(rig)).toBe(1);
    await expect(rig.search({ limits: { waitForOffer: 12_000 } })).rejects.toThrow(MarketFailure);
  });

  test("a refused token is no trouble that passes", async () => {
    const rig = await setUp();
    rig.stand.faults.add({ on: "POST /get_offers", times: always, do: { kind: "status", status: 401 } });
    await expect(rig.search({ limits })).rejects.toThrow(TokenFailure);
    expect(asked(rig)).toBe(1);
  });

  test("a signal ends it", async () => {
    const rig = await setUp({ stock: [] });
    const [controller, reason] = [new AbortController(), new CancelledFailure("SIGINT")];
    const searched = rig.search({ limits: { waitForOffer: 3_600_000, pollInterval: 3_600_000 } }, new Set(), controller.signal);
    while (!rig.log.text().includes("asking again")) await rig.clock.sleep(100);
    controller.abort(reason);
    await expect(searched).rejects.toBe(reason);
  });
});
