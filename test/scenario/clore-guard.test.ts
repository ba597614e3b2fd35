import { expect, test } from "vitest";
import { server } from "../../sandbox/clore/servers.ts";
import { gpuJob, setGuardStage } from "./guard-stage.ts";
import { annotations, judge, logOf } from "./stage.ts";

const pair = { gpu: "2x NVIDIA GeForce RTX 4090" };

test("a container becomes runners over SSH, a matrix drains through them, and the order is cancelled", async () => {
  const jobs = ["a", "b", "c", "d"].map((name) => gpuJob(name, { script: 'echo "GPU $CUDA_VISIBLE_DEVICES"' }));
  const stage = await setGuardStage({ timeScale: 5, jobs, clore: { servers: [server(1, 9.6, pair)] } });
  const story = await stage.guard({ inputs: { "gpu-count": "2", runners: "2" } });
  expect(story.main.conclusion, logOf(story.main)).toBe("success");
  for (const { name } of jobs) expect(stage.run.job(name).conclusion).toBe("success");
  expect(annotations(story.main, "warning")).toContain("taken at first sight");
  expect(stage.records().filter(([, gone]) => gone === undefined)).toEqual([]);
  // Nothing of the runner went to the marketplace: a container takes no boot script.
  expect(
    stage
      .requests("POST /create_order")
      .map(({ body }) => body)
      .join(),
  ).not.toContain("jitconfig");
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a container that is gone under its job is named", async () => {
  const stage = await setGuardStage({
    timeScale: 5,
    jobs: [gpuJob("train", { script: "sleep 600" })],
    clore: { servers: [server(1, 4.8)] },
  });
  const story = await stage.guard({
    async duringMain(main) {
      await main.waitForLine("runs job 'train'", 60_000);
      stage.world.market.reclaim(nameOf(stage.world.clore?.orders[0]?.id));
    },
  });
  expect(story.main.conclusion).toBe("failure");
  expect(annotations(story.main, "error")).toMatch(/The machine vanished under job 'train'/);
  expect(judge(stage, story)).toBe("nothing is left");
});

function nameOf(id: number | undefined): string {
  if (id === undefined) throw new Error("There is no order.");
  return String(id);
}
