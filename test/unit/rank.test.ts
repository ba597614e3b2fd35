import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Offer } from "../../src/lease/offer.ts";
import type { Wish } from "../../src/lease/plan.ts";
import { rankOffers } from "../../src/market/rank.ts";

const NOW = 1_780_000_000_000;

const wish: Wish = { gpuTypes: ["H100"], gpuCount: 1, contractType: "ondemand", regions: [], vendors: [], excludedVendors: [] };
const offer: Offer = {
  id: "offer-1",
  gpuType: "nvidia-h100-sxm5-80gb",
  gpuFamily: "H100",
  gpuCount: 1,
  vendor: "nebius",
  region: "EU",
  pricePerHour: 2.1,
  contractType: "ondemand",
  expiresAt: NOW + 600_000,
  kind: "vm",
};

const rank = (change: Partial<Offer>, wished: Partial<Wish> = {}) =>
  rankOffers([{ ...offer, ...change }], { ...wish, ...wished }, NOW);

describe("an offer is refused", () => {
  test.each<[string, Partial<Offer>, Partial<Wish>]>([
    ["other GPU (A100)", { gpuType: "nvidia-a100-sxm4-80gb", gpuFamily: "A100" }, {}],
    ["8 GPUs instead of 1", { gpuCount: 8 }, {}],
    ["1 GPUs instead of 2", {}, { gpuCount: 2 }],
    ["contract 'spot'", { contractType: "spot" }, {}],
    ["is a cluster, not a single machine", { kind: "cluster" }, {}],
    ["region EU", {}, { regions: ["US", "APAC"] }],
    ["vendor nebius", {}, { vendors: ["scaleway"] }],
    ["vendor nebius is excluded", {}, { excludedVendors: ["Nebius"] }],
    ["dearer than $1.99 per GPU-hour, all included", {}, { maxPricePerGpuHour: 1.99 }],
    ["expired, or about to", { expiresAt: NOW - 1 }, {}],
    ["expired, or about to", { expiresAt: NOW + 29_999 }, {}],
    ["vendor a : :error: :b", { vendor: "a\n::error::b" }, { vendors: ["nebius"] }],
  ])("because %s", (reason, change, wished) => {
    expect(rank(change, wished)).toEqual({ fitting: [], refused: [{ reason, count: 1 }] });
  });
});

describe("an offer fits", () => {
  test.each<[string, Partial<Offer>, Partial<Wish>]>([
    ["as it is", {}, {}],
    ["when its region is one of those asked for, however it is cased", {}, { regions: ["US", "eu"] }],
    ["when its vendor is one of those asked for, however it is cased", {}, { vendors: ["scaleway", "NEBIUS"] }],
    ["when another vendor is excluded", {}, { excludedVendors: ["scaleway"] }],
    ["at exactly the price cap", {}, { maxPricePerGpuHour: 2.1 }],
    ["with half a minute left", { expiresAt: NOW + 30_000 }, {}],
    ["for one of several types", {}, { gpuTypes: ["B200", "h100"] }],
  ])("%s", (_how, change, wished) => {
    expect(rank(change, wished).fitting).toHaveLength(1);
  });

  test("when it does not say its contract, its kind or its end", () => {
    const { contractType, kind, expiresAt, ...terse } = offer;
    expect(rankOffers([terse], wish, NOW).fitting).toEqual([terse]);
  });
});

describe("a type of GPU", () => {
  const goods = {
    "H100 SXM": { gpuType: "nvidia-h100-sxm5-80gb", gpuFamily: "H100" },
    "H100 PCIe": { gpuType: "nvidia-h100-pcie-80gb", gpuFamily: "H100" },
    H200: { gpuType: "nvidia-h200-sxm5-141gb", gpuFamily: "H200" },
    GH200: { gpuType: "nvidia-gh200-144gb", gpuFamily: "GH200" },
    L4: { gpuType: "nvidia-l4-pcie-24gb", gpuFamily: "L4" },
    L40: { gpuType: "nvidia-l40-pcie-48gb", gpuFamily: "L40" },
    L40S: { gpuType: "nvidia-l40s-pcie-48gb", gpuFamily: "L40S" },
    A10: { gpuType: "nvidia-a10-pcie-24gb", gpuFamily: "A10" },
    A100: { gpuType: "nvidia-a100-sxm4-80gb", gpuFamily: "A100" },
    "RTX 4090": { gpuType: "nvidia-rtx-4090-24gb", gpuFamily: "RTX4090" },
    // A marketplace that gives the family no name of its own.
    "unnamed L4": { gpuType: "nvidia-l4-pcie-24gb", gpuFamily: "nvidia-l4-pcie-24gb" },
  };

  test.each([
    ["H100", ["H100 SXM", "H100 PCIe"]],
    ["h100", ["H100 SXM", "H100 PCIe"]],
    ["nvidia-h100-sxm5-80gb", ["H100 SXM"]],
    ["NVIDIA-H100-PCIE-80GB", ["H100 PCIe"]],
    ["H200", ["H200"]],
    ["L4", ["L4", "unnamed L4"]],
    ["L40", ["L40"]],
    ["L40S", ["L40S"]],
    ["A10", ["A10"]],
    ["RTX-4090", ["RTX 4090"]],
    ["rtx 4090", ["RTX 4090"]],
    ["H10", []],
    ["nvidia-h100", []],
    ["nvidia", []],
    ["pcie", []],
    ["80gb", []],
  ])("'%s' is %j and nothing else", (type, names) => {
    const found = Object.entries(goods).filter(([, one]) => rank(one, { gpuTypes: [type] }).fitting.length > 0);
    expect(found.map(([name]) => name)).toEqual(names);
  });
});

describe("a ranking", () => {
  test("is by the price of the whole machine, cheapest first, and counts each reason once", () => {
    const offers = [
      { ...offer, id: "dear", pricePerHour: 3 },
      { ...offer, id: "cheap-but-for-its-disk", pricePerHour: 2.5 },
      { ...offer, id: "cheapest", pricePerHour: 2.1 },
      { ...offer, gpuCount: 8 },
      { ...offer, gpuCount: 8 },
      { ...offer, vendor: "scaleway" },
    ];
    const { fitting, refused } = rankOffers(offers, { ...wish, excludedVendors: ["scaleway"] }, NOW);
    expect(fitting.map(({ id }) => id)).toEqual(["cheapest", "cheap-but-for-its-disk", "dear"]);
    expect(refused).toEqual([
      { reason: "8 GPUs instead of 1", count: 2 },
      { reason: "vendor scaleway is excluded", count: 1 },
    ]);
  });

  test("loses no offer, and leaves the list that it was given alone", () => {
    const some = fc.record({ pricePerHour: fc.integer({ min: 1, max: 9 }), gpuCount: fc.constantFrom(1, 8) });
    fc.assert(
      fc.property(fc.array(some), (changes) => {
        const offers = changes.map((change) => ({ ...offer, ...change }));
        const before = structuredClone(offers);
        const { fitting, refused } = rankOffers(offers, wish, NOW);
        expect(fitting.length + refused.reduce((sum, { count }) => sum + count, 0)).toBe(offers.length);
        expect(fitting.map(({ pricePerHour }) => pricePerHour)).toEqual(fitting.map((one) => one.pricePerHour).sort());
        expect(offers).toEqual(before);
      }),
    );
  });
});
