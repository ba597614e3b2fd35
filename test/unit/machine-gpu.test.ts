import { describe, expect, it } from "vitest";
import { deadlineAfter } from "../../src/lease/clock.ts";
import { GpuFailure } from "../../src/lease/failure.ts";
import { checkGpus, readGpus } from "../../src/machine/gpu-check.ts";
import { isOfFamily } from "../../src/machine/gpu-names.ts";
import type { ExecResult } from "../../src/machine/machine.ts";
import { keepLog, machineKinds, racingClock, standUp } from "./machine-stand.ts";

describe("isOfFamily", () => {
  it.each([
    ["NVIDIA H100 80GB HBM3", "H100"],
    ["NVIDIA H100 PCIe", "H100"],
    ["NVIDIA H100 NVL", "h100"],
    ["NVIDIA H100 80GB HBM3", "H100 SXM"],
    ["NVIDIA H100 80GB HBM3", "H100_SXM5"],
    ["NVIDIA H100 PCIe", "h100pcie"],
    ["NVIDIA H200", "H200"],
    ["NVIDIA H200 NVL", "H200"],
    ["NVIDIA GH200 480GB", "GH200"],
    ["NVIDIA B200", "B200"],
    ["NVIDIA A100-SXM4-80GB", "A100"],
    ["NVIDIA A100-SXM4-40GB", "A100"],
    ["NVIDIA A100 80GB PCIe", "A100"],
    ["A100-PCIE-40GB", "A100"],
    ["NVIDIA A100-SXM4-80GB", "a100-80gb"],
    ["NVIDIA A100-SXM4-80GB MIG 3g.40gb", "A100"],
    ["NVIDIA A10", "A10"],
    ["NVIDIA A10G", "A10G"],
    ["NVIDIA A40", "A40"],
    ["NVIDIA A16", "A16"],
    ["NVIDIA L4", "L4"],
    ["NVIDIA L40", "L40"],
    ["NVIDIA L40S", "L40S"],
    ["Tesla T4", "T4"],
    ["NVIDIA T4G", "T4G"],
    ["Tesla V100-SXM2-16GB", "V100"],
    ["Tesla V100-PCIE-32GB", "V100"],
    ["Tesla P100-PCIE-16GB", "P100"],
    ["NVIDIA GeForce RTX 4090", "RTX4090"],
    ["NVIDIA GeForce RTX 4090", "RTX 4090"],
    ["NVIDIA GeForce RTX 4090", "rtx-4090"],
    ["NVIDIA GeForce RTX 4090", "rtx_4090"],
    ["NVIDIA GeForce RTX 4090", "4090"],
    ["NVIDIA GeForce RTX 4090 D", "RTX4090D"],
    ["NVIDIA GeForce RTX 5090", "RTX 5090"],
    ["NVIDIA GeForce RTX 3080 Ti", "RTX3080Ti"],
    ["NVIDIA GeForce RTX 4070 Ti SUPER", "RTX 4070 Ti Super"],
    ["NVIDIA GeForce GTX 1080 Ti", "GTX 1080 Ti"],
    ["NVIDIA RTX A6000", "A6000"],
    ["NVIDIA RTX A6000", "RTXA6000"],
    ["NVIDIA RTX A6000", "RTX A6000"],
    ["NVIDIA RTX A4000", "rtx-a4000"],
    ["NVIDIA RTX 6000 Ada Generation", "RTX6000ADA"],
    ["NVIDIA RTX 6000 Ada Generation", "RTX 6000 Ada"],
    ["NVIDIA RTX 6000 Ada Generation", "rtx-6000-ada-generation"],
    ["NVIDIA RTX 4000 SFF Ada Generation", "RTX 4000 Ada"],
    ["Quadro RTX 6000", "RTX6000"],
    ["NVIDIA RTX PRO 6000 Blackwell Server Edition", "RTX PRO 6000"],
    ["NVIDIA RTX PRO 6000 Blackwell Server Edition", "RTXPRO6000"],
  ])("%s is of the family %s", (name, family) => {
    expect(isOfFamily(name, family, "")).toBe(true);
  });

  it.each([
    ["NVIDIA L40S", "L40"],
    ["NVIDIA L40", "L4"],
    ["NVIDIA L4", "L40"],
    ["NVIDIA L40S", "L4"],
    ["NVIDIA L40", "L40S"],
    ["NVIDIA A100-SXM4-80GB", "A10"],
    ["NVIDIA A10", "A100"],
    ["NVIDIA A10G", "A10"],
    ["NVIDIA A10", "A10G"],
    ["NVIDIA GH200 480GB", "H100"],
    ["NVIDIA GH200 480GB", "H200"],
    ["NVIDIA H200", "H100"],
    ["NVIDIA H100 PCIe", "GH200"],
    ["NVIDIA A40", "A4000"],
    ["NVIDIA RTX A4000", "A40"],
    ["NVIDIA GeForce RTX 4090", "RTX 4080"],
    ["NVIDIA GeForce RTX 4090 D", "RTX 4090"],
    ["NVIDIA GeForce RTX 3080", "RTX 3080 Ti"],
    ["NVIDIA RTX A6000", "RTX6000ADA"],
    ["NVIDIA RTX 6000 Ada Generation", "A6000"],
    ["NVIDIA RTX 6000 Ada Generation", "RTX6000"],
    ["NVIDIA RTX PRO 6000 Blackwell Server Edition", "RTX6000"],
    ["NVIDIA T4G", "T4"],
    ["Tesla V100-SXM2-16GB", "P100"],
    ["NVIDIA B200", "GB200"],
    ["", "H100"],
  ])("%s is not of the family %s", (name, family) => {
    expect(isOfFamily(name, family, "")).toBe(false);
  });

  it.each([
    ["NVIDIA H100 80GB HBM3", "nvidia-h100-sxm5-80gb", true],
    ["NVIDIA H100 PCIe", "nvidia-h100-pcie-80gb", true],
    ["NVIDIA L40S", "nvidia-l40s-pcie-48gb", true],
    ["NVIDIA L40", "nvidia-l40s-pcie-48gb", false],
    ["NVIDIA A100-SXM4-80GB", "nvidia-h100-sxm5-80gb", false],
    ["NVIDIA GeForce RTX 4090", "nvidia-rtx-4090-24gb", true],
    ["NVIDIA H100 PCIe", "any", false],
    ["NVIDIA H100 PCIe", "", true],
  ])("%s, where only the type %s is known: %s", (name, gpuType, expected) => {
    expect(isOfFamily(name, "", gpuType)).toBe(expected);
  });
});

