import { readFileSync } from "node:fs";
import * as z from "zod";

/** What vitest's JSON reporter writes, as far as it is needed here. */
const reportSchema = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string() })),
    }),
  ),
});

export interface TestSummary {
  readonly passed: number;
  /** Names of tests that failed, and of files that broke before their tests ran. */
  readonly failed: readonly string[];
  /** Names of tests that did not run, for whatever reason. */
  readonly skipped: readonly string[];
}

/** Reads a report of vitest's JSON reporter. Throws ZodError when it is none. */
export function summariseTests(report: unknown): TestSummary {
  const { testResults } = reportSchema.parse(report);
  const tests = testResults.flatMap((file) => file.assertionResults.map((test) => ({ ...test, file: file.name })));
  const named = (test: (typeof tests)[number]) => `${test.file}: ${test.fullName}`;
  const failedTests = tests.filter((test) => test.status === "failed").map(named);
  const brokenFiles = testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.every((test) => test.status !== "failed"),
  );
  return {
    passed: tests.filter((test) => test.status === "passed").length,
    failed: [...failedTests, ...brokenFiles.map((file) => file.name)],
    skipped: tests.filter((test) => test.status !== "passed" && test.status !== "failed").map(named),
  };
}

// Fails when a test failed, when one was skipped, and when none ran.
if (import.meta.main) {
  const [file = ".tmp/tests.json"] = process.argv.slice(2);
  const { passed, failed, skipped } = summariseTests(JSON.parse(readFileSync(file, "utf8")));
  for (const name of skipped) console.error(`Skipped, which counts as a failure here: ${name}`);
  if (passed === 0 || failed.length > 0 || skipped.length > 0) process.exitCode = 1;
  console.log(`${passed} passed, ${failed.length + skipped.length} failed`);
}
