import { readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { ActionResult } from "../../sandbox/runner/run-action.ts";

/** What a job leaves for others to see. */
export interface Trace {
  readonly main: ActionResult;
  readonly post?: ActionResult;
  readonly directory: string;
  readonly commandLines: ReadonlySet<string>;
}

export interface Secrets {
  readonly token: string;
  /** Other tokens. */
  readonly others?: readonly string[];
  /** In OpenSSH's form. */
  readonly privateKeys: readonly string[];
}

/** How every private key of OpenSSH begins, in the file and in base64. */
const KEY_MARKS = ["BEGIN OPENSSH PRIVATE KEY", "b3BlbnNzaC1rZXktdjE"];

/** The private keys in a file, or in the body of a purchase request. */
export function readPrivateKey(source: string | undefined): readonly string[] {
  if (source === undefined) return [];
  const text = source.startsWith("/") ? readFileSync(source, "utf8") : source.replaceAll("\\n", "\n");
  return text.match(/-----BEGIN OPENSSH PRIVATE KEY-----[\s\S]+?-----END OPENSSH PRIVATE KEY-----/g) ?? [];
}

/** The lines of a key that tell it from others: what is between the marks, and not its first line, which all keys share. */
function bodyOf(key: string): readonly string[] {
  const lines = key
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("-----"));
  return lines.slice(1).filter((line) => line.length >= 16);
}

async function filesBelow(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/**
 * Where a secret can be seen that must be nowhere: raw lines, state, outputs, summary, process arguments, and all files that the
 * job has left. One exception is the line by which the runner learns what it has to mask.
 */
export async function findSecrets(trace: Trace, { token, others = [], privateKeys }: Secrets): Promise<readonly string[]> {
  const steps = Object.entries({ main: trace.main, post: trace.post });
  // What the action itself has masked is a secret as well: configurations of runners, tokens of an App.
  const masked = steps.flatMap(
    ([, step]) => step?.commands.filter(({ name }) => name === "add-mask").map(({ data }) => data) ?? [],
  );
  const needles = [...new Set([token, ...others, ...masked, ...KEY_MARKS, ...privateKeys.flatMap(bodyOf)])];
  const places = new Map<string, string>();
  for (const [name, step] of steps) {
    if (step === undefined) continue;
    const lines = step.lines.map(({ text }) => text).filter((text) => !masked.some((secret) => text === `::add-mask::${secret}`));
    places.set(`log of ${name}`, lines.join("\n"));
    places.set(`state of ${name}`, JSON.stringify(step.state));
    places.set(`outputs of ${name}`, JSON.stringify([step.outputs, step.env, step.paths]));
    places.set(`summary of ${name}`, step.rawSummary);
  }
  places.set("process arguments", [...trace.commandLines].join("\n"));
  // Main's files end with post; where post did not run they are still in use.
  const files = trace.post === undefined ? [] : await filesBelow(trace.directory);
  for (const file of files) places.set(relative(trace.directory, file), await readFile(file, "latin1"));
  return [...places].flatMap(([place, text]) =>
    needles.filter((needle) => text.includes(needle)).map((needle) => `${place}: ${needle.slice(0, 12)}…`),
  );
}
