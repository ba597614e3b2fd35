import { expect, test } from "vitest";
import { annotations, judge, setStage } from "./stage.ts";

test("bad inputs are refused all together, before any request", async () => {
  const stage = await setStage();
  const story = await stage.play({
    inputs: {
      "gpu-type": "any",
      "gpu-count": "0",
      "max-cost": "$5",
      "max-lifetime": "7h",
      region: "Mars",
      "poll-interval": "often",
      "host-key": "maybe",
      upload: "does-not-exist -> x",
      run: "",
      download: "out -> out",
      mode: "container",
    },
  });
  expect(story.main.exitCode).toBe(1);
  const told = annotations(story.main, "error");
  for (const name of [
    "gpu-type",
    "gpu-count",
    "max-cost",
    "max-lifetime",
    "region",
    "poll-interval",
    "host-key",
    "upload",
    "mode",
  ])
    expect(told).toContain(`Input '${name}'`);
  expect(stage.world.market.requests).toEqual([]);
  expect(judge(stage, story)).toBe("nothing is left");
});
