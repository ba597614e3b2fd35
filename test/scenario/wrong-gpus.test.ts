import { expect, test } from "vitest";
import { annotations, dearerGoods, goods, judge, logOf, setStage } from "./stage.ts";

const timeScale = 20;

test.each([
  [
    "fewer GPUs than were sold",
    { name: "NVIDIA H100 PCIe", count: 1 },
    "sold as 2x H100, but nvidia-smi shows 1x NVIDIA H100 PCIe",
  ],
  [
    "another model",
    { name: "NVIDIA A100-PCIE-40GB", count: 2 },
    "sold as 2x H100, but nvidia-smi shows 2x NVIDIA A100-PCIE-40GB",
  ],
  ["a driver that never comes up", "broken", "sold as 2x H100, but after 3 min"],
] as const)("a machine with %s is deleted, and the next offer is used", async (_how, nvidiaSmi, words) => {
  const two = { gpuCount: 2, gpus: { name: "NVIDIA H100 PCIe", count: 2 } };
  const stage = await setStage({
    timeScale,
    stock: [goods({ ...two, machine: { faults: { nvidiaSmi } } }), { ...dearerGoods, ...two }],
  });
  const story = await stage.play({ inputs: { "gpu-count": "2" } });
  expect(story.main.conclusion).toBe("success");
  expect(annotations(story.main, "warning")).toContain(words);
  expect(logOf(story.main)).toContain("nvidia-smi shows 2x NVIDIA H100 PCIe, driver ");
  expect(story.main.outputs).toMatchObject({ vendor: "scaleway", attempts: "2", "gpu-count": "2" });
  expect(judge(stage, story)).toBe("nothing is left");
});

test("when every machine is no good, main fails after max-attempts and none is left", async () => {
  const faults = { nvidiaSmi: { name: "NVIDIA L4", count: 1 } };
  const stage = await setStage({ timeScale, stock: [goods({ machine: { faults } })] });
  const story = await stage.play({ inputs: { "max-attempts": "2" } });
  expect(story.main.exitCode).toBe(1);
  expect(annotations(story.main, "error")).toContain("gpu\nThe machine was sold as 1x H100, but nvidia-smi shows 1x NVIDIA L4.");
  expect(stage.world.market.ledger.entries()).toHaveLength(2);
  expect(judge(stage, story)).toBe("nothing is left");
});
