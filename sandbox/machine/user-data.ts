import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, open, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import * as z from "zod";

const commands = z.array(z.union([z.string(), z.array(z.string())])).default([]);
const document = z.object({
  bootcmd: commands,
  write_files: z
    .array(
      z.object({
        path: z.string(),
        content: z.string().default(""),
        permissions: z.string().default("0644"),
        encoding: z.enum(["b64", "base64", "text/plain"]).optional(),
        append: z.boolean().default(false),
      }),
    )
    .default([]),
  runcmd: commands,
});

export interface AppliedMachine {
  /** The directory below which everything of the document lies. */
  readonly root: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The machine ends: nothing is started any more. */
  readonly signal: AbortSignal;
}

/**
 * Applies a `#cloud-config` document below a directory, as cloud-init does on a machine: the commands of the boot, files, then the
 * commands of the first boot, each list as one script. Commands find the directory in GPU_PROVISION_ROOT. Resolves to what they
 * printed, which stands where cloud-init has it too. Of any other document nothing is applied.
 */
export async function applyUserData(cloudInit: string, machine: AppliedMachine): Promise<string> {
  if (!cloudInit.startsWith("#cloud-config")) return "";
  const { root } = machine;
  const { bootcmd, write_files, runcmd } = document.parse(parse(cloudInit));
  const log = join(root, "var/log/cloud-init-output.log");
  await mkdir(dirname(log), { recursive: true });
  await writeFile(log, "");
  await runAll(bootcmd, "boot", machine, log);
  for (const { path, content, permissions, encoding, append } of write_files) {
    const at = join(root, path);
    await mkdir(dirname(at), { recursive: true });
    const bytes = encoding === "b64" || encoding === "base64" ? Buffer.from(content, "base64") : Buffer.from(content);
    await writeFile(at, bytes, { flag: append ? "a" : "w", mode: Number.parseInt(permissions, 8) });
    await chmod(at, Number.parseInt(permissions, 8));
  }
  await runAll(runcmd, "run", machine, log);
  return readFile(log, "utf8");
}

/** Done when the script has ended; what it left running in the background goes on. */
async function runAll(
  list: z.infer<typeof commands>,
  name: string,
  { root, environment, signal }: AppliedMachine,
  log: string,
): Promise<void> {
  const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;
  const script = join(root, `${name}cmd.sh`);
  const lines = list.map((command) => (typeof command === "string" ? command : command.map(quoted).join(" ")));
  await writeFile(script, `#!/bin/sh\n${lines.join("\n")}\n`, { mode: 0o700 });
  const output = await open(log, "a");
  try {
    signal.throwIfAborted();
    const child = spawn("sh", [script], { cwd: root, env: environment, stdio: ["ignore", output.fd, output.fd], detached: true });
    await once(child, "exit");
  } finally {
    await output.close();
  }
}
