import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { templateMarketplace } from "../../docs/marketplace-template/market.ts";
import type { Clock } from "../../src/lease/clock.ts";
import { GRACE, type RunState, readOwnership } from "../../src/lease/expired.ts";
import { ReleaseFailure } from "../../src/lease/failure.ts";
import { silentLog } from "../../src/lease/log.ts";
import { writeLeaseName } from "../../src/lease/name.ts";
import type { Market, ResourceReading } from "../../src/market/provider.ts";
import { type ReapOrder, type ReapReport, reap } from "../../src/reap.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = Date.UTC(2026, 10, 21, 12);
const OURS = "acme/kernels";

/** Time that passes only while somebody waits. `skew` is what this clock is wrong by. */
function quickClock(skew = 0): Clock {
  let passed = 0;
  return {
    now: () => NOW + skew + passed,
    ticks: () => passed,
    async sleep(ms) {
      passed += ms;
    },
  };
}

interface Machine {
  readonly id: string;
  name: string | undefined;
  state: "alive" | "deleted" | "absent";
}

const PAGE = 500;

/** An account in memory. Requests are counted as they would be sent. */
function playFleet(machines: readonly Machine[], conduct: { readonly erase?: (machine: Machine) => void } = {}) {
  const byId = new Map(machines.map((machine) => [machine.id, machine]));
  const count = { pages: 0, reads: 0, erases: 0 };
  const never = () => Promise.reject(new Error("A sweep does not ask for this."));
  const market: Market = {
    ...templateMarketplace.open({ token: "t", apiUrl: "https://127.0.0.1:1", log: silentLog, clock: quickClock() }),
    search: never,
    progress: never,
    holdings: never,
    async *census() {
      for (let start = 0; start === 0 || start < machines.length; start += PAGE) {
        count.pages += 1;
        yield machines
          .slice(start, start + PAGE)
          .filter(({ state }) => state === "alive")
          .map(({ id, name }) => ({ id, ...(name === undefined ? {} : { name }) }));
      }
    },
    async read(id): Promise<ResourceReading> {
      count.reads += 1;
      const { name, state } = byId.get(id) ?? { name: undefined, state: "absent" as const };
      if (state === "absent") return { state };
      if (state === "deleted") return { state, linked: [] };
      return {
        state,
        status: "running",
        ...(name === undefined ? {} : { name }),
        isAnothers: () => false,
        fromOffer: () => false,
        linked: [],
      };
    },
    async erase(id) {
      count.erases += 1;
      const machine = byId.get(id);
      if (machine === undefined) return "absent";
      if (conduct.erase === undefined) machine.state = "deleted";
      else conduct.erase(machine);
      return "accepted";
    },
  };
  return { market, count };
}

const usual: ReapOrder = { repository: OURS, allRepositories: false, maxDeletions: 20, dryRun: false };
const leaseOf = (expiresAt: number, repository = OURS, runId = "77") =>
  writeLeaseName({ repository, runId, runAttempt: 1, expiresAt });
const alive = (id: string, name: string | undefined): Machine => ({ id, name, state: "alive" });

async function sweep(
  machines: readonly Machine[],
  change: Partial<ReapOrder> = {},
  extra: { skew?: number; runState?: (runId: string) => Promise<RunState>; erase?: (machine: Machine) => void } = {},
) {
  const fleet = playFleet(machines, extra.erase === undefined ? {} : { erase: extra.erase });
  const reports: ReapReport[] = [];
  const failure: unknown = await reap(
    { ...usual, ...change },
    {
      market: fleet.market,
      clock: quickClock(extra.skew),
      log: silentLog,
      ...(extra.runState === undefined ? {} : { runState: extra.runState }),
    },
    async (report) => {
      reports.push(report);
    },
  ).then(
    () => undefined,
    (error: unknown) => error,
  );
  const [report] = reports;
  if (report === undefined) throw new Error("The sweep told nothing.");
  return { ...fleet, report, failure };
}

