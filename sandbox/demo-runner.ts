import { fileURLToPath } from "node:url";
import { demoMarket } from "./demo-market.ts";
import { showEnd, showStory } from "./demo-show.ts";
import { runJob } from "./runner/run-job.ts";
import { startWorld } from "./world.ts";

/**
 * `npm run demo -- runner`: a guard rents one machine with two GPUs, on which two runners drain a matrix of four jobs. GitHub, the
 * marketplace and the machine are stand-ins on this computer; the bundles are the ones that GitHub runs.
 */
const path = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const RUN_ID = 8_123_456_789;
const label = `gpu-${RUN_ID}-1`;

export async function showRunnerMode(provider: "compute-clear" | "clore"): Promise<void> {
  const world = await startWorld({
    machineKind: "embedded",
    github: {},
    ...demoMarket(provider),
    stock: [
      {
        vendor: "nebius",
        region: "EU",
        vendorRegion: "eu-north1",
        gpuType: "nvidia-h100-sxm5-80gb",
        gpuFamily: "H100",
        gpuCount: 2,
        pricePerGpuHour: 2.1,
        contractType: "ondemand",
        gpus: { name: "NVIDIA H100 80GB HBM3", count: 2 },
      },
    ],
  });
  try {
    const { github, market } = world;
    if (github === undefined) throw new Error("The world has no GitHub.");
    const script = 'echo "GPU $CUDA_VISIBLE_DEVICES on runner $USER"; sleep 0.5';
    const jobs = ["cuda-12", "cuda-13", "pytorch", "jax"].map((name) => ({ name: `test (${name})`, labels: [label], script }));
    const guard = {
      name: "gpu",
      status: "in_progress",
      runnerName: "GitHub Actions 7",
      runningStep: "Run org/gpu-provision@v1",
    } as const;
    const run = github.startRun({ runId: RUN_ID, jobs: [guard, ...jobs] });
    const workflow = {
      provider,
      mode: "runner",
      "gpu-type": provider === "clore" ? "RTX 4090" : "H100",
      "gpu-count": "2",
      runners: "2",
      "max-price-per-gpu-hour": "2.80",
      "max-cost": "2",
      "poll-interval": "1s",
    };
    showStory(
      "The guard job's step",
      Object.entries(workflow).map(([name, value]) => `  ${name}: ${JSON.stringify(value)}`),
    );
    showStory(
      `Jobs with 'runs-on: ${label}'`,
      jobs.map(({ name }) => `  ${name}: queued`),
    );
    const job = await runJob({
      main: path("dist/main/index.js"),
      post: path("dist/post/index.js"),
      actionYml: path("action.yml"),
      directory: await world.makeJobDirectory(),
      env: { GITHUB_API_URL: github.url },
      inputs: { ...workflow, token: market.token, "api-url": market.url, "github-token": github.adminToken },
      secrets: [market.token, github.adminToken, github.runToken],
    });
    showStory("Log of main", job.main.log);
    for (const one of run.jobs.slice(1)) {
      showStory(`Job ${one.name}: ${one.conclusion}, on ${one.runnerName}`, one.output().trimEnd().split("\n"));
    }
    const served = run.jobs.slice(1).every(({ conclusion }) => conclusion === "success");
    const left = github.runners().filter(({ gone }) => gone === undefined);
    showStory("Runners that are still registered", [String(left.length)]);
    showEnd(job, market.ledger, served && left.length === 0);
  } finally {
    await world.close();
  }
}
