import { randomBytes } from "node:crypto";
import { constants } from "node:os";
import type { Readable } from "node:stream";
import type { Clock } from "../lease/clock.ts";
import { Failure } from "../lease/failure.ts";
import { plain } from "../lease/plain.ts";
import { asBytes } from "./bytes.ts";
import { launchCommand, type Refusal, refusals, runDirectory } from "./launcher.ts";
import { splitLines } from "./lines.ts";
import type { LineSink, RemoteScript } from "./machine.ts";
import type { Connection, Exit } from "./remote-process.ts";
import { type ReadingProgress, settleOutput } from "./settle.ts";
import { remotePathWord, shellWord } from "./shell-word.ts";

/** Thrown when the commands in `run` could not be started on the machine. */
export class ScriptFailure extends Failure {
  readonly code = "script";
}

const NOTHING_RAN = "None of the commands in 'run' was executed. The machine is deleted; its time until now is billed.";

// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell
function commandLine(shell: string, scriptPath: string, refuse: (why: Refusal) => string): string {
  const need = (program: string) => `command -v ${program} >/dev/null 2>&1 || ${refuse("no-shell")}`;
  switch (shell) {
    case "bash":
      return `${need("bash")}\nexec bash --noprofile --norc -eo pipefail ${scriptPath}`;
    case "sh":
      return `exec sh -e ${scriptPath}`;
    case "python":
      return `if command -v python3 >/dev/null 2>&1; then exec python3 ${scriptPath}; fi\n${need("python")}\nexec python ${scriptPath}`;
    default:
      if (shell.includes("{0}")) return shell.replaceAll("{0}", scriptPath);
      throw new ScriptFailure(
        `The shell '${plain(shell, 80)}' is not one of bash, sh and python and has no {0} for the path of the script.`,
        NOTHING_RAN,
      );
  }
}

function extensionFor(shell: string): string {
  if (/^python/.test(shell)) return ".py";
  if (/^(pwsh|powershell)/.test(shell)) return ".ps1";
  return ".sh";
}

/** The file that enters the working directory, sets the environment and becomes the script's shell. */
function writeGo(script: RemoteScript, nonce: string): string {
  const refuse = (why: Refusal) => `{ printf '%s\\n' '${nonce} ${why}' >&2; exit 125; }`;
  const path = `${runDirectory(nonce)}/script${extensionFor(script.shell)}`;
  return [
    `cd ${remotePathWord(script.workingDirectory ?? "~")} 2>/dev/null || ${refuse("no-directory")}`,
    ...Object.entries(script.env).map(([name, value]) => `export ${name}=${shellWord(value)}`),
    commandLine(script.shell, path, refuse),
    "",
  ].join("\n");
}

function explain(refusal: Refusal, script: RemoteScript): ScriptFailure {
  switch (refusal) {
    case "no-directory":
      return new ScriptFailure(
        `The working directory '${plain(script.workingDirectory ?? "~", 200)}' does not exist on the machine, or may not be entered.`,
        `${NOTHING_RAN} Paths that do not begin with a slash start at the home of the SSH user; 'upload' creates directories.`,
      );
    case "no-shell":
      return new ScriptFailure(
        `There is no '${plain(script.shell, 80)}' on the machine.`,
        `${NOTHING_RAN} Set 'shell: sh', or install it with 'cloud-init'.`,
      );
    case "no-temporary-directory":
      return new ScriptFailure(
        "The script could not be written to /tmp on the machine: it is full, or not writable.",
        NOTHING_RAN,
      );
    case "cut-short":
      return new ScriptFailure("The script did not reach the machine whole.", NOTHING_RAN);
  }
}

function exitCode(exit: Exit): number {
  if (exit.code !== null) return exit.code;
  const numbers: Readonly<Record<string, number>> = constants.signals;
  return 128 + (numbers[exit.signal ?? ""] ?? 0);
}

/**
 * Runs a script on the machine and passes its output on, line by line as it comes. Text and environment travel over the channel's
 * stdin, so no process shows them. Resolves to the exit code, 128 + N when signal N ended it. Rejects with ScriptFailure when it
 * was not started, with SshFailure when the connection is lost, with the signal's reason, and with what the sink throws.
 */
export async function runScript(
  connection: Connection,
  script: RemoteScript,
  sink: LineSink,
  signal: AbortSignal,
  clock: Clock,
): Promise<number> {
  const nonce = randomBytes(16).toString("hex");
  const go = Buffer.from(writeGo(script, nonce));
  const text = Buffer.from(script.text.endsWith("\n") ? script.text : `${script.text}\n`);
  if (go.includes(0) || text.includes(0))
    throw new ScriptFailure(
      "'run', 'env' or 'working-directory' contains a NUL character, which no shell can hold.",
      NOTHING_RAN,
    );

  let refusal: Refusal | undefined;
  const isRefusal = (line: string): boolean => {
    if (!line.startsWith(`${nonce} `)) return false;
    refusal = refusals.find((one) => line === `${nonce} ${one}`);
    return true;
  };
  const progress: ReadingProgress = { chunks: 0, busy: false };
  const read = async (stream: Readable, take: (line: string) => Promise<void> | void) => {
    const splitter = splitLines();
    const pass = async (lines: readonly string[]) => {
      progress.chunks += 1;
      for (const line of lines) {
        const taking = take(line);
        if (taking === undefined) continue;
        progress.busy = true;
        await taking;
        progress.busy = false;
      }
    };
    for await (const chunk of stream) await pass(splitter.push(asBytes(chunk)));
    await pass(splitter.end());
  };

  const process = await connection.start(launchCommand(go.length, text.length, nonce, extensionFor(script.shell)), signal);
  try {
    // Stdin stays open: its end is how the machine learns that we are gone.
    process.stdin.write(Buffer.concat([go, text]));
    const reading = Promise.all([
      read(process.stdout, (line) => sink.stdout(line)),
      read(process.stderr, (line) => (isRefusal(line) ? undefined : sink.stderr(line))),
    ]);
    const exit = await Promise.race([process.exited, reading.then(() => process.exited)]);
    await settleOutput(reading, progress, process, clock);
    if (refusal) throw explain(refusal, script);
    return exitCode(exit);
  } finally {
    process.close();
  }
}
