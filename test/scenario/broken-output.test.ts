import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { inputVariables, readInputDefaults } from "../../sandbox/runner/action-inputs.ts";
import { stateForPost } from "../../sandbox/runner/run-action.ts";
import { bundles, setStage } from "./stage.ts";

test("post deletes the machine and writes its report when nobody reads its output any more", async () => {
  const stage = await setStage();
  const { market } = stage.world;
  const directory = await stage.world.makeJobDirectory();
  const main = await stage.playMain({ directory });
  expect(market.ledger.alive()).toHaveLength(1);

  const summary = join(directory, "summary.md");
  await writeFile(summary, "");
  const defaults = readInputDefaults(await readFile(bundles.actionYml, "utf8"), {
    githubToken: "sandbox-job-token",
    jobStatus: "success",
    jobTotal: 1,
  });
  const post = spawn(process.execPath, [bundles.post], {
    cwd: directory,
    env: {
      ...inputVariables({ ...defaults, token: market.token }),
      ...stateForPost(main),
      GITHUB_STEP_SUMMARY: summary,
      RUNNER_TEMP: join(directory, "temp"),
    },
  });
  const ended = once(post, "exit");
  // The runner is gone: every line that post writes from now on meets a broken pipe.
  post.stdout.destroy();
  post.stderr.destroy();
  const [exitCode] = await ended;

  expect(exitCode).toBe(0);
  expect(market.ledger.alive()).toEqual([]);
  expect(await readFile(summary, "utf8")).toContain("**Leaked: nothing**");
});
