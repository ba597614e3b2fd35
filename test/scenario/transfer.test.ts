import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { annotations, goods, judge, logOf, setStage } from "./stage.ts";

const contents = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 31) % 256));

test("what is uploaded comes back as it was, but for what is ignored", async () => {
  const stage = await setStage();
  const directory = await stage.world.makeJobDirectory();
  const project = join(directory, "workspace/project");
  mkdirSync(join(project, "src/empty"), { recursive: true });
  mkdirSync(join(project, "node_modules/x"), { recursive: true });
  writeFileSync(join(project, "weights.bin"), contents);
  writeFileSync(join(project, "src/naïve name.txt"), "ünïcode\n");
  writeFileSync(join(project, "run.sh"), "#!/bin/sh\necho ran\n");
  chmodSync(join(project, "run.sh"), 0o755);
  symlinkSync("weights.bin", join(project, "latest"));
  writeFileSync(join(project, "debug.log"), "left behind");
  writeFileSync(join(project, "node_modules/x/index.js"), "left behind");

  const story = await stage.play({
    directory,
    inputs: {
      upload: "project -> work/project\nproject/run.sh -> bin/run.sh",
      "upload-ignore": "node_modules/\n*.log",
      run: "work/project/run.sh\nbin/run.sh\necho made-there > work/project/result.txt",
      download: "work/project -> back\nwork/project/result.txt -> results/result.txt",
    },
  });

  expect(story.main.conclusion).toBe("success");
  const back = join(directory, "workspace/back");
  expect(readdirSync(back, { recursive: true }).sort()).toEqual([
    "latest",
    "result.txt",
    "run.sh",
    "src",
    "src/empty",
    "src/naïve name.txt",
    "weights.bin",
  ]);
  expect(readFileSync(join(back, "weights.bin")).equals(contents)).toBe(true);
  expect(readFileSync(join(back, "src/naïve name.txt"), "utf8")).toBe("ünïcode\n");
  expect(statSync(join(back, "run.sh")).mode & 0o111).not.toBe(0);
  expect(readFileSync(join(directory, "workspace/results/result.txt"), "utf8")).toBe("made-there\n");
  expect(logOf(story.main).match(/^ran$/gm)).toHaveLength(2);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("environment and working directory reach the commands; no value of a variable is in the log or in a process list", async () => {
  const stage = await setStage();
  const secret = "hunter2 'quoted' $HOME";
  const story = await stage.play({
    env: { PASSED: secret },
    inputs: {
      env: "PASSED\nMODE=fast",
      "working-directory": "/tmp",
      run: 'pwd\necho "$(printf %s "$PASSED" | wc -c) $MODE"\nsleep 1',
    },
  });
  expect(logOf(story.main)).toContain(`/tmp\n${secret.length} fast\n`);
  expect(logOf(story.main)).not.toContain("hunter2");
  expect([...story.commandLines].join("\n")).not.toContain("hunter2");
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a download that fails after a good 'run' fails the step, and the machine is deleted", async () => {
  const stage = await setStage();
  const story = await stage.play({ inputs: { run: "true", download: "never-made -> out" } });
  expect(story.main.exitCode).toBe(1);
  expect(annotations(story.main, "error")).toContain("never-made");
  expect(story.main.outputs["exit-code"]).toBe("0");
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a machine without tar says so, and is deleted", async () => {
  const stage = await setStage({ stock: [goods({ machine: { faults: { noTar: true } } })] });
  const directory = await stage.world.makeJobDirectory();
  mkdirSync(join(directory, "workspace"), { recursive: true });
  writeFileSync(join(directory, "workspace/data.txt"), "x");
  const story = await stage.play({ directory, inputs: { upload: "data.txt -> data.txt", run: "cat data.txt" } });
  expect(story.main.exitCode).toBe(1);
  expect(annotations(story.main, "error")).toContain("tar");
  expect(judge(stage, story)).toBe("nothing is left");
});