describe("a sweep", () => {
  test("deletes what is 10 minutes past its end, proves it, and says why everything else is kept", async () => {
    const machines = [
      alive("over", leaseOf(NOW - GRACE - MINUTE)),
      alive("young", leaseOf(NOW - GRACE + 2 * MINUTE)),
      alive("theirs", leaseOf(NOW - HOUR, "acme/other")),
      alive("odd", "gpup-my-own-machine"),
      alive("stranger", "web-1"),
      alive("nameless", undefined),
    ];
    const { report, failure } = await sweep(machines);
    expect(failure).toBeUndefined();
    expect(report).toMatchObject({ listed: 6, found: 4, kept: 3, unproved: [], due: [] });
    expect(report.deleted).toMatchObject([{ id: "over", proof: "it reads 'deleted'", why: "its lease ended 11 min ago" }]);
    expect(Object.fromEntries(report.examples.map(({ id, why }) => [id, why]))).toEqual({
      young: "its time is over in 2 min",
      theirs: "it is of another repository",
      odd: "its name only looks like one of ours",
    });
    expect(machines.filter(({ state }) => state !== "alive").map(({ id }) => id)).toEqual(["over"]);
  });

  test("takes a completed run attempt for the end of its leases, and nothing else that GitHub says or does not", async () => {
    const at = NOW + HOUR;
    const machines = ["1", "2", "3"].map((run) => alive(run, leaseOf(at, OURS, run)));
    const states: Record<string, RunState> = { "1": "completed", "2": "going-on", "3": "unknown" };
    const asked: string[] = [];
    const other = alive("theirs", leaseOf(at, "acme/other", "4"));
    const { report } = await sweep(
      [...machines, other],
      { allRepositories: true },
      {
        async runState(runId) {
          asked.push(runId);
          return states[runId] ?? "completed";
        },
      },
    );
    expect(report.deleted.map(({ id, why }) => [id, why])).toEqual([["1", "its run attempt is completed"]]);
    expect(asked.toSorted()).toEqual(["1", "2", "3"]);
    expect(report.examples.map(({ why }) => why)).toContain(
      "GitHub does not tell of its run, and its time is over in 1 h 10 min",
    );
  });

  test("of other repositories only when it is told to", async () => {
    const { report } = await sweep([alive("theirs", leaseOf(NOW - HOUR, "acme/other"))], { allRepositories: true });
    expect(report.deleted).toHaveLength(1);
  });

  test("deletes no more than it may, the oldest first, and nothing in a dry run", async () => {
    const machines = [1, 3, 2].map((hours) => alive(`${hours}h`, leaseOf(NOW - hours * HOUR)));
    const dry = await sweep(machines, { dryRun: true });
    expect([dry.count.erases, dry.report.due.length]).toEqual([0, 3]);
    const { report } = await sweep(machines, { maxDeletions: 2 });
    expect(report.deleted.map(({ id }) => id).toSorted()).toEqual(["2h", "3h"]);
    expect(report.due.map(({ id }) => id)).toEqual(["1h"]);
  });

  test("looks once more right before: a name that has changed is left alone", async () => {
    const machine = alive("moved", leaseOf(NOW - HOUR));
    const rig = playFleet([machine]);
    const read: Market["read"] = (id) => {
      machine.name = "somebody-elses";
      return rig.market.read(id);
    };
    await reap(usual, { market: { ...rig.market, read }, clock: quickClock(), log: silentLog }, async ({ deleted }) => {
      expect(deleted).toEqual([]);
    });
    expect(rig.count.erases).toBe(0);
  });

  test("fails and names what is still there, with the command that deletes it", async () => {
    const { failure, report } = await sweep([alive("stubborn", leaseOf(NOW - HOUR))], {}, { erase: () => undefined });
    expect(report.unproved).toMatchObject([{ id: "stubborn" }]);
    expect(failure).toBeInstanceOf(ReleaseFailure);
    expect(failure).toMatchObject({ hint: expect.stringContaining("/machines/stubborn") });
  });
});

