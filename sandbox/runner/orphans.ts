import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

/** Of a process on Linux; empty when it has ended meanwhile, and everywhere else. */
function readProcess(pid: string, file: "cmdline" | "environ"): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return "";
  }
}

function processIds(): readonly string[] {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return []; // only Linux shows its processes as files
  }
}

/** The arguments of every process of this computer, as anyone on it could read them. */
export function listArguments(): readonly string[] {
  return processIds().map((pid) => readProcess(pid, "cmdline").replaceAll("\0", " "));
}

/** The processes that the steps of a job have left behind: they carry its directory in their environment. */
export function orphansOf(directory: string): readonly number[] {
  return processIds()
    .filter((pid) => readProcess(pid, "environ").includes(`RUNNER_TEMP=${directory}/temp\0`))
    .map(Number);
}

/** Ends what a job has left behind, as the runner does after the last post step (JobExtension.cs of actions/runner). */
export async function endOrphans(directory: string): Promise<void> {
  for (let round = 0; round < 250; round += 1) {
    const left = orphansOf(directory);
    if (left.length === 0) return;
    for (const pid of left) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
    await pause(20);
  }
  throw new Error(`Processes of the job do not end: ${orphansOf(directory).join(", ")}`);
}
