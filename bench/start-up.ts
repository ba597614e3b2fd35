import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inputVariables, readInputDefaults } from "../sandbox/runner/action-inputs.ts";
import { encodeJournal } from "../src/lease/journal.ts";
import { writeLeaseName } from "../src/lease/name.ts";

const root = join(import.meta.dirname, "..");
const LONGEST_START = 30_000;
const REPOSITORY = "acme/kernels";
const RUN_ID = "8123456789";

export interface Start {
  /** From the start of the process to its first request; for bare Node, to its end. */
  readonly ms: number;
  /** Most memory that the process had until then; undefined where the system does not say. */
  readonly peakBytes?: number;
}

export type Starts = Readonly<Record<"bare" | "main" | "post", readonly Start[]>>;

function runnerVariables(directory: string, apiUrl: string): Record<string, string> {
  const actionYml = readFileSync(join(root, "action.yml"), "utf8");
  const defaults = readInputDefaults(actionYml, { githubToken: "none", jobStatus: "success", jobTotal: 1 });
  return {
    ...inputVariables({ ...defaults, token: "cc-token-for-the-benchmark", "api-url": apiUrl, "gpu-type": "H100" }),
    GITHUB_EVENT_NAME: "push",
    GITHUB_REPOSITORY: REPOSITORY,
    GITHUB_RUN_ATTEMPT: "1",
    GITHUB_RUN_ID: RUN_ID,
    GITHUB_WORKSPACE: directory,
    HOME: directory,
    RUNNER_ENVIRONMENT: "github-hosted",
    RUNNER_TEMP: directory,
  };
}

/** What main leaves behind after one purchase: post begins by deleting it. */
function boughtLease(apiUrl: string): string {
  const sent = Date.now();
  const expiresAt = sent + 7_200_000;
  return encodeJournal({
    version: 1,
    provider: "compute-clear",
    apiUrl,
    cleanupTimeout: 600_000,
    attempts: [
      {
        number: 1,
        stage: "bought",
        leaseName: writeLeaseName({ repository: REPOSITORY, runId: RUN_ID, runAttempt: 1, expiresAt }),
        offerId: "7f9c24e8-3b12-4fef-91e0-4d1f5b5f7a10",
        gpu: "nvidia-h100-sxm5-80gb",
        vendor: "acme",
        region: "EU",
        pricePerHour: 2.5,
        resourceIds: ["0b1c9a52-6a52-4a57-8a3e-6d4b9a6c2f11"],
        expiresAt,
        sent,
        answered: sent,
      },
    ],
  });
}

// https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
function readPeak(pid: number | undefined): { peakBytes?: number } {
  try {
    const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return kibibytes === undefined ? {} : { peakBytes: Number(kibibytes) * 1024 };
  } catch {
    return {}; // not Linux
  }
}

async function startBare(): Promise<Start> {
  const started = performance.now();
  const child = spawn(process.execPath, ["-e", "0"], { stdio: "ignore", env: {}, timeout: LONGEST_START });
  await once(child, "exit");
  return { ms: performance.now() - started };
}

/**
 * Starts bare Node and both shipped bundles in turns, `runs` times each after a round that only warms the caches. A server on
 * loopback notes when a bundle's first request arrives; the bundle is ended then.
 */
export async function measureStarts(runs: number): Promise<Starts> {
  const directory = mkdtempSync(join(tmpdir(), "gpu-bench-"));
  let arrived: (request: IncomingMessage) => void = () => undefined;
  const server = createServer((request) => arrived(request));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  const apiUrl = `http://127.0.0.1:${address.port}`;
  const env = runnerVariables(directory, apiUrl);

  const startBundle = async (entry: "main" | "post", more: Record<string, string>, expected: string): Promise<Start> => {
    const { promise, resolve, reject } = Promise.withResolvers<Start>();
    const started = performance.now();
    const child = spawn(process.execPath, [join(root, "dist", entry, "index.js")], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...env, ...more },
      timeout: LONGEST_START,
      killSignal: "SIGKILL",
    });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    arrived = (request) => {
      const ms = performance.now() - started;
      const what = `${request.method} ${request.url}`;
      if (what.startsWith(expected)) resolve({ ms, ...readPeak(child.pid) });
      else reject(new Error(`The first request of ${entry} is ${what}, not ${expected}.`));
      child.kill("SIGKILL");
    };
    await once(child, "close");
    reject(new Error(`dist/${entry} ended before its first request:\n${output}`));
    return promise;
  };

  try {
    const starts = { bare: [] as Start[], main: [] as Start[], post: [] as Start[] };
    for (let run = 0; run <= runs; run += 1) {
      const round = {
        bare: await startBare(),
        main: await startBundle("main", {}, "POST /get_offers"),
        post: await startBundle("post", { STATE_lease: boughtLease(apiUrl) }, "GET /resources/"),
      };
      if (run === 0) continue;
      for (const name of ["bare", "main", "post"] as const) starts[name].push(round[name]);
    }
    return starts;
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(directory, { recursive: true, force: true });
  }
}
