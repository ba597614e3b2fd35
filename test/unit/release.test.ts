import { afterEach, describe, expect, test } from "vitest";
import {
  type ComputeClearOptions,
  type ComputeClearStand,
  startComputeClear,
} from "../../sandbox/compute-clear/start-compute-clear.ts";
import type { StockEntry } from "../../sandbox/compute-clear/stock.ts";
import { startWorldClock } from "../../sandbox/world-clock.ts";
import { type Clock, deadlineAfter } from "../../src/lease/clock.ts";
import { ReleaseFailure } from "../../src/lease/failure.ts";
import { type AttemptRecord, type Journal, openJournal, unproved } from "../../src/lease/journal.ts";
import { settleWithin } from "../../src/lease/lifetime.ts";
import { writeLeaseName } from "../../src/lease/name.ts";
import { openComputeClear } from "../../src/market/compute-clear/market.ts";
import type { Market } from "../../src/market/provider.ts";
import { askForDeletion, release } from "../../src/release.ts";
import { keptLog } from "../kept-log.ts";
import { scaledClock } from "../scaled-clock.ts";

// Minutes of the story take seconds here: both the story's clock and the marketplace's run this much faster.
const SCALE = 20;

const machine: StockEntry = {
  vendor: "nebius",
  region: "EU",
  vendorRegion: "eu-north1",
  gpuType: "nvidia-h100-sxm5-80gb",
  gpuFamily: "H100",
  gpuCount: 1,
  pricePerGpuHour: 2,
  contractType: "ondemand",
};

