import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { demoMarket } from "./demo-market.ts";
import { showEnd, showStory } from "./demo-show.ts";
import type { ActionResult } from "./runner/run-action.ts";
import { runJob } from "./runner/run-job.ts";
import { startWorld } from "./world.ts";

const path = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));

const goods = {
  "compute-clear": { "gpu-type": "H100", "max-price-per-gpu-hour": "2.80" },
  clore: { "gpu-type": "RTX 4090", "max-price-per-gpu-hour": "0.30", ports: "8888/http" },
};

const work = {
  "max-cost": "1",
  "poll-interval": "1s",
  env: "GREETING=Hello from a rented GPU",
  upload: "kernels -> work",
  run: 'echo "$GREETING"\nnvidia-smi\nls work\nfor step in 1 2 3; do echo "training, step $step"; sleep 0.3; done\n',
};

/** A job that uploads, runs commands on the machine and lets a following step use it as well. */
export async function showSshMode(provider: keyof typeof goods): Promise<void> {
  const world = await startWorld({ machineKind: "embedded", ...demoMarket(provider) });
  const workflow = { provider, ...goods[provider], ...work };
  try {
    showStory(
      "A job with this step",
      Object.entries(workflow).map(([name, value]) => `  ${name}: ${JSON.stringify(value)}`),
    );
    const job = await runJob({
      main: path("dist/main/index.js"),
      post: path("dist/post/index.js"),
      actionYml: path("action.yml"),
      directory: await world.makeJobDirectory(),
      inputs: { ...workflow, upload: `${path("src/lease")} -> work`, token: world.market.token, "api-url": world.market.url },
      secrets: [world.market.token],
      between: useMachineAgain,
    });
    showStory("Log of main", job.main.log);
    showEnd(job, world.market.ledger, true);
  } finally {
    await world.close();
  }
}

/** What a following step of the same job does with the output `ssh-command`. */
async function useMachineAgain(main: ActionResult): Promise<void> {
  const command = `${main.outputs["ssh-command"]} 'echo "the next step is on $(hostname), as $(whoami)"; nvidia-smi -L'`;
  try {
    const { stdout } = await promisify(execFile)("sh", ["-c", command]);
    showStory(`A following step: ${command}`, stdout.trimEnd().split("\n"));
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === 127;
    showStory("A following step", [missing ? "left out: this computer has no ssh client" : String(error)]);
    if (!missing) process.exitCode = 1;
  }
}
