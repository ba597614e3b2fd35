import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { writeLeaseName } from "../../src/lease/name.ts";
import type { Wish } from "../../src/lease/plan.ts";
import {
  billOf,
  type Claim,
  endpointsOf,
  hasEnded,
  hasMark,
  isAnothers,
  MARK_PORTS,
  markOf,
  ownerOf,
  sshOf,
} from "../../src/market/clore/orders.ts";
import { regionOf } from "../../src/market/clore/regions.ts";
import {
  marketplaceReply,
  ordersReply,
  readServers,
  readVerdict,
  type ServerReply,
  spotReply,
  walletsReply,
} from "../../src/market/clore/replies.ts";
import { isRentable, rateOf, toListing, wantsFree } from "../../src/market/clore/servers.ts";
import { isOfType, mixNearCheapest } from "../../src/market/rank.ts";

const wish: Wish = {
  gpuTypes: ["RTX 4090"],
  gpuCount: 1,
  contractType: "ondemand",
  regions: [],
  vendors: [],
  excludedVendors: [],
};
const usd = { currency: "USD-Blockchain", rate: 1, creationFee: 0.1 };

/** As public clients have captured it. */
const captured = {
  id: 28_726,
  owner: 9,
  mrl: 240,
  rented: false,
  reliability: 0.998,
  allowed_coins: ["USD-Blockchain", "bitcoin"],
  cuda_version: "12.4",
  gpu_array: [" NVIDIA GeForce RTX 4090"],
  price: {
    on_demand: { "USD-Blockchain": 3.92, bitcoin: 0.000043 },
    spot: { "USD-Blockchain": 1.9 },
    usd: { on_demand_usd: 3.92, on_demand_btc: 3.91, spot: 1.9 },
    original_usd: { bitcoin: { on_demand: 1, spot: 2 } },
  },
  rating: { avg: 4.8, cnt: 12 },
  specs: {
    mb: "ROMED8-2T",
    gpu: "1x NVIDIA GeForce RTX 4090",
    gpuram: 23,
    ram: 64.2,
    disk: "NVMe 850GB",
    net: { cc: "DE", down: 700, up: 500 },
  },
};

function servers(...changes: object[]): readonly ServerReply[] {
  const reply = { servers: changes.map((change) => ({ ...captured, ...change })), my_servers: [], code: 0 };
  return readServers(marketplaceReply.parse(reply));
}
function one(change: object = {}): ServerReply {
  const [server] = servers(change);
  if (server === undefined) throw new Error("The server could not be read.");
  return server;
}

