import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { goods, judge, setStage } from "./stage.ts";

/** Lines by which a machine would speak to the runner, in every form that it reads. */
const tricks = [
  "::set-output name=ip::6.6.6.6",
  "::save-state name=lease::{}",
  "  ::set-env name=PATH::/tmp/evil",
  "::add-path::/tmp/evil",
  "##[set-output name=ip]6.6.6.6",
  "harmless ##[error]forged",
  "::error file=a.js,line=1::forged",
  "::warning::forged",
  "::add-mask::the",
  "::group::forged",
  "::stop-commands::mine",
  "::mine::",
  "::pause-logging::",
  "%0A::error::forged",
  "text\r::error::forged",
  "\u2028::error::forged",
];

/** What the action itself says in the story below. */
const ownKinds = new Set(["group", "endgroup", "add-mask", "debug", "stop-commands"]);

test("nothing that a machine prints becomes a workflow command, on either stream", async () => {
  const stage = await setStage();
  const directory = await stage.world.makeJobDirectory();
  mkdirSync(join(directory, "workspace"), { recursive: true });
  writeFileSync(join(directory, "workspace/tricks.txt"), `${tricks.join("\n")}\n::error::without a line end`);

  const story = await stage.play({
    directory,
    inputs: {
      upload: "tricks.txt -> tricks.txt",
      run: "cat tricks.txt\ncat tricks.txt >&2\nprintf '\\n::endgroup::'",
      "max-cost": "1",
    },
  });

  expect(story.main.conclusion).toBe("success");
  expect(story.main.log.filter((line) => line.includes("forged")).length).toBeGreaterThanOrEqual(10);
  const obeyed = story.main.commands.filter(({ data, name }) => !ownKinds.has(name) || /forged|mine|^the$/.test(data));
  expect(obeyed).toEqual([]);
  expect(story.main.outputs["ip"]).toBe("127.0.0.1");
  expect(Object.keys(story.main.state)).toEqual(["lease"]);
  expect(story.main.env).toEqual({});
  expect(story.main.paths).toEqual([]);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a machine that repeats the token of stop-commands, as far as it can know it, changes nothing", async () => {
  const stage = await setStage();
  // It cannot know the token, which is made anew each time; it tries all that it sees of itself.
  const run = 'for word in stop-commands resume endgroup "$$"; do echo "::$word::"; done\necho "::error::forged"';
  const story = await stage.play({ inputs: { run } });
  expect(story.main.commands.filter(({ name }) => name === "error")).toEqual([]);
  expect(story.main.conclusion).toBe("success");
  expect(judge(stage, story)).toBe("nothing is left");
});

test("what nvidia-smi prints is only text", async () => {
  const name = "::error::forged ##[error]forged | <b>H100</b>";
  const stage = await setStage({ stock: [goods({ gpus: { name, count: 1 } })] });
  const story = await stage.play({ inputs: { "max-attempts": "1", "max-cost": "1" } });
  expect(story.main.commands.filter(({ name, data }) => name === "error" && data.startsWith("forged"))).toEqual([]);
  expect(story.main.commands.filter(({ name }) => name === "error")).toHaveLength(1);
  expect(story.post.rawSummary).not.toContain("<b>");
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a flood of output and a line without an end are passed on whole", async () => {
  const stage = await setStage();
  const run = "seq 1 20000\nhead -c 300000 /dev/zero | tr '\\0' x\necho\necho last";
  const story = await stage.play({ inputs: { run } });
  expect(story.main.conclusion).toBe("success");
  expect(story.main.log).toContain("20000");
  expect(story.main.log).toContain("last");
  expect(story.main.log.filter((line) => /^x+$/.test(line)).join("")).toHaveLength(300_000);
  expect(judge(stage, story)).toBe("nothing is left");
});
