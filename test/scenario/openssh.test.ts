import { describe, expect, test } from "vitest";
import { hasSshd } from "../real-tools.ts";
import { annotations, goods, judge, logOf, setStage } from "./stage.ts";

describe.runIf(hasSshd)("with a real OpenSSH server as the machine", () => {
  const machineKind = "openssh";

  test("a machine is rented, used with upload and download, handed over and deleted", async () => {
    const stage = await setStage({ machineKind });
    const story = await stage.play({
      inputs: { run: "nvidia-smi -L\necho result > out.txt", download: "out.txt -> out.txt", shell: "sh" },
    });
    expect(story.main.conclusion).toBe("success");
    expect(logOf(story.main)).toContain("GPU 0: NVIDIA H100 PCIe");
    expect(judge(stage, story)).toBe("nothing is left");
  });

  test("a foreign host key: nothing is sent, the machine is deleted", async () => {
    const stage = await setStage({
      machineKind,
      timeScale: 20,
      stock: [goods({ machine: { faults: { foreignHostKey: true } } })],
    });
    const story = await stage.play({ inputs: { "max-attempts": "1" } });
    expect(annotations(story.main, "error")).toContain("has shown only foreign host keys");
    expect(stage.world.machines[0]?.authenticationRequests()).toBe(0);
    expect(judge(stage, story)).toBe("nothing is left");
  });

  test("cancelled while 'run' runs: its processes end, the machine is deleted", async () => {
    const stage = await setStage({ machineKind });
    const story = await stage.play({
      inputs: { run: "echo started\nsleep 300 & sleep 301" },
      async duringMain(main) {
        await main.waitForLine(/^started$/, 60_000);
        await main.cancel();
      },
    });
    expect(story.main.signal).toBeNull();
    expect(stage.world.machines[0]?.processes()).toEqual([]);
    expect(judge(stage, story)).toBe("nothing is left");
  });
});
