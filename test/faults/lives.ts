import { fileURLToPath } from "node:url";
import { server } from "../../sandbox/clore/servers.ts";
import type { StandRun } from "../../sandbox/github/runs.ts";
import type { GitHubStand } from "../../sandbox/github/start-github.ts";
import type { MarketStand } from "../../sandbox/market-stand.ts";
import { startWorld, type World, type WorldOptions } from "../../sandbox/world.ts";

/** The lives of a lease that the campaign disturbs: each provider in each mode. */
export const lives = ["compute-clear ssh", "compute-clear runner", "clore ssh", "clore runner"] as const;
export type Life = (typeof lives)[number];

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
export const bundles = {
  main: path("dist/main/index.js"),
  post: path("dist/post/index.js"),
  sweep: path("dist/sweep/index.js"),
  actionYml: path("action.yml"),
  sweepYml: path("sweep/action.yml"),
};

const RUN_ID = 8_123_456_789;
const LABEL = `gpu-${RUN_ID}-1`;
/** World seconds in a real one. */
export const SCALE = 15;

export interface Stage {
  readonly world: World;
  readonly market: MarketStand;
  readonly github: GitHubStand;
  readonly run: StandRun;
  readonly inputs: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
}

const goods = (id: number, price: number) => ({
  vendor: id === 1 ? "nebius" : "scaleway",
  region: "EU",
  vendorRegion: `eu-${id}`,
  gpuType: "nvidia-h100-pcie-80gb",
  gpuFamily: "H100",
  gpuCount: 1,
  pricePerGpuHour: price,
  contractType: "ondemand" as const,
  gpus: { name: "NVIDIA H100 PCIe", count: 1 },
});

const worlds: Readonly<Record<string, WorldOptions>> = {
  "compute-clear": { stock: [goods(1, 2), goods(2, 3)], market: { provisionMs: 100, deleteMs: 60 } },
  clore: { clore: { servers: [server(1, 4.8), server(2, 9.6)], deployMs: 100, endMs: 60 } },
};

/** A world of its own for one life. */
export async function setStage(life: Life): Promise<Stage> {
  const [provider = "", mode = ""] = life.split(" ");
  const world = await startWorld({ machineKind: "embedded", timeScale: SCALE, github: {}, ...worlds[provider] });
  const { github, market } = world;
  if (github === undefined) throw new Error("The world has no GitHub.");
  const guard = {
    name: "gpu",
    status: "in_progress",
    runnerName: "GitHub Actions 7",
    runningStep: "Run org/gpu-provision@v1",
  } as const;
  const gpuJob = { name: "test", labels: [LABEL], script: "echo done" };
  const run = github.startRun({ runId: RUN_ID, jobs: mode === "runner" ? [guard, gpuJob] : [guard] });
  const common = {
    provider,
    token: market.token,
    "api-url": market.url,
    "gpu-type": provider === "clore" ? "RTX 4090" : "H100",
    "poll-interval": "2s",
    "max-lifetime": "20m",
    "provision-timeout": "10m",
  };
  const work =
    mode === "runner" ? { mode, "github-token": github.adminToken, "wait-for-job": "1m", mirror: "false" } : { run: "true" };
  return { world, market, github, run, inputs: { ...common, ...work }, env: { GITHUB_API_URL: github.url } };
}
