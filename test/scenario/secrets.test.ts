import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { findSecrets, readPrivateKey } from "./secret-search.ts";
import { annotations, judge, setStage } from "./stage.ts";

// Every scenario ends with this search (see stage.ts). Here it is shown that it would find something, and that the log of a run
// with debug logging, a machine that prints all it knows, and a failed request hold no secret either.

test("with debug logging on, and a machine that shows its whole environment, no secret is to be seen anywhere", async () => {
  const stage = await setStage();
  stage.world.market.faults.add({ on: "GET /resources", do: { kind: "html", status: 502 } });
  const story = await stage.play({
    env: { RUNNER_DEBUG: "1", ACTIONS_STEP_DEBUG: "true" },
    inputs: { run: "env\ncat /proc/self/environ | tr '\\0' '\\n'\nfind ~ -type f -exec cat {} +\nsleep 1" },
  });
  expect(story.main.conclusion).toBe("success");
  expect(story.main.commands.some(({ name }) => name === "debug")).toBe(true);
  expect(story.main.lines.map(({ text }) => text)).toContain(`::add-mask::${stage.world.market.token}`);
  expect([...story.commandLines].filter((line) => line.includes("dist/main/index.js"))).not.toEqual([]);
  expect([...story.commandLines].filter((line) => line.startsWith("sh -c "))).not.toEqual([]);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a token that the marketplace repeats in an error is taken out of it", async () => {
  const stage = await setStage();
  const { token } = stage.world.market;
  stage.world.market.faults.add({
    on: "POST /get_offers",
    times: Number.POSITIVE_INFINITY,
    do: { kind: "status", status: 401, body: { detail: `Invalid token ${token}` } },
  });
  const story = await stage.play();
  expect(story.main.exitCode).toBe(1);
  // Raw lines, state, outputs and summary are searched for the token in every story.
  expect(annotations(story.main, "error")).toContain("Invalid token ***");
  expect(judge(stage, story)).toBe("nothing is left");
});

test("the search finds a token and a key wherever they are", async () => {
  const stage = await setStage();
  const { token } = stage.world.market;
  const directory = await stage.world.makeJobDirectory();
  let key = "";
  const main = await stage.playMain({
    directory,
    inputs: { "max-lifetime": "1m", "provision-timeout": "1m" },
    during: async (running) => {
      const { outputs } = await running.done;
      [key = ""] = readPrivateKey(readFileSync(outputs["ssh-key-path"] ?? "", "utf8"));
    },
  });
  expect(key).toContain("PRIVATE KEY");
  const [, , line = ""] = key.split("\n");
  const places = [
    { lines: [...main.lines, { stream: "stdout", text: `token=${token}`, at: 0 }] },
    { state: { lease: line } },
    { outputs: { key } },
    { rawSummary: `| ${token} |` },
  ] as const;
  const commandLines = new Set<string>();
  const search = (changed: Partial<typeof main>, seen: ReadonlySet<string> = commandLines) =>
    findSecrets({ main: { ...main, ...changed }, directory, commandLines: seen }, { token, privateKeys: [key] });
  expect(await search({})).toEqual([]);
  for (const place of places) expect(await search(place)).not.toEqual([]);
  expect(await search({}, new Set([`curl -H ${token}`]))).not.toEqual([]);
  const left = await findSecrets({ main, post: main, directory, commandLines }, { token, privateKeys: [key] });
  expect(left.length).toBeGreaterThanOrEqual(3);
  for (const found of left) expect(found).toContain("id_ed25519");
});
