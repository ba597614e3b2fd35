import { readdirSync } from "node:fs";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { MARKER } from "./processes.ts";
import { nvidiaSmiScript, type ShownGpus } from "./stand-in-nvidia-smi.ts";
import { writeStandInPrograms } from "./stand-in-programs.ts";

/** Where a stand-in machine's commands run: a home of its own, and a PATH that begins with its own programs. */
export interface MachineFiles {
  readonly home: string;
  readonly environment: Readonly<Record<string, string>>;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    // A PATH may name directories that do not exist.
    return [];
  }
}

/** Links to every program that this process would find, but one. */
async function linkAllBut(missing: string, into: string): Promise<void> {
  const taken = new Set([missing, ...namesIn(into)]);
  for (const directory of (process.env["PATH"] ?? "").split(delimiter)) {
    for (const name of namesIn(directory)) {
      if (taken.has(name)) continue;
      taken.add(name);
      await symlink(join(directory, name), join(into, name));
    }
  }
}

export async function makeMachineFiles(options: {
  readonly directory: string;
  readonly marker: string;
  readonly gpus: ShownGpus;
  readonly withoutTar: boolean;
  /** Where the machine's own files lie, with whatever changes a computer played by stand-ins; none unless told. */
  readonly root?: string;
}): Promise<MachineFiles> {
  const home = join(options.directory, "home");
  const programs = join(options.directory, "bin");
  await mkdir(home, { recursive: true, mode: 0o700 });
  await mkdir(programs, { recursive: true });
  await writeFile(join(programs, "nvidia-smi"), nvidiaSmiScript(options.gpus));
  await chmod(join(programs, "nvidia-smi"), 0o755);
  if (options.root !== undefined) await writeStandInPrograms(programs, join(options.directory, "calls"));
  if (options.withoutTar) await linkAllBut("tar", programs);
  return {
    home,
    environment: {
      HOME: home,
      PATH: options.withoutTar ? programs : [programs, process.env["PATH"] ?? "/usr/bin:/bin"].join(delimiter),
      USER: "root",
      LOGNAME: "root",
      SHELL: "/bin/sh",
      [MARKER]: options.marker,
      ...(options.root === undefined ? {} : { GPU_PROVISION_ROOT: options.root, GPUP_SANDBOX_NODE: process.execPath }),
    },
  };
}