describe("readGpus", () => {
  it("reads what a driver tells and passes over the rest", () => {
    const csv =
      "0, NVIDIA A100-SXM4-80GB, 81920, 570.124.06\n  MIG 3g.40gb Device 0\n1, NVIDIA A100-SXM4-80GB, [N/A], 570.124.06\n\n";
    expect(readGpus(csv)).toEqual([
      { index: 0, name: "NVIDIA A100-SXM4-80GB", memoryMb: 81_920, driver: "570.124.06" },
      { index: 1, name: "NVIDIA A100-SXM4-80GB", driver: "570.124.06" },
    ]);
  });
});

describe("checkGpus", () => {
  const bought = { family: "H100", gpuType: "nvidia-h100-sxm5-80gb", count: 2 };
  const line = (index: number, name: string) => `${index}, ${name}, 81559, 570.124.06\n`;
  const answers = (...results: Partial<ExecResult>[]) => {
    let asked = 0;
    return {
      asked: () => asked,
      async exec(): Promise<ExecResult> {
        const result = results[Math.min(asked, results.length - 1)];
        asked += 1;
        return { code: 0, stdout: "", stderr: "", ...result };
      },
    };
  };
  const world = (budget = 900_000) => {
    const clock = racingClock();
    return { clock, log: keepLog(), signal: new AbortController().signal, deadline: deadlineAfter(clock, budget) };
  };
  const notUp = { code: 9, stdout: "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n" };
  const two = { stdout: line(0, "NVIDIA H100 80GB HBM3") + line(1, "NVIDIA H100 80GB HBM3") };

  it("waits for a driver that is coming up", async () => {
    const machine = answers({ code: 127 }, notUp, notUp, { stdout: "" }, two);
    const where = world();
    expect((await checkGpus(machine, bought, where)).gpus).toHaveLength(2);
    expect(where.clock.ticks()).toBe(20_000);
    expect(where.log.sentences.join("\n")).toContain("couldn't communicate");
  });

  it("gives a silent driver three minutes", async () => {
    const where = world();
    await expect(checkGpus(answers(notUp), bought, where)).rejects.toThrow(
      /sold as 2x H100, but after 3 min nvidia-smi ends with 9/,
    );
    expect(where.clock.ticks()).toBe(180_000);
  });

  it("stays within its deadline", async () => {
    const where = world(12_000);
    await expect(checkGpus(answers({ code: 127 }), bought, where)).rejects.toThrow("after 12 s there is no nvidia-smi command");
    expect(where.clock.ticks()).toBe(12_000);
  });

  it.each([
    ["too few", line(0, "NVIDIA H100 80GB HBM3"), "nvidia-smi shows 1x NVIDIA H100 80GB HBM3"],
    ["others", line(0, "NVIDIA A100-SXM4-80GB") + line(1, "NVIDIA A100-SXM4-80GB"), "shows 2x NVIDIA A100-SXM4-80GB"],
    ["a mixture", line(0, "NVIDIA H100 PCIe") + line(1, "Tesla T4"), "shows 1x NVIDIA H100 PCIe, 1x Tesla T4"],
  ])("refuses %s at once", async (_what, stdout, told) => {
    const machine = answers({ stdout });
    const failing = checkGpus(machine, bought, world());
    await expect(failing).rejects.toThrow(GpuFailure);
    await expect(failing).rejects.toThrow(told);
    expect(machine.asked()).toBe(1);
  });

  it("takes more than were bought", async () => {
    expect((await checkGpus(answers(two), { ...bought, count: 1 }, world())).gpus).toHaveLength(2);
  });

  it("makes what the machine says harmless", async () => {
    const failing = checkGpus(answers({ stdout: line(0, "::error::\u001b[31mH100") }), bought, world());
    await expect(failing).rejects.toThrow("1x : :error: : [31mH100.");
  });

  it("ends with its signal's reason", async () => {
    const reason = new Error("stopped");
    await expect(checkGpus(answers(two), bought, { ...world(), signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  for (const { kind, available } of machineKinds)
    it.runIf(available)(`sees the GPUs of a machine of kind ${kind}`, async () => {
      const stand = await standUp({ kind, gpus: { name: "NVIDIA H100 80GB HBM3", count: 8 } });
      try {
        const report = await checkGpus(await stand.connect(), { ...bought, count: 8 }, world());
        expect(report.gpus.map((gpu) => gpu.index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
        expect(report.gpus[7]).toMatchObject({ name: "NVIDIA H100 80GB HBM3", memoryMb: 81_520 });
      } finally {
        await stand.end();
      }
    });

  it.each(["missing", "broken"] as const)("tells of an nvidia-smi that is %s", async (nvidiaSmi) => {
    const stand = await standUp({ kind: "embedded", faults: { nvidiaSmi } });
    try {
      const result = await (await stand.connect()).exec("nvidia-smi");
      await expect(checkGpus(answers(result), bought, world())).rejects.toThrow(
        nvidiaSmi === "missing" ? "there is no nvidia-smi command" : "couldn't communicate with the NVIDIA driver",
      );
    } finally {
      await stand.end();
    }
  });
});
