import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runAction } from "../sandbox/runner/run-action.ts";
import { startWorld } from "../sandbox/world.ts";

const RUN_ID = 8_123_456_789;
const path = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));

export interface LastJobs {
  /** Milliseconds from the moment at which GitHub knew of the end of the last job to the DELETE's arrival. */
  readonly toDelete: readonly number[];
  /** The same for whoever asks GitHub every 15 s only: the asking began with the guard. */
  readonly byPolling: readonly number[];
}

const POLL = 15_000;

/** Holds machines for jobs of different lengths through the shipped bundle, with nothing else of the run open. */
export async function measureLastJobs(runs: number): Promise<LastJobs> {
  const toDelete: number[] = [];
  const byPolling: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const { began, ended, deleted } = await holdOnce(1 + (run % 4));
    toDelete.push(deleted - ended);
    byPolling.push(POLL - ((ended - began) % POLL));
  }
  return { toDelete, byPolling };
}

async function holdOnce(seconds: number): Promise<{ began: number; ended: number; deleted: number }> {
  const world = await startWorld({ machineKind: "embedded", github: {}, market: { provisionMs: 100 } });
  const directory = mkdtempSync(join(tmpdir(), "gpu-bench-"));
  try {
    const { github, market } = world;
    if (github === undefined) throw new Error("The world has no GitHub.");
    const guard = { name: "gpu", status: "in_progress", runnerName: "GitHub Actions 7" } as const;
    const job = { name: "test", labels: [`gpu-${RUN_ID}-1`], script: `sleep ${seconds}` };
    const run = github.startRun({ runId: RUN_ID, jobs: [guard, job] });
    const began = Date.now();
    const main = await runAction({
      entry: path("dist/main/index.js"),
      actionYml: path("action.yml"),
      directory,
      env: { GITHUB_API_URL: github.url },
      inputs: {
        mode: "runner",
        token: market.token,
        "api-url": market.url,
        "github-token": github.adminToken,
        "gpu-type": "H100",
        "poll-interval": "1s",
      },
    });
    const result = await main.done;
    const ended = run.job("test").completedAt;
    const deleted = market.requests.find(({ method }) => method === "DELETE")?.at;
    if (ended === undefined || deleted === undefined) throw new Error(`The guard deleted nothing:\n${result.log.join("\n")}`);
    return { began, ended, deleted };
  } finally {
    rmSync(directory, { recursive: true, force: true });
    await world.close();
  }
}
