import { expect, test } from "vitest";
import { gpuJob, LABEL, setGuardStage } from "./guard-stage.ts";
import { judge, logOf } from "./stage.ts";

test("a job on the label gets a machine of its own, which is gone before the guard ends", async () => {
  const script = 'echo "secrets: $(env | grep -c -e JITCONFIG -e TOKEN)"; nvidia-smi -L';
  const stage = await setGuardStage({ jobs: [gpuJob("test", { script })] });
  let alive = -1;
  const story = await stage.guard({
    async between() {
      alive = stage.requests("DELETE /resources/:id").length;
    },
  });
  const { main, post } = story;
  expect(main.conclusion, logOf(main)).toBe("success");
  expect(stage.run.job("test").conclusion).toBe("success");
  expect(stage.run.job("test").output()).toContain("secrets: 0");
  expect(stage.run.job("test").output()).toContain("GPU 0: NVIDIA H100 PCIe");
  expect(alive).toBeGreaterThanOrEqual(1);
  expect(main.outputs["runner-label"]).toBe(LABEL);
  expect(stage.records().map(([, gone]) => gone)).toEqual(["finished"]);
  expect(stage.github.runners()[0]?.labels).toEqual([LABEL]);
  expect(post.summary).toContain("test");
  expect(post.summary).toContain("**Leaked: nothing**");
  expect(judge(stage, story)).toBe("nothing is left");
});
