import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type DefaultsContext, inputVariables, readInputDefaults } from "./action-inputs.ts";
import { readRecords } from "./command-files.ts";
import { type OutputLine, splitLines } from "./lines.ts";
import { followCommands, type WorkflowCommand } from "./workflow-commands.ts";

export interface ActionOptions {
  /** Absolute path of the bundle, such as `dist/main/index.js`. */
  readonly entry: string;
  /** The `with:` block. */
  readonly inputs?: Readonly<Record<string, string>>;
  /** Absolute path of an action.yml, whose defaults fill the inputs. */
  readonly actionYml?: string;
  /** What expressions in these defaults stand for; a token that is no real one, `success`, one job. */
  readonly defaults?: Partial<DefaultsContext>;
  /** Variables that are added to the runner's own, or replace them. */
  readonly env?: Readonly<Record<string, string>>;
  /** State of an earlier step of the same action, by name. */
  readonly state?: Readonly<Record<string, string>>;
  /** An existing directory of the job; temp, workspace and home are made in it, and kept from step to step. */
  readonly directory: string;
  /** What GitHub would mask because it is a secret of the repository. */
  readonly secrets?: readonly string[];
  /** Modules that are loaded before the entry. */
  readonly preload?: readonly string[];
  /** Time of the process, and the runner's own waits, run so many times faster; see `scale-time.cjs`. */
  readonly timeScale?: number;
  /** Real milliseconds since the epoch at which scaled and real time were the same. */
  readonly timeOrigin?: number;
  /** Where the runner's files are, when a test puts them elsewhere (a full disk, a directory that is read-only). */
  readonly files?: Partial<Record<CommandFile, string>>;
}

export type CommandFile = "path" | "env" | "step_summary" | "state" | "output";

export interface ActionResult {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What the runner would show: any other exit than 0, a torn file or a refused command is a failure. */
  readonly conclusion: "success" | "failure";
  readonly outputs: Readonly<Record<string, string>>;
  readonly state: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly paths: readonly string[];
  /** Markdown, masks applied. */
  readonly summary: string;
  /** The summary as it was written. */
  readonly rawSummary: string;
  readonly commands: readonly WorkflowCommand[];
  /** The lines that the user sees. */
  readonly log: readonly string[];
  readonly lines: readonly OutputLine[];
  /** Why a file of the runner could not be read to its end. */
  readonly fileCommandError?: string;
  /** Real milliseconds between start and end. */
  readonly durationMs: number;
}

export interface RunningAction {
  readonly pid: number;
  /** Raw lines so far, both streams in the order in which they came. */
  readonly lines: readonly OutputLine[];
  /** The raw lines as one text. */
  output(): string;
  /** The first line, past ones included, that matches. Rejects after `timeoutMs` real milliseconds, or when the process ends without it. */
  waitForLine(pattern: RegExp | string, timeoutMs: number): Promise<OutputLine>;
  /** To this process only, as the runner does. False when it has ended. */
  signal(name: NodeJS.Signals): boolean;
  /** SIGINT, SIGTERM 7.5 s later, SIGKILL 2.5 s after that, whatever is left alive. */
  cancel(): Promise<ActionResult>;
  /** SIGKILL at once, as when the machine of the runner is lost. */
  kill(): Promise<ActionResult>;
  readonly done: Promise<ActionResult>;
}

/** Of ProcessInvoker in actions/runner: SIGINT, then SIGTERM, then SIGKILL; and its patience with streams that a child holds open. */
const SIGINT_PATIENCE_MS = 7500;
const SIGTERM_PATIENCE_MS = 2500;
const STREAM_PATIENCE_MS = 5000;
/** A summary beyond that is refused. */
const LARGEST_SUMMARY = 1024 * 1024;

const COMMAND_FILES = ["path", "env", "step_summary", "state", "output"] as const satisfies readonly CommandFile[];
const scaleTimePreload = fileURLToPath(new URL("../scale-time.cjs", import.meta.url));

/** STATE_* variables that post gets from what an earlier step saved. */
export function stateForPost(result: Pick<ActionResult, "state">): Record<string, string> {
  return Object.fromEntries(Object.entries(result.state).map(([name, value]) => [`STATE_${name}`, value]));
}

