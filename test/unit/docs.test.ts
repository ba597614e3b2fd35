import { generateKeyPairSync } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { documentAction } from "../../scripts/document-inputs.ts";
import { inputNames, type RawInputs } from "../../src/actions/input-names.ts";
import { parseInputs } from "../../src/actions/inputs.ts";
import { outputNames } from "../../src/lease/outputs.ts";
import { checkUserScript } from "../../src/machine/cloud-init.ts";
import { providers } from "../../src/market/registry.ts";

const root = join(import.meta.dirname, "..", "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const filesBelow = (folder: string, end: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(end))
    .map((name) => join(folder, name));

const pages = ["README.md", "CONTRIBUTING.md", "SECURITY.md", ...filesBelow("docs", ".md")];

/** The contents of fenced blocks, without the indentation that a list gives them. */
function blocksOf(page: string, language: string): readonly string[] {
  const fenced = new RegExp(`^([ ]*)\`\`\`${language}\\n(.*?)^\\1\`\`\`$`, "gms");
  return [...read(page).matchAll(fenced)].map(([, indent = "", body = ""]) =>
    body.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
  );
}

/** The anchor that GitHub gives a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .trim()
    .replaceAll(" ", "-");
}

function anchorsIn(markdown: string): ReadonlySet<string> {
  const prose = markdown.replace(/^ *```.*?^ *```$/gms, "");
  return new Set([...prose.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading)));
}

describe("README", () => {
  test("has the tables of action.yml", () => {
    expect(documentAction(read("action.yml"), read("README.md"))).toBe(read("README.md"));
  });

  test("names every input and every output", () => {
    const named = (name: string) => read("README.md").includes(`\n| \`${name}\` |`);
    const { inputs } = z
      .object({ inputs: z.record(z.string(), z.object({ description: z.string() })) })
      .parse(parse(read("action.yml")));
    // Nobody sets these: they are how the action reads what only an expression can tell.
    const isInternal = (name: string) => inputs[name]?.description.startsWith("Internal") === true;
    const missing = [...inputNames.filter((name) => !isInternal(name)), ...outputNames].filter((name) => !named(name));
    expect(missing).toEqual([]);
  });

  test("begins with the demo, then the tests", () => {
    const commands = blocksOf("README.md", "sh").map((block) => block.trim());
    expect(commands.slice(0, 2)).toEqual(["npm ci && npm run demo", "npm ci && npm test"]);
  });
});

describe("links", () => {
  test.each(pages)("of %s lead to files and headings that exist", (page) => {
    const prose = read(page).replace(/```.*?```/gs, "");
    const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
    const broken = targets
      .filter((target) => !/^https?:/.test(target))
      .filter((target) => {
        const [path = "", anchor] = target.split("#");
        const file = path === "" ? join(root, page) : resolve(root, dirname(page), path);
        if (relative(root, file).startsWith("..") || !existsSync(file)) return true;
        return anchor !== undefined && !anchorsIn(readFileSync(file, "utf8")).has(anchor);
      });
    expect(broken).toEqual([]);
  });
});

const OURS = /^gpu-provision\/gpu-provision@/;
const step = z.looseObject({ id: z.string().optional(), uses: z.string().optional(), with: z.record(z.string(), z.unknown()) });
const matrix = z.record(z.string(), z.unknown());
const job = z.object({
  strategy: z.object({ matrix, "fail-fast": z.boolean().default(true) }).optional(),
  needs: z.union([z.string(), z.array(z.string())]).default([]),
  "runs-on": z.unknown().optional(),
  permissions: z.unknown().optional(),
  steps: z.array(z.unknown()),
});

interface ExampleJob extends z.output<typeof job> {
  readonly name: string;
  /** The first combination of its matrix. */
  readonly combination: z.output<typeof matrix>;
  /** How many jobs its matrix makes. */
  readonly total: number;
}

/** The jobs of a workflow; a list of steps counts as one. */
function jobsOf(document: unknown): readonly ExampleJob[] {
  const list = z.array(z.unknown()).safeParse(document);
  const jobs = list.success
    ? { "": job.parse({ steps: list.data }) }
    : z.object({ jobs: z.record(z.string(), job) }).parse(document).jobs;
  return Object.entries(jobs).map(([name, one]) => {
    const axes = Object.entries(one.strategy?.matrix ?? {}).map(([axis, values]) => ({
      axis,
      values: z.array(z.unknown()).min(1).parse(values),
    }));
    const combination = Object.fromEntries(axes.map(({ axis, values }) => [axis, values[0]]));
    return { ...one, name, combination, total: axes.reduce((product, { values }) => product * values.length, 1) };
  });
}

const oursIn = ({ steps }: ExampleJob) =>
  steps.flatMap((one) => {
    const parsed = step.safeParse(one);
    return parsed.success && OURS.test(parsed.data.uses ?? "") ? [parsed.data] : [];
  });

const run = { repository: "project/project", runId: "8123456789", runAttempt: 1 };
const appKey = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const github: Readonly<Record<string, string>> = { sha: "abc123", run_id: run.runId, run_attempt: String(run.runAttempt) };

