import { type ComputeClearStand, startComputeClear } from "../../sandbox/compute-clear/start-compute-clear.ts";
import type { StockEntry } from "../../sandbox/compute-clear/stock.ts";
import { startWorldClock } from "../../sandbox/world-clock.ts";
import type { Clock } from "../../src/lease/clock.ts";
import { type AttemptRecord, type Journal, openJournal } from "../../src/lease/journal.ts";
import { writeLeaseName } from "../../src/lease/name.ts";
import type { Offer } from "../../src/lease/offer.ts";
import type { Limits, Plan, Wish } from "../../src/lease/plan.ts";
import { openComputeClear } from "../../src/market/compute-clear/market.ts";
import type { Market, PurchaseOrder } from "../../src/market/provider.ts";
import { keptLog } from "../kept-log.ts";
import { scaledClock } from "../scaled-clock.ts";

/** Minutes of a story take seconds here: both the story's clock and the marketplace's run this much faster. */
export const SCALE = 40;

export const wish: Wish = {
  gpuTypes: ["H100"],
  gpuCount: 1,
  contractType: "ondemand",
  regions: [],
  vendors: [],
  excludedVendors: [],
};

/** What the stand sells unless told otherwise. */
export const h100: StockEntry = {
  vendor: "nebius",
  region: "EU",
  vendorRegion: "eu-north1",
  gpuType: "nvidia-h100-sxm5-80gb",
  gpuFamily: "H100",
  gpuCount: 1,
  pricePerGpuHour: 2,
  contractType: "ondemand",
};

/** A marketplace behind a real socket, our client of it, and a journal in memory. */
export interface MarketStand {
  readonly stand: ComputeClearStand;
  readonly market: Market;
  readonly clock: Clock;
  readonly log: ReturnType<typeof keptLog>;
  readonly journal: Journal;
  /** Another job's client of the same account. */
  readonly sibling: Market;
  plan(change?: { wish?: Partial<Wish>; limits?: Partial<Limits> }): Plan;
  /** The cheapest offer for the wish. */
  offer(): Promise<Offer>;
  /** Journals a purchase of an offer as main does before it sends it. */
  intend(offer: Offer, change?: Partial<AttemptRecord>): PurchaseOrder;
  /** Purchase requests that came. */
  purchases(): number;
  close(): Promise<void>;
}

const SIBLING = "sibling-token-000000";

export async function startMarketStand(options: Partial<Parameters<typeof startComputeClear>[0]> = {}): Promise<MarketStand> {
  const stand = await startComputeClear({
    stock: [h100],
    clock: startWorldClock(SCALE),
    provisionMs: 100,
    deleteMs: 100,
    siblingTokens: [SIBLING],
    bootMachine: async () => ({ host: "127.0.0.1", port: 22, stop: async () => undefined }),
    ...options,
  });
  const log = keptLog();
  const clock = scaledClock(SCALE);
  const market = openComputeClear({ token: stand.token, apiUrl: stand.url, log });
  const sibling = openComputeClear({ token: SIBLING, apiUrl: stand.url, log: keptLog() });
  const journal = openJournal(
    { version: 1, provider: "compute-clear", apiUrl: stand.url, cleanupTimeout: 600_000, attempts: [] },
    { save: () => undefined },
    () => undefined,
  );
  return {
    stand,
    market,
    clock,
    log,
    journal,
    sibling,
    plan: (change = {}) => ({
      provider: "compute-clear",
      token: stand.token,
      apiUrl: stand.url,
      wish: { ...wish, ...change.wish },
      limits: {
        maxLifetime: 7_200_000,
        maxAttempts: 3,
        waitForOffer: 0,
        provisionTimeout: 900_000,
        pollInterval: 5_000,
        cleanupTimeout: 600_000,
        ...change.limits,
      },
      work: { shell: "bash", env: {}, uploads: [], uploadIgnore: [], downloads: [] },
      verifyGpu: true,
      hostKey: "strict",
      release: "post",
      dryRun: false,
    }),
    async offer() {
      const [offer] = await market.search(wish);
      if (offer === undefined) throw new Error("The stand-in market is empty.");
      return offer;
    },
    intend(offer, change = {}) {
      const leaseName = writeLeaseName({ repository: "acme/kernels", runId: "42", runAttempt: 1, expiresAt: clock.now() });
      journal.intend({
        number: journal.read().attempts.length + 1,
        stage: "intended",
        leaseName,
        offerId: offer.id,
        gpu: "1x H100",
        vendor: offer.vendor,
        region: offer.region,
        pricePerHour: offer.pricePerHour,
        resourceIds: [],
        expiresAt: clock.now(),
        sent: clock.now(),
        ...change,
      });
      return { offerId: offer.id, leaseName, sshPublicKey: "ssh-ed25519 AAAA", cloudInit: "#cloud-config\n" };
    },
    purchases: () => stand.requests.filter(({ path }) => path === "/procure_offer").length,
    async close() {
      await market.close();
      await sibling.close();
      await stand.close();
    },
  };
}
