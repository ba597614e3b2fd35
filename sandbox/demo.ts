import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { ActionResult } from "./runner/run-action.ts";
import { runJob } from "./runner/run-job.ts";
import { startWorld } from "./world.ts";

/**
 * `npm run demo`: one job, from the purchase to the proof of deletion, against a marketplace and a machine on this computer. It
 * runs the shipped bundles as GitHub's runner would. No account and no money is involved.
 */
const path = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));

const workflow = {
  provider: "compute-clear",
  "gpu-type": "H100",
  "max-price-per-gpu-hour": "2.80",
  "max-cost": "1",
  "poll-interval": "1s",
  env: "GREETING=Hello from a rented GPU",
  upload: "kernels -> work",
  run: 'echo "$GREETING"\nnvidia-smi\nls work\nfor step in 1 2 3; do echo "training, step $step"; sleep 0.3; done\n',
};

const world = await startWorld({ machineKind: "embedded" });
try {
  const directory = await world.makeJobDirectory();
  show(
    "A job with this step",
    Object.entries(workflow).map(([name, value]) => `  ${name}: ${JSON.stringify(value)}`),
  );
  const job = await runJob({
    main: path("dist/main/index.js"),
    post: path("dist/post/index.js"),
    actionYml: path("action.yml"),
    directory,
    inputs: { ...workflow, upload: `${path("src/lease")} -> work`, token: world.market.token, "api-url": world.market.url },
    secrets: [world.market.token],
    between: useMachineAgain,
  });
  show("Log of main", job.main.log);
  show("Log of post", job.post.log);
  show("Job summary", [job.post.summary]);
  const { ledger } = world.market;
  const alive = ledger.alive();
  show("The marketplace's own ledger", [
    `rented: ${ledger.entries().length}`,
    `billed: ${ledger.billedSeconds().toFixed(1)} seconds, $${ledger.billedUsd().toFixed(6)}`,
    `deleted: ${ledger.entries().length - alive.length}`,
    `leaked: ${alive.length}`,
  ]);
  const asItShould = job.main.exitCode === 0 && job.post.exitCode === 0 && alive.length === 0 && ledger.entries().length > 0;
  process.exitCode = asItShould ? 0 : 1;
} finally {
  await world.close();
}

/** What a following step of the same job does with the output `ssh-command`. */
async function useMachineAgain(main: ActionResult): Promise<void> {
  const command = `${main.outputs["ssh-command"]} 'echo "the next step is on $(hostname), as $(whoami)"; nvidia-smi -L'`;
  try {
    const { stdout } = await promisify(execFile)("sh", ["-c", command]);
    show(`A following step: ${command}`, stdout.trimEnd().split("\n"));
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === 127;
    show("A following step", [missing ? "left out: this computer has no ssh client" : String(error)]);
    if (!missing) process.exitCode = 1;
  }
}

function show(title: string, lines: readonly string[]): void {
  console.log(`\n=== ${title} ===`);
  for (const line of lines) console.log(line);
}
