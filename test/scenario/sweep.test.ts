import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type ActionResult, runAction } from "../../sandbox/runner/run-action.ts";
import { writeLeaseName } from "../../src/lease/name.ts";
import { setGuardStage } from "./guard-stage.ts";
import { findSecrets } from "./secret-search.ts";
import { annotations, judge, logOf, type Stage, setStage, until } from "./stage.ts";

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const MINUTE = 60_000;

/** Runs the shipped sweep, and searches what it left for secrets. */
async function sweep(stage: Stage, inputs: Record<string, string> = {}, env: Record<string, string> = {}): Promise<ActionResult> {
  const { token, url } = stage.world.market;
  const directory = await stage.world.makeJobDirectory();
  const action = await runAction({
    ...stage.world.timing,
    entry: path("dist/sweep/index.js"),
    actionYml: path("sweep/action.yml"),
    directory,
    env,
    secrets: [token, ...(inputs["github-token"] === undefined ? [] : [inputs["github-token"]])],
    inputs: { token, "api-url": url, ...inputs },
  });
  const main = await action.done;
  const others = inputs["github-token"] === undefined ? [] : [inputs["github-token"]];
  expect(await findSecrets({ main, directory, commandLines: new Set() }, { token, others, privateKeys: [] })).toEqual([]);
  return main;
}

async function loseMachine(stage: Stage, inputs: Record<string, string> = {}) {
  await stage.playMain({
    inputs: { run: "sleep 600", ...inputs },
    async during(main) {
      await main.waitForLine("Running the commands", 60_000);
      await main.kill();
    },
  });
  expect(stage.world.market.ledger.alive()).toHaveLength(1);
}

test("what a lost runner has left is kept until 10 minutes past its end, then deleted and proved", async () => {
  const stage = await setStage({ timeScale: 60 });
  await loseMachine(stage, { "max-lifetime": "1m" });
  const early = await sweep(stage);
  expect(early.conclusion, logOf(early)).toBe("success");
  expect(early.outputs).toMatchObject({ found: "1", deleted: "0", kept: "1" });
  expect(early.summary).toContain("its time is over in");
  const { clock, ledger } = stage.world.market;
  const [left] = ledger.alive();
  await until("the lease is long over", () => clock.now() - (left?.bornAt ?? 0) > 13 * MINUTE);
  const dry = await sweep(stage, { "dry-run": "true" });
  expect(dry.summary).toContain("would be deleted");
  expect(ledger.alive()).toHaveLength(1);
  const late = await sweep(stage);
  expect(late.conclusion, logOf(late)).toBe("success");
  expect(late.outputs).toMatchObject({ found: "1", deleted: "1", kept: "0" });
  expect(ledger.alive()).toEqual([]);
});

test("the next lease of the repository finds it, too, while it waits for its own machine", async () => {
  const stage = await setStage({ timeScale: 40, market: { provisionMs: 1_500 } });
  await loseMachine(stage, { "max-lifetime": "2m" });
  const { clock, ledger } = stage.world.market;
  const [left] = ledger.alive();
  await until("the lease is long over", () => clock.now() - (left?.bornAt ?? 0) > 14 * MINUTE);
  const story = await stage.play({ inputs: { run: "true", "max-lifetime": "10m" } });
  expect(story.main.conclusion, logOf(story.main)).toBe("success");
  expect(annotations(story.main, "notice")).toContain(
    `(${left?.id}) was left behind by an earlier run, long over; it is deleted.`,
  );
  expect(judge(stage, story)).toBe("nothing is left");
});

test("with a token that sees the run, a completed attempt ends its leases at once, and one that goes on does not", async () => {
  const stage = await setGuardStage({ jobs: [] });
  await loseMachine(stage);
  const token = { "github-token": stage.github.runToken };
  const env = { GITHUB_API_URL: stage.github.url };
  const during = await sweep(stage, token, env);
  expect(during.outputs).toMatchObject({ deleted: "0", kept: "1" });
  expect(during.summary).toContain("its run goes on");
  const without = await sweep(stage, { "github-token": "ghs_sees_nothing_at_all_0000000000000000" }, env);
  expect(without.summary).toContain("GitHub does not tell of its run");
  stage.run.job("gpu").complete("failure");
  const after = await sweep(stage, token, env);
  expect(after.conclusion, logOf(after)).toBe("success");
  expect(after.outputs, logOf(after)).toMatchObject({ deleted: "1", kept: "0" });
  expect(stage.world.market.ledger.alive()).toEqual([]);
});

test("strangers, and names that only look like ours, are left alone whatever they say", async () => {
  const expiresAt = Date.now() - 60 * MINUTE;
  const over = (repository: string) => writeLeaseName({ repository, runId: "1", runAttempt: 1, expiresAt });
  const names = ["web-1", "gpup-mine", `${over("octo/lab")} `, "gpup-::error::x|<b>", over("someone/else")];
  const stage = await setStage({ market: { strangers: names.map((name) => ({ name })) } });
  const result = await sweep(stage);
  expect(result.conclusion, logOf(result)).toBe("success");
  expect(result.outputs).toMatchObject({ deleted: "0" });
  expect(stage.world.market.ledger.alive()).toHaveLength(names.length);
  expect(stage.requests("DELETE /resources/:id")).toEqual([]);
  expect(result.summary).not.toContain("<b>");
});

test("a deletion that never works fails the sweep, which names the machine and the command", async () => {
  const stage = await setStage({ timeScale: 120 });
  await loseMachine(stage, { "max-lifetime": "1m" });
  const { clock, faults, ledger } = stage.world.market;
  const [left] = ledger.alive();
  await until("the lease is long over", () => clock.now() - (left?.bornAt ?? 0) > 13 * MINUTE);
  faults.add({ on: "DELETE /resources/:id", times: Number.POSITIVE_INFINITY, do: { kind: "status", status: 500 } });
  const result = await sweep(stage);
  expect(result.conclusion).toBe("failure");
  expect(annotations(result, "error")).toContain(`resources/${left?.id}?force=true`);
  expect(result.summary).toContain("MAY STILL BE BILLING");
});

test.each<readonly [Record<string, string>, string]>([
  [{ token: "" }, "Input 'token' is empty"],
  [{ provider: "clore" }, "keeps no names of machines"],
  [{ "max-deletions": "many" }, "whole number from 0 to 1000"],
  [{ "dry-run": "maybe" }, "'true' or 'false'"],
])("bad inputs are refused before any request: %j", async (inputs, words) => {
  const stage = await setStage();
  const result = await sweep(stage, inputs);
  expect(result.conclusion).toBe("failure");
  expect(annotations(result, "error")).toContain(words);
  expect(stage.world.market.requests).toEqual([]);
});
