import { execFile } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import type { ActionResult } from "../../sandbox/runner/run-action.ts";
import { hasSshClient } from "../real-tools.ts";
import { annotations, judge, logOf, setStage } from "./stage.ts";

const outputNames = [
  "attempts",
  "cost",
  "exit-code",
  "expires-at",
  "gpu-count",
  "gpu-type",
  "instances",
  "ip",
  "offer-id",
  "price-per-hour",
  "region",
  "resource-id",
  "ssh-command",
  "ssh-config-path",
  "ssh-key-path",
  "ssh-port",
  "ssh-user",
  "vendor",
];

test("a machine is rented, used, handed to the next step, deleted and accounted for", async () => {
  const stage = await setStage();
  let nextStep = "";
  let keyDirectory = "";

  const story = await stage.play({
    inputs: { run: 'echo "trained on $(nvidia-smi -L)"', "max-cost": "1" },
    async between({ outputs }) {
      keyDirectory = dirname(outputs["ssh-key-path"] ?? "");
      expect(statSync(keyDirectory).mode & 0o777).toBe(0o700);
      const files = readdirSync(keyDirectory).map((name) => [name, statSync(`${keyDirectory}/${name}`).mode & 0o777]);
      expect(files).toEqual([
        ["config", 0o600],
        ["id_ed25519", 0o600],
        ["known_hosts", 0o600],
      ]);
      if (hasSshClient) nextStep = await runNextStep(outputs);
    },
  });

  expect(story.main.conclusion).toBe("success");
  expect(logOf(story.main)).toContain("trained on GPU 0: NVIDIA H100 PCIe");
  expect(Object.keys(story.main.outputs).sort()).toEqual(outputNames);
  const [machine] = stage.world.machines;
  const [bought] = stage.world.market.ledger.entries();
  expect(story.main.outputs).toMatchObject({
    ip: "127.0.0.1",
    "ssh-port": String(machine?.port),
    "ssh-user": "root",
    "resource-id": bought?.id,
    "offer-id": bought?.offerId,
    vendor: "nebius",
    region: "EU",
    "gpu-type": "nvidia-h100-pcie-80gb",
    "gpu-count": "1",
    "price-per-hour": "2",
    "exit-code": "0",
    attempts: "1",
    "expires-at": expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    cost: expect.stringMatching(/^0\.\d{4}$/),
  });
  expect(JSON.parse(story.main.outputs["instances"] ?? "")).toEqual([
    { ip: "127.0.0.1", port: machine?.port, user: "root", "ssh-command": story.main.outputs["ssh-command"] },
  ]);
  expect(nextStep).toBe(hasSshClient ? "root sees GPU 0: NVIDIA H100 PCIe" : "");
  expect(existsSync(keyDirectory)).toBe(false);
  expect(logOf(story.post)).toMatch(/Nothing is billing any more\. This lease cost at most \$0\.\d+/);
  expect(annotations(story.post, "warning") + annotations(story.post, "error")).toBe("");
  expect(judge(stage, story)).toBe("nothing is left");
});

test("the job summary shows machine, price, attempts, timeline, cost and the proof of deletion", async () => {
  // Bars shorter than a second are left out of the timeline.
  const stage = await setStage({ timeScale: 4 });
  const { post, ...story } = await stage.play({ inputs: { run: "sleep 1" } });
  const [bought] = stage.world.market.ledger.entries();
  expect(post.summary).toContain("**1x H100** from nebius in EU at **$2.00/h**, usable ");
  expect(post.summary).toMatch(/\*\*Cost:\*\* at most \$0\.\d+ .*\*\*Leaked: nothing\*\*/);
  expect(post.summary).toContain(
    "| # | Machine | Price | Result | Cost | End |\n|---|---|---|---|---|---|\n| 1 | 1x H100, nebius, EU |",
  );
  expect(post.summary).toContain(`gone: ${bought?.id} reads 'deleted', and the offer lists nothing alive |`);
  const [, timeline = ""] = /```mermaid\n([\s\S]+?)\n```/.exec(post.summary) ?? [];
  const [head, ...rest] = timeline.split("\n");
  expect(head).toBe("gantt");
  expect(rest.slice(0, 3)).toEqual(["  dateFormat YYYY-MM-DDTHH:mm:ss", "  axisFormat %H:%M:%S", "  section Machine 1"]);
  for (const bar of rest.slice(3))
    expect(bar).toMatch(/^ {4}[a-z ]+ :\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d, \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
  expect(rest.join("\n")).toContain("    work :");
  expect(judge(stage, { post, ...story })).toBe("nothing is left");
});

test("without 'run' the machine is only handed over, and the log says how to reach it", async () => {
  const stage = await setStage();
  const story = await stage.play({ inputs: { "verify-gpu": "false" } });
  expect(story.main.conclusion).toBe("success");
  expect(story.main.outputs["exit-code"]).toBeUndefined();
  expect(logOf(story.main)).toMatch(/The machine is yours until this job ends, or for .+ at most/);
  expect(judge(stage, story)).toBe("nothing is left");
});

/** Runs the output `ssh-command` as the shell of a following step would. */
async function runNextStep(outputs: ActionResult["outputs"]): Promise<string> {
  const command = `${outputs["ssh-command"]} 'echo "$(printf %s "$USER") sees $(nvidia-smi -L | sed "s/ (.*//")"'`;
  const { stdout } = await promisify(execFile)("sh", ["-c", command]);
  return stdout.trim();
}
