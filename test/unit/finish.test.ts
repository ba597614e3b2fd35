import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type FinishDeps, finish } from "../../src/finish.ts";
import { ReleaseFailure, TokenFailure } from "../../src/lease/failure.ts";
import type { AttemptRecord, JournalRecord } from "../../src/lease/journal.ts";
import { h100, type MarketStand, startMarketStand } from "./market-stand.ts";

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

interface Told {
  readonly record: JournalRecord;
  readonly trouble: ReleaseFailure | undefined;
}

interface Rig extends MarketStand {
  readonly reports: Told[];
  /** The key directory of the lease. */
  readonly files: string;
  buy(change?: Partial<AttemptRecord>): Promise<void>;
  finish(change?: Partial<FinishDeps>): Promise<void>;
}

async function setUp(options: Parameters<typeof startMarketStand>[0] = {}): Promise<Rig> {
  const rig = await startMarketStand({ manner: { procureAnswer: "procured" }, ...options });
  const root = mkdtempSync(join(tmpdir(), "finish-"));
  closers.push(rig.close, () => rmSync(root, { recursive: true, force: true }));
  const files = join(root, "keys");
  mkdirSync(files);
  writeFileSync(join(files, "key"), "");
  rig.journal.noteLease({ files });
  const reports: Told[] = [];
  return {
    ...rig,
    files,
    reports,
    async buy(change = {}) {
      const order = rig.intend(await rig.offer(), { stage: "bought", ...change });
      const answer = await rig.market.buy(order);
      if (answer.kind === "accepted") rig.journal.note(1, { resourceIds: [...answer.resourceIds] });
    },
    finish: (change = {}) =>
      finish({
        byHand: rig.market.byHand,
        openMarket: () => rig.market,
        clock: rig.clock,
        log: rig.log,
        journal: rig.journal,
        jobCancelled: false,
        removeFiles: (directory) => rmSync(directory, { recursive: true }),
        report: async (record, trouble) => {
          reports.push({ record, trouble });
        },
        ...change,
      }),
  };
}

const undeletable = { ...h100, conduct: { deletion: "answers-500" } } as const;
const withoutToken = () => {
  throw new TokenFailure("There is no token", "Without it nothing can be deleted.");
};

describe("post", () => {
  test("deletes, proves, removes the keys, reports, and says what it cost", async () => {
    const rig = await setUp();
    await rig.buy();
    await rig.finish();
    expect(rig.stand.ledger.alive()).toEqual([]);
    expect(existsSync(rig.files)).toBe(false);
    expect(rig.reports).toMatchObject([{ trouble: undefined, record: { attempts: [{ stage: "gone" }] } }]);
    expect(rig.log.text()).toMatch(/Nothing is billing any more\. .*\$\d/);
  });

  test("removes the keys after the deletion, for money comes first", async () => {
    const rig = await setUp();
    await rig.buy();
    let alive: number | undefined;
    await rig.finish({
      removeFiles: () => {
        alive = rig.stand.ledger.alive().length;
      },
    });
    expect(alive).toBe(0);
  });

  test("asks nothing of the marketplace when main has proved it all", async () => {
    const rig = await setUp();
    rig.intend(await rig.offer(), { stage: "gone", proof: "r-1 reads 'deleted'" });
    rig.intend(await rig.offer(), { stage: "nothing-bought" });
    const before = rig.stand.requests.length;
    await rig.finish({ openMarket: withoutToken });
    expect(rig.stand.requests).toHaveLength(before);
    expect(rig.log.text()).toContain("Attempt 1 is gone, as proved before: r-1 reads 'deleted'.");
    expect(rig.log.text()).toContain("Attempt 2 bought nothing.");
    expect(existsSync(rig.files)).toBe(false);
    expect(rig.reports).toHaveLength(1);
  });

  test("closes its connections", async () => {
    const rig = await setUp();
    await rig.buy();
    let closed = 0;
    const close = async () => {
      closed += 1;
    };
    await rig.finish({ openMarket: () => ({ ...rig.market, close }) });
    expect(closed).toBe(1);
  });
});

describe("a deletion that cannot be proved", () => {
  test("fails loudly, with the keys removed and the report written all the same", async () => {
    const rig = await setUp({ stock: [undeletable] });
    await rig.buy();
    rig.journal.noteLease({ cancelled: true });
    const failure: unknown = await rig.finish().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ReleaseFailure);
    expect(rig.reports.map(({ trouble }) => trouble)).toEqual([failure]);
    expect(rig.reports[0]?.record.attempts[0]?.stage).toBe("bought");
    expect(existsSync(rig.files)).toBe(false);
    expect(rig.log.text()).not.toContain("Nothing is billing");
  });

  test("is not hidden by a report or keys that make trouble of their own", async () => {
    const rig = await setUp();
    await rig.buy();
    const broken = () => {
      throw new Error("EACCES");
    };
    await expect(rig.finish({ openMarket: withoutToken, removeFiles: broken })).rejects.toThrow(ReleaseFailure);
    await expect(rig.finish({ openMarket: withoutToken, report: async () => broken() })).rejects.toThrow(ReleaseFailure);
    expect(rig.log.text()).toContain("EACCES");
  });

  test("for want of a token names the lease and what it may hold", async () => {
    const rig = await setUp();
    await rig.buy();
    const { leaseName, resourceIds } = rig.journal.attempt(1);
    const failure: unknown = await rig.finish({ openMarket: withoutToken }).catch((error: unknown) => error);
    if (!(failure instanceof ReleaseFailure)) throw failure;
    expect(failure.message).toContain("There is no token");
    for (const name of [leaseName, ...resourceIds]) expect(`${failure.message} ${failure.hint}`).toContain(name);
    expect(resourceIds).toHaveLength(1);
    expect(rig.reports[0]?.trouble).toBe(failure);
  });
});

describe("how long post tries", () => {
  test.each([
    ["the job was cancelled", true, false],
    ["main got a signal", false, true],
  ])("is 3 min 30 s at most when %s", async (_how, jobCancelled, cancelled) => {
    const rig = await setUp({ stock: [undeletable] });
    await rig.buy();
    rig.journal.noteLease({ cancelled });
    const began = rig.clock.ticks();
    await expect(rig.finish({ jobCancelled })).rejects.toThrow(ReleaseFailure);
    expect(rig.log.text()).toContain("trying for up to 3 min 30 s.");
    expect(rig.clock.ticks() - began).toBeLessThan(rig.journal.read().cleanupTimeout);
  });

  test("is cleanup-timeout when that is shorter, or nobody cancelled", async () => {
    const rig = await setUp();
    await rig.buy();
    await rig.finish();
    expect(rig.log.text()).toContain("trying for up to 10 min.");
  });
});
