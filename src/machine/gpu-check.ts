import type { Clock, Deadline } from "../lease/clock.ts";
import { deadlineAfter, earlier } from "../lease/clock.ts";
import { formatDuration } from "../lease/duration.ts";
import { DeadlineFailure, GpuFailure } from "../lease/failure.ts";
import type { Log } from "../lease/log.ts";
import { plain } from "../lease/plain.ts";
import { isOfFamily } from "./gpu-names.ts";
import type { ExecResult, Machine } from "./machine.ts";

/** A GPU as the machine's driver sees it. `memoryMb` (MiB) is absent where the driver does not tell, as with MIG. */
export interface SeenGpu {
  readonly index: number;
  readonly name: string;
  readonly memoryMb?: number;
  readonly driver: string;
}

export interface GpuReport {
  readonly gpus: readonly SeenGpu[];
}

const DRIVER_PATIENCE = 180_000;
const PAUSE = 5_000;
const LONGEST_ANSWER = 30_000;

// A command over SSH gets a bare PATH on many images.
const QUERY =
  'PATH="$PATH:/usr/local/nvidia/bin:/usr/local/cuda/bin:/usr/local/bin:/usr/bin:/bin:/usr/lib/wsl/lib" ' +
  "nvidia-smi --query-gpu=index,name,memory.total,driver_version --format=csv,noheader,nounits";

const HINT =
  "Another offer can be tried. This machine is deleted; its time until now is billed. 'verify-gpu: false' skips this check.";

/** The GPUs in nvidia-smi's CSV; lines of another form, as for MIG devices, are passed over. */
export function readGpus(csv: string): readonly SeenGpu[] {
  return csv.split("\n").flatMap((line) => {
    const [index = "", name = "", memory = "", driver = ""] = line.split(",").map((field) => plain(field, 80));
    if (!/^\d+$/.test(index) || name === "" || driver === "") return [];
    const gpu = { index: Number(index), name, driver };
    return [/^\d+$/.test(memory) ? { ...gpu, memoryMb: Number(memory) } : gpu];
  });
}

function describeGpus(gpus: readonly SeenGpu[]): string {
  const counts = new Map<string, number>();
  for (const { name } of gpus) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => `${count}x ${name}`).join(", ");
}

/** What nvidia-smi says; undefined when it hangs, as it does while some drivers load. */
async function ask(machine: Pick<Machine, "exec">, signal: AbortSignal): Promise<ExecResult | undefined> {
  try {
    return await machine.exec(QUERY, { signal, timeoutMs: LONGEST_ANSWER, maxOutput: 65_536 });
  } catch (error) {
    if (error instanceof DeadlineFailure) return undefined;
    throw error;
  }
}

/** Why there is no answer yet, or undefined when the driver answered. */
function whyNotYet(result: ExecResult | undefined): string | undefined {
  if (result === undefined) return `nvidia-smi does not answer within ${LONGEST_ANSWER / 1000} s`;
  if (result.code === 0) return readGpus(result.stdout).length > 0 ? undefined : "nvidia-smi shows no GPU";
  if (result.code === 127 || result.code === 126) return "there is no nvidia-smi command";
  const words = plain(`${result.stdout} ${result.stderr}`, 160);
  return `nvidia-smi ends with ${result.code ?? result.signal}${words === "" ? "" : `: ${words}`}`;
}

/**
 * Looks at the machine's GPUs. While the driver does not answer, it is asked again every 5 s, for 3 minutes at most. Rejects with
 * GpuFailure when it stays silent, or shows fewer GPUs than were bought or others, with SshFailure and with the signal's reason.
 */
export async function checkGpus(
  machine: Pick<Machine, "exec">,
  bought: { readonly family: string; readonly gpuType: string; readonly count: number },
  world: { readonly clock: Clock; readonly log: Log; readonly signal: AbortSignal; readonly deadline: Deadline },
): Promise<GpuReport> {
  const { clock, log, signal } = world;
  const started = clock.ticks();
  const patience = earlier(deadlineAfter(clock, DRIVER_PATIENCE), world.deadline);
  const wanted = `${bought.count}x ${plain(bought.family || bought.gpuType, 60)}`;
  let reason: string | undefined;
  for (;;) {
    signal.throwIfAborted();
    const result = await ask(machine, signal);
    const why = whyNotYet(result);
    if (why === undefined && result !== undefined) {
      const gpus = readGpus(result.stdout);
      const right = gpus.filter((gpu) => isOfFamily(gpu.name, bought.family, bought.gpuType));
      if (right.length < bought.count)
        throw new GpuFailure(`The machine was sold as ${wanted}, but nvidia-smi shows ${describeGpus(gpus)}.`, HINT);
      log.info(`nvidia-smi shows ${describeGpus(gpus)}, driver ${gpus[0]?.driver}.`);
      return { gpus };
    }
    const elapsed = formatDuration(clock.ticks() - started);
    if (patience.passed()) throw new GpuFailure(`The machine was sold as ${wanted}, but after ${elapsed} ${why}.`, HINT);
    if (why !== reason) log.info(`The GPU driver is not ready (${why}); asking again every ${PAUSE / 1000} s.`);
    reason = why;
    await clock.sleep(Math.min(PAUSE, patience.left()), signal);
  }
}
