import { expect, test } from "vitest";
import { annotations, dearerGoods, goods, judge, logOf, setStage } from "./stage.ts";

const foreign = { machine: { faults: { foreignHostKey: true } } };

test("a machine that shows only a foreign host key is told nothing, and is deleted after 3 minutes", async () => {
  const stage = await setStage({ timeScale: 20, stock: [goods(foreign)] });
  const story = await stage.play({ inputs: { "max-attempts": "1", run: "echo secret work" } });
  expect(story.main.exitCode).toBe(1);
  expect(annotations(story.main, "error")).toMatch(/host-key\nThe machine at .+ has shown only foreign host keys for 3 min/);
  const [machine] = stage.world.machines;
  expect(machine?.connections()).toBeGreaterThan(3);
  expect(machine?.authenticationRequests()).toBe(0);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("after a machine with a foreign host key the next offer is used", async () => {
  const stage = await setStage({ timeScale: 20, stock: [goods(foreign), dearerGoods] });
  const story = await stage.play();
  expect(story.main.conclusion).toBe("success");
  expect(story.main.outputs).toMatchObject({ vendor: "scaleway", attempts: "2" });
  expect(stage.world.machines[0]?.authenticationRequests()).toBe(0);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("an image that shows a key of its own before cloud-init has run is waited for", async () => {
  const faults = { foreignHostKey: true, foreignHostKeyMs: 2_000 };
  const stage = await setStage({ timeScale: 4, stock: [goods({ machine: { faults } })] });
  const story = await stage.play();
  expect(story.main.conclusion).toBe("success");
  expect(logOf(story.main)).toContain("the machine shows a host key that is not its own");
  expect(judge(stage, story)).toBe("nothing is left");
});

test("host-key: first-sight takes an image that never applies the key from cloud-init, and says so", async () => {
  const stage = await setStage({ stock: [goods(foreign)] });
  const story = await stage.play({ inputs: { "max-attempts": "1", "host-key": "first-sight", run: "echo fine" } });
  expect(story.main.conclusion).toBe("success");
  expect(annotations(story.main, "warning")).toMatch(/The host key of .+ was taken at first sight: SHA256:/);
  expect(judge(stage, story)).toBe("nothing is left");
});
