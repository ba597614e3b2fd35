import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

/** The variable by which a machine's processes are known, whatever session or group they have moved to. */
export const MARKER = "SANDBOX_MACHINE";

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    // It has ended meanwhile, or this is not Linux.
    return "";
  }
}

function allPids(): number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    // Only Linux has /proc; elsewhere the process groups have to do.
    return [];
  }
}

// `pid (name) state ppid …`, and the name may hold anything.
function readStat(pid: number): { state: string; parent: number } {
  const [state = "", parent = "0"] = readProc(pid, "stat")
    .replace(/^.*\) /s, "")
    .split(" ");
  return { state, parent: Number(parent) };
}

/** Living processes that carry the marker, and those that descend from `roots`, the roots included. */
export function processesOf(marker: string, roots: readonly number[]): number[] {
  const living = allPids()
    .map((pid) => ({ pid, ...readStat(pid) }))
    .filter(({ pid, state }) => state !== "" && state !== "Z" && pid !== process.pid);
  const found = new Set(roots);
  for (let grown = true; grown; ) {
    grown = false;
    for (const { pid, parent } of living) {
      if (found.has(pid) || !found.has(parent)) continue;
      found.add(pid);
      grown = true;
    }
  }
  const marked = `${MARKER}=${marker}\0`;
  return living.filter(({ pid }) => found.has(pid) || readProc(pid, "environ").includes(marked)).map(({ pid }) => pid);
}

/** Kills until none is left; throws when some do not go within five seconds. */
export async function endProcesses(marker: string, roots: readonly number[]): Promise<void> {
  for (let round = 0; round < 250; round += 1) {
    const left = processesOf(marker, roots);
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
  throw new Error(`Processes of the stand-in machine do not end: ${processesOf(marker, roots).join(", ")}`);
}