describe("a server of the marketplace", () => {
  test("is an offer with the price per day as USD an hour, in all its words", () => {
    expect(toListing(one(), wish, usd)).toEqual({
      serverId: "28726",
      pricePerDay: 3.92,
      offer: {
        id: "28726",
        gpuType: "nvidia-geforce-rtx-4090",
        gpuFamily: "RTX 4090",
        gpuCount: 1,
        vendor: "clore-9",
        region: "EU",
        pricePerHour: 0.163333333,
        upfront: 0.1,
        ownPrice: "3.92 USD-Blockchain a day",
        contractType: "ondemand",
        reliability: 0.998,
        longestLease: 240 * 3_600_000,
      },
    });
  });

  test.each([
    ["8x NVIDIA A100-SXM4-80GB", 8, "A100"],
    ["1x NVIDIA H100 80GB HBM3", 1, "H100"],
    ["2x NVIDIA GeForce RTX 4070 Ti SUPER", 2, "RTX 4070 Ti SUPER"],
    ["4X  Tesla V100-PCIE-16GB", 4, "Tesla V100"],
    ["10x NVIDIA RTX 6000 Ada Generation", 10, "RTX 6000 Ada Generation"],
  ])("%s", (gpu, gpuCount, gpuFamily) => {
    expect(toListing(one({ specs: { gpu } }), wish, usd)?.offer).toMatchObject({ gpuCount, gpuFamily });
  });

  test("without a count in its words has as many GPUs as its list; one of several kinds is told", () => {
    const mixed = { gpu_array: ["RTX 4090", "RTX 3090 "], specs: { gpu: "Mixed GPUs" } };
    expect(toListing(one(mixed), wish, usd)?.offer).toMatchObject({ gpuCount: 2, kind: "mix of GPUs" });
    expect(toListing(one({ gpu_array: [], specs: {} }), wish, usd)).toBeUndefined();
  });

  test("is rentable unless it is rented, on gigaspot, does not take the coin or has no price in it", () => {
    const { currency } = usd;
    expect(isRentable(one(), currency, "ondemand")).toBe(true);
    expect(isRentable(one({ allowed_coins: "?" }), currency, "ondemand")).toBe(true);
    expect(isRentable(one(), "CLORE-Blockchain", "ondemand")).toBe(false);
    expect(isRentable(one({ allowed_coins: ["bitcoin"] }), currency, "ondemand")).toBe(false);
    expect(isRentable(one({ rented: true }), currency, "ondemand")).toBe(false);
    expect(isRentable(one({ gigaspot: 1 }), currency, "ondemand")).toBe(false);
    expect(isRentable(one({ price: { on_demand: { [currency]: 0 } } }), currency, "ondemand")).toBe(false);
    expect(isRentable(one(), "bitcoin", "spot")).toBe(false);
  });

  test("for spot is bid the cap for, or what it asks; never less than it asks", () => {
    const spot = { ...wish, contractType: "spot" } as const;
    expect(toListing(one(), spot, usd)).toMatchObject({ bid: 1.9, pricePerDay: 1.9 });
    expect(toListing(one(), { ...spot, maxPricePerGpuHour: 0.2 }, usd)).toMatchObject({
      bid: 4.8,
      offer: { pricePerHour: 0.2, askedPerHour: 0.0791666667 },
    });
    expect(toListing(one(), { ...spot, maxPricePerGpuHour: 0.01 }, usd)).toMatchObject({ bid: 1.9 });
  });

  test("whose row is odd is passed over; reliability in percent is read", () => {
    const rows = marketplaceReply.parse({
      code: 0,
      data: { servers: [{ id: "x" }, captured, null, { ...captured, rented: true }] },
    });
    expect(readServers(rows)).toHaveLength(2);
    expect(readServers(rows, wantsFree(["4090"]))).toHaveLength(1);
    expect(readServers(rows, wantsFree(["H100"]))).toEqual([]);
    expect(toListing(one({ reliability: 98.5 }), wish, usd)?.offer.reliability).toBeCloseTo(0.985);
  });

  test("quotes in USD tell what a coin is worth, and a single odd one does not", () => {
    const quote = (on_demand_btc: number) => ({ price: { on_demand: { bitcoin: 0.0001 }, usd: { on_demand_btc } } });
    expect(
      rateOf(
        "bitcoin",
        [quote(9), quote(9.1), quote(90)].map((one) => ({ ...captured, ...one })),
      ),
    ).toBeCloseTo(91_000);
    expect(rateOf("USD-Blockchain", [])).toBe(1);
    expect(rateOf("CLORE-Blockchain", [captured])).toBeUndefined();
  });

  test.each([
    ["DE", "EU"],
    ["us", "US"],
    ["SG", "APAC"],
    ["BR", "Other"],
    ["", "Other"],
    [undefined, "Other"],
  ])("in %s is in %s", (country, region) => {
    expect(regionOf(country)).toBe(region);
  });
});

describe("a GPU type", () => {
  const card = { gpuType: "nvidia-geforce-rtx-4070-ti", gpuFamily: "RTX 4070 Ti" };
  test.each(["RTX 4070 Ti", "rtx4070ti", "nvidia-geforce-rtx-4070-ti"])("%s is an RTX 4070 Ti", (type) => {
    expect(isOfType(card, type)).toBe(true);
  });
  test.each(["RTX 4070", "4070", "RTX", "geforce", "nvidia", "RTX 4070 Ti SUPER"])("%s is none", (type) => {
    expect(isOfType(card, type)).toBe(false);
  });
});

