import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { documentAction } from "../../scripts/document-inputs.ts";
import { inputDefaults, inputNames } from "../../src/actions/input-names.ts";
import { inputSchema } from "../../src/actions/input-schema.ts";
import { readSurroundings } from "../../src/actions/read-inputs.ts";
import { providers } from "../../src/market/registry.ts";

const text = readFileSync(new URL("../../action.yml", import.meta.url), "utf8");
const manifest = z
  .strictObject({
    name: z.string(),
    description: z.string(),
    author: z.string(),
    branding: z.strictObject({ icon: z.string(), color: z.string() }),
    inputs: z.record(
      z.string(),
      z.strictObject({ description: z.string().min(10), default: z.string().optional(), required: z.literal(true).optional() }),
    ),
    outputs: z.record(z.string(), z.strictObject({ description: z.string().min(10) })),
    runs: z.record(z.string(), z.string()),
  })
  .parse(parse(text));

describe("action.yml", () => {
  test("has the parser's inputs, in its order", () => {
    expect(Object.keys(manifest.inputs)).toEqual([...inputNames]);
    expect(Object.keys(inputSchema({ ...readSurroundings("/", {}), providers }, {}).shape).toSorted()).toEqual(
      [...inputNames].toSorted(),
    );
  });

  test("has the parser's defaults", () => {
    const {
      "job-status": jobStatus,
      "job-total": jobTotal,
      "job-index": jobIndex,
      "run-token": runToken,
      ...others
    } = Object.fromEntries(
      Object.entries(manifest.inputs).flatMap(([name, input]) => (input.default === undefined ? [] : [[name, input.default]])),
    );
    expect(others).toEqual(inputDefaults);
    // Expressions of the runner's.
    expect([jobStatus, jobTotal, jobIndex, runToken]).toEqual(
      ["job.status", "strategy.job-total", "strategy.job-index", "github.token"].map((expression) => `\${{ ${expression} }}`),
    );
  });

  test("requires what has no default and cannot be left out", () => {
    const required = Object.entries(manifest.inputs).filter(([, input]) => input.required);
    expect(required.map(([name]) => name)).toEqual(["token", "gpu-type"]);
  });

  test("runs main and post on Node 24, and post always", () => {
    // A pre step would run post even where main was skipped; a post-if could keep post from running.
    expect(manifest.runs).toEqual({ using: "node24", main: "dist/main/index.js", post: "dist/post/index.js" });
  });

  test("has the outputs", () => {
    expect(Object.keys(manifest.outputs)).toEqual([
      "ip",
      "instances",
      "ssh-port",
      "ssh-user",
      "ssh-command",
      "ssh-config-path",
      "ssh-key-path",
      "runner-label",
      "resource-id",
      "offer-id",
      "vendor",
      "region",
      "gpu-type",
      "gpu-count",
      "price-per-hour",
      "expires-at",
      "exit-code",
      "endpoints",
      "attempts",
      "cost",
    ]);
  });
});

describe("the tables in documents", () => {
  const places = "# Title\n<!-- inputs -->\noutdated row\n<!-- /inputs -->\nbetween\n<!-- outputs -->\n<!-- /outputs -->\nend\n";

  test("hold every input but the internal ones, and every output", () => {
    const written = documentAction(text, places);
    const rows = written.split("\n").filter((line) => line.startsWith("| `"));
    const rowNames = rows.map((row) => /^\| `([^`]+)`/.exec(row)?.[1]);
    expect(rowNames).toEqual([...inputNames.filter((name) => !name.startsWith("job-")), ...Object.keys(manifest.outputs)]);
    expect(written).toContain("| `gpu-count` | `1` | GPUs in the machine");
    expect(written).toContain("| `token` | **required** |");
    expect(written).not.toContain("outdated row");
    expect(written).toMatch(/^# Title\n.*\nbetween\n.*\nend\n$/s);
  });

  test("stay as they are when written again", () => {
    const once = documentAction(text, places);
    expect(documentAction(text, once)).toBe(once);
  });

  test("keep a cell a cell", () => {
    const odd = "inputs:\n  a:\n    description: |-\n      one | two\n      three\noutputs: {}\n";
    expect(documentAction(odd, "<!-- inputs -->\n<!-- /inputs -->\n")).toContain("| `a` |  | one \\| two three |\n");
  });

  test("need a place", () => {
    expect(() => documentAction(text, "nothing")).toThrow("no place");
    expect(() => documentAction(text, "<!-- inputs -->")).toThrow("<!-- /inputs -->");
    expect(() => documentAction(text, "<!-- /inputs --> <!-- inputs -->")).toThrow("before");
  });
});