/** The variables that the runner sets for every step of a job on a hosted machine; nothing of our own environment but PATH. */
function runnerVariables(directory: string, files: Readonly<Record<CommandFile, string>>): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    HOME: join(directory, "home"),
    CI: "true",
    GITHUB_ACTIONS: "true",
    GITHUB_ACTION: "gpu",
    GITHUB_ACTION_REPOSITORY: "org/gpu-provision",
    GITHUB_ACTOR: "octocat",
    // Nothing listens there: a step that calls GitHub unasked fails at once.
    GITHUB_API_URL: "http://127.0.0.1:9",
    GITHUB_SERVER_URL: "https://github.com",
    GITHUB_EVENT_NAME: "push",
    GITHUB_EVENT_PATH: join(directory, "event.json"),
    GITHUB_JOB: "gpu",
    GITHUB_REF: "refs/heads/main",
    GITHUB_REPOSITORY: "acme/kernels",
    GITHUB_REPOSITORY_OWNER: "acme",
    GITHUB_RUN_ATTEMPT: "1",
    GITHUB_RUN_ID: "8123456789",
    GITHUB_RUN_NUMBER: "42",
    GITHUB_SHA: "7fd1a60b01f91b314f59955a4e4d4e80d8edf11d",
    GITHUB_WORKFLOW: "ci",
    GITHUB_WORKSPACE: join(directory, "workspace"),
    GITHUB_PATH: files.path,
    GITHUB_ENV: files.env,
    GITHUB_STEP_SUMMARY: files.step_summary,
    GITHUB_STATE: files.state,
    GITHUB_OUTPUT: files.output,
    RUNNER_ARCH: "X64",
    RUNNER_ENVIRONMENT: "github-hosted",
    RUNNER_NAME: "GitHub Actions 7",
    RUNNER_OS: "Linux",
    RUNNER_TEMP: join(directory, "temp"),
    RUNNER_TOOL_CACHE: join(directory, "tools"),
    RUNNER_TRACKING_ID: `github_${randomUUID()}`,
  };
}

async function prepareFiles(options: ActionOptions): Promise<Record<CommandFile, string>> {
  const { directory } = options;
  const folder = join(directory, "temp", "_runner_file_commands");
  for (const path of [folder, join(directory, "home"), join(directory, "workspace")]) await mkdir(path, { recursive: true });
  if (!existsSync(join(directory, "event.json"))) await writeFile(join(directory, "event.json"), "{}");
  const suffix = randomUUID();
  const place = (file: CommandFile) => options.files?.[file] ?? join(folder, `${file}_${suffix}`);
  for (const file of COMMAND_FILES) if (options.files?.[file] === undefined) await writeFile(place(file), "");
  return {
    path: place("path"),
    env: place("env"),
    step_summary: place("step_summary"),
    state: place("state"),
    output: place("output"),
  };
}

/** What the step left in the runner's files, in the runner's order; an error in one does not keep the others from being read. */
async function collectFiles(files: Readonly<Record<CommandFile, string>>) {
  const errors: string[] = [];
  // A test may put a device in the place of a file, such as one that is always full; there is nothing to read then.
  const isFile = (path: string) => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  const text = async (file: CommandFile) => (isFile(files[file]) ? await readFile(files[file], "utf8") : "");
  const records = async (file: CommandFile) => {
    const { pairs, error } = readRecords(await text(file));
    if (error !== undefined) errors.push(`Unable to process file command '${file}' successfully. ${error}`);
    return Object.fromEntries(pairs);
  };
  const paths = (await text("path")).split(/\r?\n/).filter((line) => line !== "");
  const env = await records("env");
  const summary = await text("step_summary");
  const isTooLong = Buffer.byteLength(summary) > LARGEST_SUMMARY;
  if (isTooLong) errors.push(`$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of ${LARGEST_SUMMARY / 1024}k`);
  return {
    paths,
    env,
    summary: isTooLong ? "" : summary,
    state: await records("state"),
    outputs: await records("output"),
    errors,
  };
}

async function allInputs(options: ActionOptions) {
  const given = options.inputs ?? {};
  if (options.actionYml === undefined) return { inputs: given, unexpected: [] };
  const defaults = readInputDefaults(await readFile(options.actionYml, "utf8"), {
    githubToken: "sandbox-job-token",
    jobStatus: "success",
    jobTotal: 1,
    ...options.defaults,
  });
  return { inputs: { ...defaults, ...given }, unexpected: Object.keys(given).filter((name) => !Object.hasOwn(defaults, name)) };
}