test("offers that cost much the same come in any order, dearer ones behind", () => {
  const offers = [1, 1.04, 1.05, 1.06, 2].map((pricePerHour) => ({
    ...toListing(one(), wish, usd)?.offer,
    pricePerHour,
  })) as never[];
  const places = [0.9, 0.1, 0.5];
  const mixed = mixNearCheapest(offers, 0.05, () => places.shift() ?? 0);
  expect(mixed.map(({ pricePerHour }) => pricePerHour)).toEqual([1.04, 1.05, 1, 1.06, 2]);
  expect(mixNearCheapest(offers, 0)).toBe(offers);
});

describe("the code of an answer", () => {
  test.each([
    [{ code: 0 }, 0, undefined],
    [{ code: "5" }, 5, undefined],
    [{ code: 6, error: "server-already-rented" }, 6, "server_already_rented"],
    [{ data: { code: 6, error: "not_enough_balance" } }, 6, "not_enough_balance"],
    [{ detail: "x" }, undefined, undefined],
    ["<html>", undefined, undefined],
    [undefined, undefined, undefined],
  ])("%j", (json, code, error) => {
    expect(readVerdict(json)).toMatchObject({ code, error });
  });
});

const sample = {
  id: 1_957_892,
  si: 28_726,
  ct: 1_784_197_589,
  image: "cloreai/jupyter:ubuntu24.04-v2",
  currency: "USD-Blockchain",
  price: 1.83,
  creation_fee: 0.1,
  spend: 0.0021,
  mrl: 240,
  online: true,
  mon_container: 2,
  expired: false,
  pub_cluster: ["n1.msk.cloreai.ru"],
  tcp_ports: ["6006:1590", "22:1584"],
  http_port: "8888",
  http_pub: "n1.c1.clorecloud.net",
};
function order(change: object = {}) {
  const [read] = ordersReply.parse({ orders: [{ ...sample, ...change }], limit: 20, code: 0 }).orders;
  if (read === undefined) throw new Error("The order could not be read.");
  return read;
}

describe("an order", () => {
  test.each([
    ["as captured", {}],
    ["with a map of ports", { tcp_ports: { "22": 1584 } }],
    ["with the protocol", { tcp_ports: ["22/tcp:1584"] }],
    ["the other way round", { tcp_ports: ["1584:22"] }],
    ["with one host as text", { pub_cluster: "n1.msk.cloreai.ru" }],
    ["with a command", { pub_cluster: undefined, tcp_ports: undefined, ssh_command: "ssh root@n1.msk.cloreai.ru -p 1584" }],
  ])("tells where SSH is: %s", (_how, change) => {
    expect(sshOf(order(change))).toEqual({ host: "n1.msk.cloreai.ru", port: 1584, user: "root" });
  });

  test("without a host or the port of SSH tells nothing", () => {
    expect(sshOf(order({ pub_cluster: [] }))).toBeUndefined();
    expect(sshOf(order({ tcp_ports: ["6006:1590"] }))).toBeUndefined();
    expect(sshOf(order({ tcp_ports: [] }))).toBeUndefined();
  });

  test("tells its other ports, but for those of the mark", () => {
    expect(endpointsOf(order({ tcp_ports: ["22:1", "6006:1590", `${MARK_PORTS.first}:7`] }))).toEqual({
      "6006/tcp": "n1.msk.cloreai.ru:1590",
      "8888/http": "https://n1.c1.clorecloud.net",
    });
  });

  test("has cost what was spent and its fee, as hours at its price", () => {
    const bill = billOf(order({ price: 24, spend: 2, creation_fee: 1 }));
    expect(bill).toEqual({ hours: 3, text: "3 USD-Blockchain" });
    expect(billOf(order({ spend: undefined }))).toBeUndefined();
  });

  test("has ended when it says so in one way or another", () => {
    expect(hasEnded(order({ expired: true, tcp_ports: [], pub_cluster: undefined }))).toBe(true);
    expect(hasEnded(order({ status: "Cancelled" }))).toBe(true);
    expect(hasEnded(order({ status: "running" }))).toBe(false);
  });

  test("lists come bare, under 'orders' or under 'data'; one row that cannot be read spoils the list, for it may be ours", () => {
    for (const json of [[sample], { orders: [sample] }, { code: 0, data: { orders: [sample] } }, { data: [sample] }]) {
      expect(ordersReply.parse(json).orders).toHaveLength(1);
    }
    expect(ordersReply.safeParse({ orders: [sample, { si: 1 }] }).success).toBe(false);
    expect(ordersReply.safeParse({ code: 0 }).success).toBe(false);
    expect(ordersReply.parse({ orders: [sample], limit: 1 }).isWhole).toBe(false);
  });
});

