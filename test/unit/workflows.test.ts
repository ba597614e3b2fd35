import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";

const root = join(import.meta.dirname, "../..");

const stepSchema = z.object({
  uses: z.string().optional(),
  with: z.record(z.string(), z.unknown()).optional(),
  run: z.string().optional(),
});
const workflowSchema = z.object({
  permissions: z.record(z.string(), z.string()),
  jobs: z.record(
    z.string(),
    z.object({
      permissions: z.record(z.string(), z.string()).optional(),
      needs: z.union([z.string(), z.array(z.string())]).optional(),
      "timeout-minutes": z.number(),
      steps: z.array(stepSchema),
    }),
  ),
});

function readWorkflows(folder: string) {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".yml"))
    .map((name) => {
      const text = readFileSync(join(root, folder, name), "utf8");
      return { name, text, ...workflowSchema.parse(parse(text)) };
    });
}

const stepsOf = ({ jobs }: ReturnType<typeof readWorkflows>[number]) => Object.values(jobs).flatMap((job) => job.steps);

describe.each(readWorkflows(".github/workflows"))("the workflow $name", (workflow) => {
  test("starts from no permission, and each job names its own", () => {
    expect(workflow.permissions).toEqual({});
    for (const [name, job] of Object.entries(workflow.jobs)) expect(job.permissions, name).toBeDefined();
  });

  test("pins every action to a commit, with its version beside it", () => {
    const uses = workflow.text.split("\n").filter((line) => /^\s*(?:- )?uses:/.test(line));
    for (const line of uses) expect(line).toMatch(/uses: [\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test("leaves no token behind in a checkout", () => {
    const checkouts = stepsOf(workflow).filter((step) => step.uses?.startsWith("actions/checkout@"));
    for (const checkout of checkouts) expect(checkout.with).toMatchObject({ "persist-credentials": false });
  });

  test("writes nothing from an event into a shell", () => {
    for (const step of stepsOf(workflow)) expect(step.run ?? "").not.toMatch(/\$\{\{\s*(?:github|inputs|secrets|steps|needs)\b/);
  });
});

test("the one required check waits for every other job of CI", () => {
  const ci = readWorkflows(".github/workflows").find(({ name }) => name === "ci.yml");
  const { "all-passed": last, ...others } = ci?.jobs ?? {};
  expect(last?.needs).toEqual(Object.keys(others));
});

describe.each(readWorkflows("docs/examples"))("the example $name", (workflow) => {
  test("uses inputs that the action has", () => {
    const ours = stepsOf(workflow).flatMap((step) => {
      const [, folder] = /^gpu-provision\/gpu-provision(\/sweep)?@v1$/.exec(step.uses ?? "") ?? [undefined];
      return step.uses?.startsWith("gpu-provision/") ? [{ ...step, manifest: join(root, folder ?? "", "action.yml") }] : [];
    });
    expect(ours).not.toEqual([]);
    for (const { manifest, with: given } of ours) {
      const { inputs } = z.object({ inputs: z.record(z.string(), z.unknown()) }).parse(parse(readFileSync(manifest, "utf8")));
      expect(Object.keys(given ?? {}).filter((name) => !Object.hasOwn(inputs, name))).toEqual([]);
      expect(given).toMatchObject({ token: "$".concat("{{ secrets.COMPUTE_CLEAR_TOKEN }}") });
    }
  });
});