/** Starts one step of an action as the GitHub runner does: clean environment, fresh files, and no shell. */
export async function runAction(options: ActionOptions): Promise<RunningAction> {
  const timeScale = options.timeScale ?? 1;
  const files = await prepareFiles(options);
  const { inputs, unexpected } = await allInputs(options);
  const env: Record<string, string> = {
    ...runnerVariables(options.directory, files),
    ...inputVariables(inputs),
    ...stateForPost({ state: options.state ?? {} }),
    ...(timeScale === 1
      ? {}
      : { SANDBOX_TIME_SCALE: String(timeScale), SANDBOX_TIME_ORIGIN: String(options.timeOrigin ?? Date.now()) }),
    ...options.env,
  };
  const preload = [...(timeScale === 1 ? [] : [scaleTimePreload]), ...(options.preload ?? [])];
  const lines: OutputLine[] = [];
  const waiting = new Set<(line: OutputLine) => void>();
  const commandLog = followCommands({ secrets: options.secrets ?? [], showsDebug: env["RUNNER_DEBUG"] === "1" });
  if (unexpected.length > 0) commandLog.say(`##[warning]Unexpected input(s) ${unexpected.map((name) => `'${name}'`).join(", ")}`);

  const startedAt = Date.now();
  const child = spawn(process.execPath, [...preload.flatMap((module) => ["--require", module]), options.entry], {
    cwd: join(options.directory, "workspace"),
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const splitters = (["stdout", "stderr"] as const).map((stream) => {
    const splitter = splitLines((text) => {
      const line = { stream, text, at: Date.now() };
      lines.push(line);
      commandLog.take(text);
      for (const look of waiting) look(line);
    });
    child[stream].setEncoding("utf8").on("data", (chunk: string) => splitter.write(chunk));
    return splitter;
  });

  const ended = new Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode, signal) => resolve({ exitCode, signal }));
    child.once("exit", () => {
      const patience = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, STREAM_PATIENCE_MS / timeScale);
      child.once("close", () => clearTimeout(patience));
    });
  });
  const finish = async (): Promise<ActionResult> => {
    const { exitCode, signal } = await ended;
    for (const splitter of splitters) splitter.end();
    const left = await collectFiles(files);
    for (const error of left.errors) commandLog.say(`##[error]${error}`);
    const fileCommandError = left.errors.length > 0 ? { fileCommandError: left.errors.join("\n") } : {};
    const isClean = exitCode === 0 && left.errors.length === 0 && commandLog.errors.length === 0;
    return {
      exitCode,
      signal,
      conclusion: isClean ? "success" : "failure",
      outputs: { ...commandLog.outputs, ...left.outputs },
      state: { ...options.state, ...commandLog.state, ...left.state },
      env: left.env,
      paths: left.paths,
      summary: commandLog.mask(left.summary),
      rawSummary: left.summary,
      commands: commandLog.commands,
      log: commandLog.log,
      lines,
      durationMs: Date.now() - startedAt,
      ...fileCommandError,
    };
  };
  const done = finish();
  // Whoever awaits `done` gets the rejection; a test that never does must not die of it.
  done.catch(() => undefined);
  if (child.pid === undefined) {
    await done;
    throw new Error(`${process.execPath} did not start.`);
  }
  const { pid } = child;

  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const output = () => lines.map((line) => line.text).join("\n");
  const signal = (name: NodeJS.Signals) => !hasEnded() && child.kill(name);

  return {
    pid,
    lines,
    output,
    done,
    signal,
    waitForLine(pattern, timeoutMs) {
      const matches = (line: OutputLine) => (typeof pattern === "string" ? line.text.includes(pattern) : pattern.test(line.text));
      const past = lines.find(matches);
      if (past) return Promise.resolve(past);
      return new Promise((resolve, reject) => {
        const settle = (end: () => void) => {
          waiting.delete(look);
          clearTimeout(timer);
          end();
        };
        const giveUp = (why: string) =>
          settle(() => reject(new Error(`No line matched ${String(pattern)} ${why}. Output:\n${output()}`)));
        const look = (line: OutputLine) => {
          if (matches(line)) settle(() => resolve(line));
        };
        const timer = setTimeout(() => giveUp(`within ${timeoutMs} ms`), timeoutMs);
        waiting.add(look);
        void done.then(
          () => giveUp("before the process ended"),
          (error: unknown) => giveUp(`before the process failed: ${String(error)}`),
        );
      });
    },
    async cancel() {
      signal("SIGINT");
      const terminate = setTimeout(() => signal("SIGTERM"), SIGINT_PATIENCE_MS / timeScale);
      const kill = setTimeout(() => signal("SIGKILL"), (SIGINT_PATIENCE_MS + SIGTERM_PATIENCE_MS) / timeScale);
      try {
        return await done;
      } finally {
        clearTimeout(terminate);
        clearTimeout(kill);
      }
    },
    kill() {
      signal("SIGKILL");
      return done;
    },
  };
}