describe("any name", () => {
  test("is ours only when it is written exactly so", () => {
    const hostile = fc.oneof(
      fc.string(),
      fc.string().map((end) => `gpup-${end}`),
      fc.string().map((end) => `${leaseOf(NOW - HOUR)}${end || " "}`),
      fc.string().map((start) => `${start || "x"}${leaseOf(NOW - HOUR)}`),
      fc.constantFrom(leaseOf(NOW).toUpperCase(), `${leaseOf(NOW)}\n`, "gpup-00000000-1-0-aaaaaa-0"),
    );
    fc.assert(
      fc.property(hostile, (name) => {
        fc.pre(name !== name.trim() || !/^gpup-[0-9a-f]{8}-\d+-[1-9]\d*-[0-9a-z]{6}-[0-9a-z]+$/.test(name));
        expect(readOwnership(name, OURS, true).kind).not.toBe("lease");
      }),
    );
  });
});

describe("fleets of 10,000 machines", () => {
  const SKEW = 5 * MINUTE;
  const repositories = [OURS, OURS, "acme/other", "someone/else"];

  test.each([1, 2, 3])("no false deletion, none left that is over for long, and few requests: fleet %d", async (seed) => {
    const random = fc.sample(fc.double({ min: 0, max: 0.999_999, noNaN: true }), { seed, numRuns: 60_000 });
    let drawn = 0;
    const draw = () => random[drawn++ % random.length] ?? 0;
    const pick = <T>(list: readonly T[]): T => {
      const chosen = list[Math.floor(draw() * list.length)];
      if (chosen === undefined) throw new Error("There is nothing to choose from.");
      return chosen;
    };
    const truth = new Map<string, { readonly own: boolean; readonly expiresAt: number; readonly run: string }>();
    const machines = Array.from({ length: 10_000 }, (_, index) => {
      const id = `m${index}`;
      const kind = draw();
      if (kind < 0.05) return alive(id, undefined);
      if (kind < 0.2) return alive(id, pick(["web-1", "", "gpu-provision", "\u001b[31m", "a|b"]));
      const repository = pick(repositories);
      const expiresAt = Math.ceil((NOW + (draw() - 0.7) * 4 * HOUR) / MINUTE) * MINUTE;
      const run = String(1 + Math.floor(draw() * 300));
      const name = leaseOf(expiresAt, repository, run);
      if (kind < 0.3)
        return alive(id, pick([`${name} `, `x${name}`, name.toUpperCase(), `${name}\n::error::x`, name.slice(0, -9)]));
      truth.set(id, { own: repository === OURS, expiresAt, run });
      return alive(id, name);
    });
    const stateOf = (run: string): RunState =>
      (["going-on", "going-on", "completed", "unknown"] as const)[Number(run) % 4] ?? "unknown";
    const asked: string[] = [];
    const { count, failure, report } = await sweep(
      machines,
      { maxDeletions: 20_000 },
      {
        skew: (draw() - 0.5) * 2 * SKEW,
        async runState(run) {
          asked.push(run);
          return stateOf(run);
        },
      },
    );
    expect(failure).toBeUndefined();
    const gone = new Set(machines.filter(({ state }) => state !== "alive").map(({ id }) => id));
    expect(gone.size).toBeGreaterThan(500);
    for (const id of gone) {
      const lease = truth.get(id);
      const isOver = lease?.own && (NOW >= lease.expiresAt || stateOf(lease.run) === "completed");
      expect(isOver, `${id} was deleted`).toBe(true);
    }
    for (const [id, { expiresAt, own }] of truth) {
      if (own && NOW - expiresAt > 15 * MINUTE) expect(gone.has(id), `${id} was left`).toBe(true);
    }
    expect(new Set(asked).size).toBe(asked.length);
    expect(count.pages + count.reads + count.erases + asked.length).toBeLessThanOrEqual(
      count.pages + 4 * gone.size + asked.length,
    );
    expect(report.examples.length).toBeLessThanOrEqual(50);
  });
});