/** What GitHub would make of the expressions that examples use. */
function evaluate(value: unknown, combination: z.output<typeof matrix>): string {
  return String(value).replace(/\$\{\{\s*([\w.-]+)\s*\}\}/g, (_, expression: string) => {
    const [context = "", ...path] = expression.split(".");
    if (context === "secrets") return expression.endsWith("_KEY") ? appKey : `the-value-of-${path.join()}`;
    if (context === "vars") return "1234567";
    if (context === "github") return z.string().parse(github[path.join(".")]);
    if (context !== "matrix") throw new Error(`An example uses the expression ${expression}.`);
    const found = path.reduce<unknown>((at, key) => matrix.parse(at)[key], combination);
    return z.coerce.string().min(1).parse(found);
  });
}

const examples = [
  ...pages.flatMap((page) => blocksOf(page, "yaml").map((text, index) => ({ name: `${page}, block ${index + 1}`, text }))),
  ...filesBelow("docs/examples", ".yml").map((path) => ({ name: path, text: read(path) })),
];

describe("examples", () => {
  test("are found", () => {
    expect(examples.filter(({ name }) => name.startsWith("README.md")).length).toBeGreaterThan(8);
    expect(examples.filter(({ name }) => name.startsWith("docs/examples")).length).toBeGreaterThan(0);
  });

  test.each(examples)("$name takes only what the action has", ({ text }) => {
    const ours = jobsOf(parse(text)).flatMap((one) => oursIn(one).map((found) => ({ ...found, job: one })));
    for (const { with: given, job: at } of ours) {
      expect(inputNames).toEqual(expect.arrayContaining(Object.keys(given)));
      const filledIn = { "run-token": "the-token-of-the-job", "job-total": String(at.total), ...given };
      const values = new Map(Object.entries(filledIn).map(([name, value]) => [name, evaluate(value, at.combination)]));
      const raw = Object.fromEntries(inputNames.map((name) => [name, values.get(name) ?? ""]));
      expect(() =>
        parseInputs(z.record(z.enum(inputNames), z.string()).parse(raw) satisfies RawInputs, runner, check),
      ).not.toThrow();
    }
    for (const [, output] of text.matchAll(/steps\.gpu\.outputs\.([\w-]+)/g)) expect(outputNames).toContain(output);
    if (/steps\.gpu\./.test(text)) expect(ours.map(({ id }) => id)).toContain("gpu");
  });

  const isGuard = (one: ExampleJob) => oursIn(one).some(({ with: given }) => given["mode"] === "runner");
  const guarded = examples.filter(({ text }) => text.includes("jobs:") && jobsOf(parse(text)).some(isGuard));

  test.each(guarded)("$name has jobs that its guard can serve", ({ text }) => {
    const jobs = jobsOf(parse(text));
    for (const guard of jobs.filter(isGuard)) {
      expect(guard.permissions).toEqual({ actions: "write" });
      if (guard.total > 1) expect(guard.strategy?.["fail-fast"]).toBe(false);
      const standard = `gpu-${run.runId}-${run.runAttempt}`;
      const labels = oursIn(guard).map(({ with: given }) => evaluate(given["runner-label"] ?? standard, guard.combination));
      const served = jobs.filter((one) => !isGuard(one) && labels.includes(evaluate(one["runs-on"], one.combination)));
      expect(served).not.toEqual([]);
      // Such a job would start when the machine is gone.
      for (const one of served) expect([one.needs].flat()).not.toContain(guard.name);
    }
  });

  test("of runner mode are found", () => expect(guarded.length).toBeGreaterThan(4));

  const check = (script: string) => checkUserScript(script);
  /** A hosted runner on which every file of an example is there. */
  const runner = {
    env: {},
    hosted: true,
    providers,
    run,
    fileSystem: { inspect: () => ({ isFile: true, bytes: 1 }), readText: () => "#cloud-config\n" },
    workspace: "/home/runner/work/project/project",
    home: "/home/runner",
  };
});

describe("docs/troubleshooting.md", () => {
  const source = filesBelow("src", ".ts").map(read).join("\n");
  const classes = [...source.matchAll(/class (\w+) extends \w*Failure \{\s*readonly code = "([\w-]+)"/g)];
  const isThrown = (name: string) => new RegExp(`new ${name}\\(|extends ${name}\\b`).test(source);
  const codes = classes.filter(([, name = ""]) => isThrown(name)).map(([, , code = ""]) => code);
  const page = read("docs/troubleshooting.md");

  test("has a section for every code that can be seen, and for no other", () => {
    expect(codes.length).toBeGreaterThan(10);
    const sections = [...page.matchAll(/^## `([\w-]+)`$/gm)].map(([, code]) => code);
    expect(sections.toSorted()).toEqual([...new Set(codes)].toSorted());
  });

  test("lists them all at its top", () => {
    const rows = [...page.matchAll(/^\| \[`([\w-]+)`\]\(#([\w-]+)\) \|/gm)].map(([, code, anchor]) => [code, anchor]);
    expect(rows.toSorted()).toEqual([...new Set(codes)].toSorted().map((code) => [code, code]));
  });
});
