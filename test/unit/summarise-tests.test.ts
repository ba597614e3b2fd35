import { describe, expect, test } from "vitest";
import { summariseTests } from "../../scripts/summarise-tests.ts";

function report(...files: { name: string; status: string; tests: Record<string, string> }[]) {
  return {
    testResults: files.map(({ name, status, tests }) => ({
      name,
      status,
      assertionResults: Object.entries(tests).map(([fullName, one]) => ({ fullName, status: one })),
    })),
  };
}

describe("the summary of a test run", () => {
  test("counts what passed and names the rest", () => {
    expect(
      summariseTests(
        report(
          { name: "a.test.ts", status: "passed", tests: { adds: "passed", divides: "skipped", "is planned": "todo" } },
          { name: "b.test.ts", status: "failed", tests: { sends: "passed", receives: "failed" } },
        ),
      ),
    ).toEqual({
      passed: 2,
      failed: ["b.test.ts: receives"],
      skipped: ["a.test.ts: divides", "a.test.ts: is planned"],
    });
  });

  test("counts a file that broke before its tests ran", () => {
    expect(summariseTests(report({ name: "c.test.ts", status: "failed", tests: {} })).failed).toEqual(["c.test.ts"]);
  });

  test("takes nothing else for a report", () => {
    expect(() => summariseTests({ tests: 3 })).toThrow();
  });
});
