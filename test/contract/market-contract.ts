import { afterEach, describe, expect, test } from "vitest";
import type { Fault } from "../../sandbox/faults.ts";
import type { Ledger } from "../../sandbox/ledger.ts";
import { TokenFailure } from "../../src/lease/failure.ts";
import { writeLeaseName } from "../../src/lease/name.ts";
import type { Wish } from "../../src/lease/plan.ts";
import type { Market, PurchaseOrder } from "../../src/market/provider.ts";

/** A stand-in marketplace as the contract needs it: things that every marketplace has, under names of its own. */
export interface MarketStand {
  readonly ledger: Ledger;
  /** Opens the product's client; another token is that of somebody who is not let in. */
  open(token?: string): Market;
  /** Lets the next requests of a kind go wrong. */
  break(request: "buy" | "erase" | "read" | "search", fault: Fault, times?: number): void;
  /** It asks for fewer requests in a way that the client waits out by itself. */
  readonly waitsOutRates?: boolean;
  /** How many requests of a kind came. */
  count(request: "buy" | "erase"): number;
  close(): Promise<void>;
}

const wish: Wish = { gpuTypes: ["H100"], gpuCount: 1, contractType: "ondemand", regions: [], vendors: [], excludedVendors: [] };

/** What `src/market/provider.ts` asks of every marketplace, through real sockets. */
export function defineMarketContract(name: string, startStand: () => Promise<MarketStand>): void {
  describe(`market contract: ${name}`, () => {
    const closers: (() => Promise<void>)[] = [];
    afterEach(async () => {
      for (const close of closers.splice(0).reverse()) await close();
    });
    const setUp = async (token?: string) => {
      const stand = await startStand();
      const market = stand.open(token);
      closers.push(
        () => stand.close(),
        () => market.close(),
      );
      return { stand, market };
    };
    const orderOf = async (market: Market): Promise<PurchaseOrder> => {
      const [offer] = await market.search(wish);
      if (offer === undefined) throw new Error("The stand-in market has nothing for sale.");
      const leaseName = writeLeaseName({ repository: "acme/kernels", runId: "1", runAttempt: 1, expiresAt: Date.now() });
      const boot = market.traits.rents === "vm" ? { cloudInit: "#cloud-config\n" } : {};
      return { offerId: offer.id, leaseName, sshPublicKey: "ssh-ed25519 AAAA", ...boot };
    };

    test("offers carry prices in USD per hour, and stand as available until they are bought", async () => {
      const { market } = await setUp();
      const offers = await market.search(wish);
      expect(offers.length).toBeGreaterThan(0);
      for (const offer of offers) expect(offer.pricePerHour).toBeGreaterThan(0);
      const order = await orderOf(market);
      expect((await market.standing(order.offerId)).state).toBe("available");
      expect((await market.progress({ ...order, resourceIds: [] })).phase).toBe("none");
      await market.buy(order);
      expect((await market.standing(order.offerId)).state).not.toBe("available");
    });

    test("a purchase is found, deleted, and reads as gone", async () => {
      const { stand, market } = await setUp();
      const order = await orderOf(market);
      expect((await market.buy(order)).kind).toBe("accepted");
      const { ours } = await market.holdings({ ...order, resourceIds: [] });
      expect(ours).toHaveLength(1);
      const id = ours[0]?.id ?? "";
      expect((await market.read(id)).state).toBe("alive");
      expect(await market.erase(id)).toBe("accepted");
      while ((await market.read(id)).state === "alive") await new Promise((resolve) => setTimeout(resolve, 20));
      expect(await market.erase(id)).not.toBe("accepted");
      expect((await market.holdings({ ...order, resourceIds: [id] })).ours).toEqual([]);
      expect(stand.ledger.alive()).toEqual([]);
    });

    test.each([
      ["500", { kind: "status", status: 500, effect: true }, "unknown"],
      ["502 with HTML", { kind: "html", status: 502, effect: true }, "unknown"],
      ["200 with HTML", { kind: "html", status: 200, effect: true }, "unknown"],
      ["403 with HTML, from a proxy", { kind: "html", status: 403 }, "unknown"],
      ["half an answer", { kind: "malformed" }, "unknown"],
      ["a connection that is cut", { kind: "reset-after" }, "unknown"],
      ["429", { kind: "status", status: 429, headers: { "retry-after": "7" } }, "refused"],
      ["401", { kind: "status", status: 401 }, "refused"],
    ] as const)("a purchase answered with %s is never sent again and ends as %s", async (_how, fault, kind) => {
      const { stand, market } = await setUp();
      const order = await orderOf(market);
      stand.break("buy", fault);
      const answer = await market.buy(order);
      if (stand.waitsOutRates && fault.kind === "status" && fault.status === 429) {
        // Nothing was bought by what was refused for the rate, so sending it again is no repetition.
        expect(answer.kind).toBe("accepted");
        expect(stand.ledger.entries()).toHaveLength(1);
        return;
      }
      expect(answer.kind).toBe(kind);
      expect(stand.count("buy")).toBe(1);
      if (answer.kind === "refused" && fault.kind === "status" && fault.status === 429) expect(answer.waitMs).toBe(7_000);
    });

    test("a purchase that could not leave is refused, for nothing was bought", async () => {
      const { stand, market } = await setUp();
      const order = await orderOf(market);
      await stand.close();
      expect(await market.buy(order)).toMatchObject({ kind: "refused", next: "same-offer" });
    });

    test.each([
      ["500", { kind: "status", status: 500 }],
      ["429", { kind: "status", status: 429, headers: { "retry-after": "0" } }],
      ["a cut connection", { kind: "reset-before" }],
    ] as const)("reading is repeated after %s", async (_how, fault) => {
      const { stand, market } = await setUp();
      stand.break("search", fault);
      expect((await market.search(wish)).length).toBeGreaterThan(0);
    });

    test.each([
      ["404 with HTML", { kind: "html", status: 404 }],
      ["200 with HTML", { kind: "html", status: 200 }],
      ["401", { kind: "status", status: 401 }],
      ["403", { kind: "status", status: 403 }],
      ["500", { kind: "status", status: 500 }],
      ["half an answer", { kind: "malformed" }],
    ] as const)("%s proves nothing about a machine", async (_how, fault) => {
      const { stand, market } = await setUp();
      const order = await orderOf(market);
      await market.buy(order);
      const [mine] = (await market.holdings({ ...order, resourceIds: [] })).ours;
      stand.break("read", fault, Number.POSITIVE_INFINITY);
      await expect(market.read(mine?.id ?? "")).rejects.toThrow();
    });

    test("a deletion is asked for once; repeating it is the story's business", async () => {
      const { stand, market } = await setUp();
      const order = await orderOf(market);
      await market.buy(order);
      const [mine] = (await market.holdings({ ...order, resourceIds: [] })).ours;
      stand.break("erase", { kind: "status", status: 500 });
      await expect(market.erase(mine?.id ?? "")).rejects.toThrow();
      expect(stand.count("erase")).toBe(1);
    });

    test("a refused token is named as such, and is in no message", async () => {
      const token = "not-the-token-of-anybody";
      const { market } = await setUp(token);
      const failure: unknown = await market.search(wish).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(TokenFailure);
      expect(String(failure)).not.toContain(token);
    });

    test("an aborted request ends at once with the signal's reason", async () => {
      const { stand, market } = await setUp();
      stand.break("search", { kind: "hang-before" }, Number.POSITIVE_INFINITY);
      const controller = new AbortController();
      const searching = market.search(wish, controller.signal);
      controller.abort(new Error("stop now"));
      await expect(searching).rejects.toThrow("stop now");
    });

    test("the commands for a person hold no secret and name what they are about", async () => {
      const { market } = await setUp();
      expect(market.byHand.toDelete("abc-1")).toContain("abc-1");
      expect(market.byHand.toList("offer-2")).toMatch(/offer-2|my_orders/);
      expect(market.byHand.toDelete("abc-1")).not.toContain("sandbox-token");
    });
  });
}
