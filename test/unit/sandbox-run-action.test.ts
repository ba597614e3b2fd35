import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runAction } from "../../sandbox/runner/run-action.ts";
import { runJob } from "../../sandbox/runner/run-job.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "run-action-"));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function script(name: string, source: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, source);
  return path;
}

const APPEND = `const append = (name, text) => require("node:fs").appendFileSync(process.env[name], text);`;

describe("runAction", () => {
  it("hands over inputs, defaults and state in the runner's variables, and nothing of our own environment", async () => {
    const actionYml = await script(
      "action.yml",
      `name: x
inputs:
  gpu-type: { required: true }
  run-token: { default: "\${{ github.token }}" }
  status: { default: "\${{ job.status }} of \${{strategy.job-total}}" }
  count: { default: 1 }
runs: { using: node24 }
`,
    );
    process.env["SANDBOX_TEST_LEAK"] = "1";
    const action = await runAction({
      entry: await script("main.cjs", "console.log(JSON.stringify(process.env)); console.log(process.cwd())"),
      actionYml,
      inputs: { "gpu-type": "H100", "with space": "1" },
      defaults: { jobTotal: 3 },
      state: { lease: "{}" },
      env: { GITHUB_RUN_ATTEMPT: "2" },
      directory,
    });
    const { lines, log, conclusion } = await action.done;
    delete process.env["SANDBOX_TEST_LEAK"];
    const env: unknown = JSON.parse(lines[0]?.text ?? "");
    expect(env).toMatchObject({
      "INPUT_GPU-TYPE": "H100",
      INPUT_WITH_SPACE: "1",
      "INPUT_RUN-TOKEN": "sandbox-job-token",
      INPUT_STATUS: "success of 3",
      INPUT_COUNT: "1",
      STATE_lease: "{}",
      GITHUB_REPOSITORY: "acme/kernels",
      GITHUB_RUN_ATTEMPT: "2",
      GITHUB_ACTIONS: "true",
    });
    expect(env).not.toHaveProperty("SANDBOX_TEST_LEAK");
    expect(lines[1]?.text).toBe(join(directory, "workspace"));
    expect(log[0]).toBe("##[warning]Unexpected input(s) 'with space'");
    expect(conclusion).toBe("success");
  });

  it("refuses an expression in action.yml that it cannot evaluate", async () => {
    const actionYml = await script("action.yml", `inputs: { a: { default: "\${{ github.actor }}" } }`);
    await expect(runAction({ entry: "/nowhere.js", actionYml, directory })).rejects.toThrow("github.actor");
  });

  it("reads outputs, state, environment, paths and summary, masks applied", async () => {
    const action = await runAction({
      entry: await script(
        "main.cjs",
        `${APPEND}
append("GITHUB_OUTPUT", "ip<<E\\n127.0.0.1\\nE\\n"); append("GITHUB_STATE", "a=1\\na=2\\n"); append("GITHUB_ENV", "E=3\\n");
append("GITHUB_PATH", "/opt/x\\n"); append("GITHUB_STEP_SUMMARY", "# hidden\\n"); console.log("::add-mask::hidden"); console.error("::warning::hidden");
process.exitCode = 7;`,
      ),
      directory,
    });
    const result = await action.done;
    expect(result).toMatchObject({
      exitCode: 7,
      conclusion: "failure",
      outputs: { ip: "127.0.0.1" },
      state: { a: "2" },
      env: { E: "3" },
      paths: ["/opt/x"],
      summary: "# ***\n",
      rawSummary: "# hidden\n",
    });
    expect(result.fileCommandError).toBeUndefined();
  });

  it("fails a step whose state file is torn, and keeps what stands before the tear", async () => {
    const main = await script(
      "main.cjs",
      `${APPEND} append("GITHUB_STATE", "kept=1\\ntorn<<E\\nhal"); append("GITHUB_OUTPUT", "fine=1\\n");`,
    );
    const { exitCode, conclusion, state, outputs, fileCommandError } = await (await runAction({ entry: main, directory })).done;
    expect({ exitCode, conclusion, state, outputs }).toEqual({
      exitCode: 0,
      conclusion: "failure",
      state: { kept: "1" },
      outputs: { fine: "1" },
    });
    expect(fileCommandError).toContain("Matching delimiter not found 'E'");
  });

  it("cancels with SIGINT, then SIGTERM, then SIGKILL, 7.5 and 2.5 seconds apart", async () => {
    const action = await runAction({
      entry: await script(
        "main.cjs",
        `for (const name of ["SIGINT", "SIGTERM"]) process.on(name, () => console.log(name));
setInterval(() => {}, 60_000); console.log("up");`,
      ),
      directory,
      timeScale: 20,
    });
    await action.waitForLine("up", 10_000);
    const { lines, signal, conclusion } = await action.cancel();
    expect(lines.map((line) => line.text)).toEqual(["up", "SIGINT", "SIGTERM"]);
    expect({ signal, conclusion }).toEqual({ signal: "SIGKILL", conclusion: "failure" });
    const [up, , terminated] = lines.map((line) => line.at);
    // Only a lower bound: how late a line comes depends on the machine.
    expect((terminated ?? 0) - (up ?? 0)).toBeGreaterThanOrEqual(7500 / 20 - 2);
  });

  it("sends nothing more to a process that ends on SIGINT", async () => {
    const main = await script(
      "main.cjs",
      `process.on("SIGINT", () => process.exit(3)); setInterval(() => {}, 60_000); console.log("up");`,
    );
    const action = await runAction({ entry: main, directory });
    await action.waitForLine(/^up$/, 10_000);
    expect(await action.cancel()).toMatchObject({ exitCode: 3, signal: null });
    expect(action.signal("SIGTERM")).toBe(false);
  });

  it("signals the process and not its children, and does not wait for streams that a child holds", {
    timeout: 20_000,
  }, async () => {
    // The child lives for a minute at most, and says that it lives when it is asked.
    const child = `trap 'echo yes > "$HOME/alive"; exit' TERM; for _ in $(seq 600); do sleep 0.1; done`;
    const main = await script(
      "main.cjs",
      `const { pid } = require("node:child_process").spawn("sh", ["-c", ${JSON.stringify(child)}], { stdio: "inherit" });
console.log("child", pid); setInterval(() => {}, 60_000);`,
    );
    const action = await runAction({ entry: main, directory, timeScale: 20 });
    const { text } = await action.waitForLine("child", 10_000);
    expect(await action.kill()).toMatchObject({ signal: "SIGKILL" });
    process.kill(Number(text.split(" ")[1]), "SIGTERM");
    await vi.waitFor(() => expect(existsSync(join(directory, "home", "alive"))).toBe(true), { timeout: 5000, interval: 20 });
  });

  it("gives up on a line when the process ends without it", async () => {
    const action = await runAction({ entry: await script("main.cjs", "console.log('other')"), directory });
    await expect(action.waitForLine("wanted", 10_000)).rejects.toThrow(/before the process ended[\s\S]*other/);
  });
});

describe("runJob", () => {
  it("runs post with the state of a main that was killed", async () => {
    const main = await script(
      "main.cjs",
      `${APPEND} append("GITHUB_STATE", "lease=7\\n"); console.log("saved"); setInterval(() => {}, 60_000);`,
    );
    const post = await script("post.cjs", "console.log('lease', process.env.STATE_lease)");
    const job = await runJob({
      main,
      post,
      directory,
      async duringMain(step) {
        await step.waitForLine("saved", 10_000);
        await step.kill();
      },
    });
    expect(job.main.signal).toBe("SIGKILL");
    expect(job.post.log).toEqual(["lease 7"]);
    expect(job.outOfTime).toBe(false);
  });

  it("kills a post that outlasts the 285 seconds of a cancelled job", async () => {
    const endless = await script("endless.cjs", `setInterval(() => {}, 60_000); console.log("up");`);
    const job = await runJob({
      main: endless,
      post: endless,
      directory,
      timeScale: 200,
      async duringMain(step) {
        await step.waitForLine("up", 10_000);
        await step.cancel();
      },
    });
    expect(job.post.signal).toBe("SIGKILL");
    expect(job.outOfTime).toBe(true);
  });
});
