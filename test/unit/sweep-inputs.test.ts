import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { parseSweepInputs, sweepDefaults } from "../../src/actions/sweep-inputs.ts";
import { renderSweep } from "../../src/actions/sweep-report.ts";
import { InputFailure } from "../../src/lease/failure.ts";
import { providers } from "../../src/market/registry.ts";

const manifest = z
  .object({ inputs: z.record(z.string(), z.object({ description: z.string().min(10), default: z.string().optional() })) })
  .parse(parse(readFileSync(new URL("../../sweep/action.yml", import.meta.url), "utf8")));

test("sweep/action.yml has the parser's inputs and defaults", () => {
  const defaults = Object.fromEntries(Object.entries(manifest.inputs).map(([name, input]) => [name, input.default ?? ""]));
  expect(defaults).toEqual(sweepDefaults);
});

test("what is left out gets the defaults", () => {
  const blank = { ...sweepDefaults, provider: "", "max-deletions": " ", "dry-run": "", "all-repositories": "" };
  expect(parseSweepInputs({ ...blank, token: " cc_token_0123456789 " }, providers)).toEqual({
    provider: "compute-clear",
    token: "cc_token_0123456789",
    apiUrl: "https://supply-api.compute-desk.com",
    dryRun: false,
    maxDeletions: 20,
    allRepositories: false,
  });
});

test("all that is wrong is told at once, and no token", () => {
  const raw = { ...sweepDefaults, provider: "vast", token: "ghp_abcdefghijklmnopqrstuvwxyz0123456789", "max-deletions": "-1" };
  const failure = (() => {
    try {
      return parseSweepInputs(raw, providers);
    } catch (error) {
      return error;
    }
  })();
  expect(failure).toBeInstanceOf(InputFailure);
  for (const name of ["'provider'", "'token'", "'max-deletions'"]) expect(String(failure)).toContain(name);
  expect(String(failure)).not.toContain("ghp_");
});

test("names of machines are no markdown in the report", () => {
  const row = { id: "1", name: "gpup-|<img>`x`", why: "its name only looks like one of ours" };
  const text = renderSweep({ found: 1, listed: 2, deleted: [], unproved: [], due: [], kept: 1, examples: [row] }, true);
  expect(text).toContain("Dry run");
  expect(text).not.toContain("<img>");
  expect(text.split("\n").filter((line) => line.startsWith("|"))).toHaveLength(3);
});