interface Rig {
  readonly stand: ComputeClearStand;
  readonly market: Market;
  readonly clock: Clock;
  readonly log: ReturnType<typeof keptLog>;
  readonly journal: Journal;
  /** Adds an attempt as main would have journalled it, and sends its purchase unless told not to. */
  buy(change?: Partial<AttemptRecord>, send?: boolean): Promise<AttemptRecord>;
  release(cleanupMs?: number): Promise<void>;
}

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function setUp(options: Partial<ComputeClearOptions> = {}, entry: StockEntry = machine): Promise<Rig> {
  const stand = await startComputeClear({
    stock: [entry],
    clock: startWorldClock(SCALE),
    provisionMs: 100,
    deleteMs: 100,
    manner: { procureAnswer: "procured" },
    bootMachine: async () => ({ host: "127.0.0.1", port: 22, stop: async () => undefined }),
    ...options,
  });
  const log = keptLog();
  const clock = scaledClock(SCALE);
  const market = openComputeClear({ token: stand.token, apiUrl: stand.url, log });
  closers.push(
    () => market.close(),
    () => stand.close(),
  );
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
    async buy(change = {}, send = true) {
      const wish = {
        gpuTypes: ["H100"],
        gpuCount: 1,
        contractType: "ondemand" as const,
        regions: [],
        vendors: [],
        excludedVendors: [],
      };
      const [offer] = await market.search(wish);
      if (offer === undefined) throw new Error("The stand-in market is empty.");
      const number = journal.read().attempts.length + 1;
      const leaseName = writeLeaseName({ repository: "acme/kernels", runId: "42", runAttempt: 1, expiresAt: clock.now() });
      journal.intend({
        number,
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
      if (send) {
        const answer = await market.buy({
          offerId: offer.id,
          leaseName,
          sshPublicKey: "ssh-ed25519 AAAA",
          cloudInit: "#cloud-config\n",
        });
        if (answer.kind === "accepted" && change.stage === "bought")
          journal.note(number, { resourceIds: [...answer.resourceIds] });
      }
      return journal.attempt(number);
    },
    release: (cleanupMs = 600_000) =>
      release(
        { market, clock, log, journal },
        unproved(journal.read()),
        deadlineAfter(clock, cleanupMs),
        settleWithin(cleanupMs),
      ),
  };
}

const deletions = (stand: ComputeClearStand) => stand.requests.filter(({ method }) => method === "DELETE");

describe("release", () => {
  test("looks at the known id and deletes it at once, and takes the state 'deleted' as proof", async () => {
    const rig = await setUp();
    await rig.buy({ stage: "bought" });
    const before = rig.stand.requests.length;
    await rig.release();
    expect(rig.stand.ledger.alive()).toEqual([]);
    const id = rig.stand.ledger.entries()[0]?.id;
    expect(rig.stand.requests.slice(before, before + 2).map(({ method, path }) => `${method} ${path}`)).toEqual([
      `GET /resources/${id}`,
      `DELETE /resources/${id}`,
    ]);
    expect(rig.journal.attempt(1)).toMatchObject({ stage: "gone", proof: expect.stringContaining("reads 'deleted'") });
  });

  test.each([
    ["5 s", true, 5_000],
    ["a minute, while the offer still reads as being provisioned", false, 60_000],
  ] as const)("two answers of 404 are proof where deleted resources vanish, when apart by %s", async (_apart, booted, apart) => {
    const rig = await setUp({ manner: { procureAnswer: "procured", deletedReads: "absent" } });
    const attempt = await rig.buy({ stage: "bought" });
    while (booted && (await rig.market.progress(attempt)).phase !== "ready") await rig.clock.sleep(500);
    const started = rig.clock.ticks();
    await rig.release();
    expect(rig.stand.ledger.alive()).toEqual([]);
    expect(rig.journal.attempt(1).proof).toMatch(/not found, twice, .+ apart/);
    expect(rig.clock.ticks() - started).toBeGreaterThanOrEqual(apart);
  });

  test("finds a machine whose id was never told, by its offer", async () => {
    const rig = await setUp({ manner: { resourceIds: "only-listed" } });
    await rig.buy({ stage: "bought" });
    await rig.release();
    expect(rig.stand.ledger.alive()).toEqual([]);
  });

  test.each([true, false, "rejects"] as const)(
    "settles a purchase whose answer was lost (names kept: %s)",
    async (keepsNames) => {
      const rig = await setUp({ keepsNames });
      rig.stand.faults.add({
        on: "POST /procure_offer",
        nth: keepsNames === "rejects" ? 2 : 1,
        do: { kind: "late-effect", ms: 3_000 },
      });
      await rig.buy();
      expect(rig.stand.ledger.entries()).toEqual([]);
      await rig.release();
      expect(rig.stand.ledger.entries()).toHaveLength(1);
      expect(rig.stand.ledger.alive()).toEqual([]);
    },
  );

  test("a purchase that never took effect is given time, and then reads as unsold", async () => {
    const rig = await setUp();
    await rig.buy({}, false);
    const started = rig.clock.ticks();
    await rig.release();
    expect(rig.clock.ticks() - started).toBeGreaterThanOrEqual(settleWithin(600_000) - 1_000);
    expect(rig.journal.attempt(1).proof).toContain("the offer reads unsold");
  });

  test("a failed sale that left a machine behind: the remains are deleted", async () => {
    const rig = await setUp({}, { ...machine, conduct: { sale: "fails-half-born" } });
    await rig.buy();
    expect(rig.stand.ledger.alive()).toHaveLength(1);
    await rig.release();
    expect(rig.stand.ledger.alive()).toEqual([]);
  });

  test("a deletion that answers 500 five times and then works", async () => {
    const rig = await setUp({}, { ...machine, conduct: { deletion: { answers500: 5 } } });
    await rig.buy({ stage: "bought" });
    await rig.release();
    expect(deletions(rig.stand).length).toBeGreaterThanOrEqual(6);
    expect(rig.stand.ledger.alive()).toEqual([]);
  });

  test.each([
    ["never taken", { ...machine, conduct: { deletion: "answers-500" } }],
    ["taken, but nothing comes of it", { ...machine, conduct: { deletion: "accepted-but-runs" } }],
    ["and a proxy answers 404 with HTML when the machine is read", { ...machine, conduct: { resourceReads: "html-404" } }],
  ] as const)("a deletion that is %s fails loudly, with the id and a command without the token", async (_how, entry) => {
    const rig = await setUp({}, entry);
    const { resourceIds } = await rig.buy({ stage: "bought" });
    const failure: unknown = await rig.release(60_000).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ReleaseFailure);
    if (!(failure instanceof ReleaseFailure)) return;
    expect(failure.message).toContain(resourceIds[0]);
    expect(failure.hint).toContain(`-X DELETE '${rig.stand.url}/resources/${resourceIds[0]}?force=true'`);
    expect(failure.hint).not.toContain(rig.stand.token);
    expect(unproved(rig.journal.read())).toHaveLength(1);
  });

  test("asks again for a deletion that was taken and not carried out", async () => {
    const rig = await setUp({}, { ...machine, conduct: { deletion: "accepted-but-runs" } });
    await rig.buy({ stage: "bought" });
    await rig.release(90_000).catch(() => undefined);
    expect(deletions(rig.stand).length).toBeGreaterThanOrEqual(3);
  });

  test("a disk that outlives its machine is deleted as well", async () => {
    const parts = [
      { type: "disk", pricePerHour: 0.1, fate: "outlives" },
      { type: "ip", pricePerHour: 0.01, fate: "follows" },
    ] as const;
    const rig = await setUp({}, { ...machine, parts });
    await rig.buy({ stage: "bought" });
    await rig.release();
    expect(rig.stand.ledger.entries()).toHaveLength(3);
    expect(rig.stand.ledger.alive()).toEqual([]);
  });

  test.each([
    ["the list is not filtered", { filtersByOffer: false }],
    ["rows tell no offer", { offerHistory: false }],
    ["neither", { filtersByOffer: false, offerHistory: false }],
  ] as const)("never touches the machines of others (%s)", async (_how, manner) => {
    const rig = await setUp({
      manner,
      strangers: [
        { name: writeLeaseName({ repository: "acme/kernels", runId: "43", runAttempt: 1, expiresAt: 0 }), pricePerHour: 1 },
        { pricePerHour: 1 },
      ],
    });
    await rig.buy({ stage: "bought" });
    await rig.release();
    expect(rig.stand.ledger.deletedThatWereNotOurs()).toEqual([]);
    expect(rig.stand.ledger.alive("ours")).toEqual([]);
    expect(rig.stand.ledger.alive("stranger")).toHaveLength(2);
  });

  test("a sibling that bought the same offer keeps its machine", async () => {
    const rig = await setUp({ sharesOffers: true, siblingTokens: ["sibling-token-000000"] });
    const ours = await rig.buy({}, false);
    const sibling = openComputeClear({ token: "sibling-token-000000", apiUrl: rig.stand.url, log: rig.log });
    closers.push(() => sibling.close());
    const leaseName = writeLeaseName({ repository: "acme/kernels", runId: "42", runAttempt: 1, expiresAt: rig.clock.now() });
    await sibling.buy({ offerId: ours.offerId, leaseName, sshPublicKey: "ssh-ed25519 BBBB", cloudInit: "#cloud-config\n" });
    expect(rig.stand.ledger.alive("sibling-1")).toHaveLength(1);
    await rig.release(60_000);
    expect(rig.journal.attempt(1).proof).toContain("sold to another lease");
    expect(rig.stand.ledger.alive("sibling-1")).toHaveLength(1);
  });

  test("a look that hangs does not hold the deletion back for long", async () => {
    const rig = await setUp();
    await rig.buy({ stage: "bought" });
    rig.stand.faults.add({ on: "GET /resources/:id", do: { kind: "hang-before" } });
    await rig.release();
    expect(rig.stand.faults.strikes()).toHaveLength(1);
    expect(rig.stand.ledger.alive()).toEqual([]);
  });

  test("an id that the marketplace told us, but that carries another lease's name, is left alone", async () => {
    const name = writeLeaseName({ repository: "acme/kernels", runId: "43", runAttempt: 1, expiresAt: 0 });
    const rig = await setUp({ strangers: [{ name, pricePerHour: 1 }] });
    const foreign = rig.stand.ledger.entries()[0]?.id ?? "";
    await rig.buy({ stage: "bought" }, false);
    rig.journal.note(1, { resourceIds: [foreign] });
    await rig.release(60_000);
    expect(deletions(rig.stand)).toEqual([]);
    expect(rig.log.text()).toContain(`${foreign} carries the name of another lease, so it is left alone.`);
    expect(rig.journal.attempt(1)).toMatchObject({
      stage: "nothing-bought",
      proof: expect.stringContaining("belongs to another lease"),
    });
  });

  test("a disk that outlives a machine which is deleted at once is found by the look before", async () => {
    const rig = await setUp({ deleteMs: 0 }, { ...machine, parts: [{ type: "disk", pricePerHour: 0.1, fate: "outlives" }] });
    await rig.buy({ stage: "bought" });
    await rig.release();
    expect(rig.stand.ledger.entries()).toHaveLength(2);
    expect(rig.stand.ledger.alive()).toEqual([]);
  });

  test("a marketplace that asks for a pause between deletions gets it", async () => {
    const rig = await setUp();
    await rig.buy({ stage: "bought" });
    rig.stand.faults.add({
      on: "DELETE /resources/:id",
      times: 2,
      do: { kind: "status", status: 429, headers: { "retry-after": "20" } },
    });
    const started = rig.clock.ticks();
    await rig.release();
    expect(rig.clock.ticks() - started).toBeGreaterThanOrEqual(40_000);
    expect(deletions(rig.stand)).toHaveLength(3);
  });

  test("nothing is proved to be unsold while this process may still be buying", async () => {
    const rig = await setUp();
    const attempt = await rig.buy({}, false);
    const { market, clock, log, journal } = rig;
    const deps = { market, clock, log, journal, mayStillBeBuying: true };
    await expect(release(deps, [attempt], deadlineAfter(clock, 30_000), 5_000)).rejects.toThrow(ReleaseFailure);
    journal.note(1, { lost: clock.now() });
    await release(deps, [journal.attempt(1)], deadlineAfter(clock, 60_000), 5_000);
    expect(journal.attempt(1).stage).toBe("nothing-bought");
  });

  test("an answer that never ends does not outlast the time for the release", async () => {
    const rig = await setUp();
    const { resourceIds } = await rig.buy({ stage: "bought" });
    rig.stand.faults.add({ on: "DELETE /resources/:id", times: Number.POSITIVE_INFINITY, do: { kind: "hang-before" } });
    const started = rig.clock.ticks();
    await expect(rig.release(60_000)).rejects.toThrow(resourceIds[0]);
    expect(rig.clock.ticks() - started).toBeLessThan(120_000);
  });

  test("a revoked token is not tried for ever, and the failure says what may bill", async () => {
    const rig = await setUp();
    await rig.buy({ stage: "bought" });
    rig.stand.faults.add({ on: "GET /resources/:id", times: Number.POSITIVE_INFINITY, do: { kind: "status", status: 401 } });
    rig.stand.faults.add({ on: "DELETE /resources/:id", times: Number.POSITIVE_INFINITY, do: { kind: "status", status: 401 } });
    const started = rig.clock.ticks();
    await expect(rig.release()).rejects.toThrow(/does not accept the token/);
    expect(rig.clock.ticks() - started).toBeLessThan(300_000);
  });

  test("asking for the deletion alone looks up what was born after the answer was lost", async () => {
    const rig = await setUp();
    rig.stand.faults.add({ on: "POST /procure_offer", do: { kind: "reset-after" } });
    const attempt = await rig.buy();
    expect(await askForDeletion(rig, attempt, deadlineAfter(rig.clock, 60_000))).toBe(true);
    expect(deletions(rig.stand)).toHaveLength(1);
  });
});