describe("whose an order is", () => {
  const name = () => writeLeaseName({ repository: "o/r", runId: "1", runAttempt: 1, expiresAt: 1e12 });
  const [leaseName, sibling] = [name(), name()];
  const sent = sample.ct * 1000;
  const claim: Claim = { offerId: "28726", leaseName, orderIds: [], sent };
  const marked = (lease: string) => ({ tcp_ports: ["22:1584", ...markOf(lease).map((port) => `${port}:9`)] });
  const none = { tcp_ports: [] };
  const accepted = { ...claim, before: new Set<string>() };

  test("a mark is two ports of its range, always the same ones for a lease", () => {
    fc.assert(
      fc.property(fc.string(), (lease) => {
        const [first, second] = markOf(lease);
        expect(first).not.toBe(second);
        for (const port of [first, second]) {
          expect(port).toBeGreaterThanOrEqual(MARK_PORTS.first);
          expect(port).toBeLessThanOrEqual(MARK_PORTS.last);
        }
        expect(markOf(lease)).toEqual([first, second]);
      }),
    );
  });

  test("the mark decides, whatever else speaks for or against it", () => {
    expect(hasMark(order(marked(leaseName)), leaseName)).toBe(true);
    expect(isAnothers(order(marked(sibling)), leaseName)).toBe(true);
    expect(ownerOf(order({ ...marked(leaseName), si: 1, ct: 5 }), claim)).toBe("ours");
    expect(ownerOf(order(marked(sibling)), { ...accepted, orderIds: [String(sample.id)] })).toBe("another");
  });

  test.each<readonly [string, object, Claim, string]>([
    ["no ports yet, and nobody said yes to us", none, claim, "unclear"],
    ["no ports yet, and the marketplace said yes to us", none, accepted, "ours"],
    ["the same, but it was there before", none, { ...claim, before: new Set([String(sample.id)]) }, "another"],
    ["the same, but on another server", { ...none, si: 5 }, accepted, "another"],
    ["the same, but older than our request", { ...none, ct: sample.ct - 300 }, accepted, "another"],
    ["ports, and no mark among them", {}, accepted, "unclear"],
    ["ports, no mark, but known as ours before", {}, { ...claim, orderIds: [String(sample.id)] }, "ours"],
  ])("%s", (_what, change, known, owner) => {
    expect(ownerOf(order(change), known)).toBe(owner);
  });
});

test("wallets and bids are read in their shapes", () => {
  expect(walletsReply.parse({ wallets: [{ name: "bitcoin", deposit: "bc1q", balance: "0.5" }, { name: "x" }], code: 0 })).toEqual(
    [{ name: "bitcoin", balance: 0.5 }],
  );
  const { market } = spotReply.parse({
    market: { offers: [{ bid: 1, active: true, my: false }, 7], server: { min_pricing: 2 } },
    code: 0,
  });
  expect(market).toMatchObject({ offers: [{ bid: 1, active: true, my: false }], server: { min_pricing: 2 } });
});
