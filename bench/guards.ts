import { setTimeout as pause } from "node:timers/promises";
import { type GitHubStand, startGitHub } from "../sandbox/github/start-github.ts";
import { startWorldClock } from "../sandbox/world-clock.ts";
import { type GuardDeps, guard } from "../src/guard.ts";
import { type Clock, systemClock } from "../src/lease/clock.ts";
import { openJournal } from "../src/lease/journal.ts";
import { silentLog } from "../src/lease/log.ts";
import type { Guarding } from "../src/lease/plan.ts";
import type { Machine } from "../src/machine/machine.ts";
import type { Market } from "../src/market/provider.ts";
import { openRunnerService } from "../src/runner/service.ts";
import { playMarket } from "./played-market.ts";
import { playRunners } from "./played-runners.ts";

const HOUR = 3_600_000;
const RUN_ID = 8_123_456_789;
const ADMINISTRATION_ONLY = {
  token: "administration-only-token",
  permissions: { administration: "write" } as const,
  limit: 5_000,
};

export interface GuardCosts {
  readonly guards: number;
  /** Jobs that were served, of as many as there are guards. */
  readonly served: number;
  /** Requests that counted against the rate limits within the hour. */
  readonly byRunToken: number;
  readonly byGitHubToken: number;
}

export interface Simulation {
  readonly guards: number;
  /** World seconds in a real one. */
  readonly scale: number;
  /** Whether `github-token` may see jobs; else `run-token` alone has to. */
  readonly seesJobs: boolean;
}

/**
 * An hour of guards of one matrix, each with a job of its own in the same run. GitHub is the sandbox's, which counts as GitHub does;
 * what the guards do is the shipped story; marketplace and machines are played.
 */
export async function simulateGuards({ guards, scale, seesJobs }: Simulation): Promise<GuardCosts> {
  const world = startWorldClock(scale);
  const clock: Clock = {
    now: world.now,
    ticks: () => performance.now() * scale,
    sleep: (ms, signal) => systemClock.sleep(ms / scale, signal),
  };
  const github = await startGitHub({ clock: world, tokens: [ADMINISTRATION_ONLY], sessionTimeoutMs: HOUR });
  try {
    const label = (index: number) => `gpu-${RUN_ID}-1-${index}`;
    const numbers = Array.from({ length: guards }, (_, index) => index);
    const run = github.startRun({
      runId: RUN_ID,
      jobs: [
        ...numbers.map((index) => ({ name: `gpu (${index})`, status: "in_progress" as const, runnerName: `hosted-${index}` })),
        ...numbers.map((index) => ({ name: `test (${index})`, labels: [label(index)] })),
      ],
    });
    const token = seesJobs ? github.adminToken : ADMINISTRATION_ONLY.token;
    const end = new AbortController();
    const playing = numbers.map(async (index) => {
      // Hosted machines take up jobs one after the other, and jobs last between 20 and 50 minutes.
      await clock.sleep((index / guards) * 120_000);
      const worksFor = (guards === 1 ? 55 : 20 + (30 * ((index * 37) % guards)) / guards) * 60_000;
      await guard(rigGuard({ index, guards, label: label(index), token, worksFor, clock, github, signal: end.signal }));
    });
    const ended = Promise.allSettled(playing);
    await Promise.race([ended, pause(HOUR / scale)]);
    const costs = { byRunToken: github.counted(github.runToken), byGitHubToken: github.counted(token) };
    end.abort(new Error("The hour of the simulation is over."));
    const failed = (await ended).find((one) => one.status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
    const served = run.jobs.filter((job) => job.name.startsWith("test") && job.conclusion === "success").length;
    return { guards, served, ...costs };
  } finally {
    await github.close();
  }
}

interface Rig {
  readonly index: number;
  readonly guards: number;
  readonly label: string;
  readonly token: string;
  readonly worksFor: number;
  readonly clock: Clock;
  readonly github: GitHubStand;
  readonly signal: AbortSignal;
}

function rigGuard({ index, guards, label, token, worksFor, clock, github, signal }: Rig): GuardDeps {
  const market: Market = playMarket();
  const runners = playRunners(clock, worksFor);
  const guarding: Guarding = {
    labels: [label],
    scope: { kind: "repository", owner: "acme", repository: "kernels" },
    groupId: 1,
    version: "latest",
    runners: 1,
    docker: "auto",
    credentials: { kind: "token", token },
    runToken: github.runToken,
    matrix: { index, total: guards },
    waitForJob: 1_800_000,
    requireJob: false,
    hold: true,
    mirror: true,
    idleTimeout: 300_000,
    linger: 15_000,
    cancelGrace: 0,
    cancelRunOnFailure: true,
  };
  const context = {
    repository: "acme/kernels",
    runId: String(RUN_ID),
    runAttempt: 1,
    tempDirectory: "/nowhere",
    workspace: "/nowhere",
    gitHubApiUrl: github.url,
    runnerName: `hosted-${index}`,
    actionRepository: "org/gpu-provision",
  };
  const world = { clock, log: silentLog };
  const machine: Machine = {
    hostPublicKey: "",
    exec: async () => ({ code: 0, stdout: "", stderr: "" }),
    run: async () => 0,
    upload: async () => ({ files: 0, bytes: 0 }),
    download: async () => ({ files: 0, bytes: 0 }),
    lost: new Promise(() => undefined),
    close: () => undefined,
  };
  return {
    ...world,
    guarding,
    context,
    market,
    runners,
    signal,
    github: openRunnerService({ ...world, ...context, apiUrl: github.url, guarding, maskSecret: () => undefined }),
    plan: {
      provider: "compute-clear",
      token: "played",
      apiUrl: "played",
      wish: { gpuTypes: ["H100"], gpuCount: 1, contractType: "ondemand", regions: [], vendors: [], excludedVendors: [] },
      limits: {
        maxLifetime: 2 * HOUR,
        maxAttempts: 3,
        waitForOffer: 0,
        provisionTimeout: 900_000,
        pollInterval: 15_000,
        cleanupTimeout: 600_000,
      },
      work: { shell: "bash", env: {}, uploads: [], uploadIgnore: [], downloads: [] },
      guarding,
      verifyGpu: false,
      hostKey: "strict",
      release: "post",
      dryRun: false,
    },
    journal: openJournal(
      {
        version: 1,
        provider: "compute-clear",
        apiUrl: "played",
        cleanupTimeout: 600_000,
        guard: { labels: [label], scope: "acme/kernels", records: [], jobs: [] },
        attempts: [],
      },
      { save: () => undefined },
      () => undefined,
    ),
    accessDirectory: "/nowhere",
    outputs: () => undefined,
    reportOffers: async () => undefined,
    showMachineOutput: () => ({ stdout: () => undefined, stderr: () => undefined, close: () => undefined }),
    watchExpiry: () => undefined,
    loadMachineKit: async () => ({
      makeLeaseKeys: (name) => ({ client: { privateKey: name, publicKey: name }, host: { privateKey: name, publicKey: name } }),
      composeCloudInit: () => "",
      applyParts: async () => undefined,
      connect: async () => machine,
      checkGpus: async () => ({ gpus: [] }),
      writeSshFiles: () => ({ keyPath: "", configPath: "", knownHostsPath: "", command: "" }),
    }),
  };
}
