import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

export interface Outcome {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. Without `environment` it has ours. */
export async function runProgram(
  argv: readonly [string, ...string[]],
  options: { readonly stdin?: string; readonly environment?: NodeJS.ProcessEnv } = {},
): Promise<Outcome> {
  const [program, ...rest] = argv;
  const child = spawn(program, rest, { stdio: ["pipe", "pipe", "pipe"], env: options.environment ?? process.env });
  const ended = once(child, "close");
  child.stdin.once("error", () => {
    // It has ended without reading all; its exit code tells how.
  });
  child.stdin.end(options.stdin ?? "");
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code: child.exitCode, stdout, stderr };
}

/** What a program prints; throws with its last words unless it succeeds. */
export async function demandProgram(...[argv, options]: Parameters<typeof runProgram>): Promise<string> {
  const { code, stdout, stderr } = await runProgram(argv, options);
  if (code === 0) return stdout;
  const last = `${stdout}\n${stderr}`.trim().split("\n").slice(-15).join("\n");
  throw new Error(`'${argv.join(" ")}' has failed with exit code ${code}:\n${last}`);
}
