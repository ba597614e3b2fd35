import { expect, test } from "vitest";
import { annotations, dearerGoods, goods, judge, setStage } from "./stage.ts";

// A purchase that failed may show its remains some seconds later, which release waits for.
const timeScale = 5;

test.each([
  ["nothing is born", "fails", 1],
  ["a machine is half born and bills", "fails-half-born", 2],
] as const)("sold with HTTP 200 and status 'failed', %s: the next offer is used", async (_how, sale, born) => {
  const stage = await setStage({ timeScale, stock: [goods({ conduct: { sale } }), dearerGoods] });
  const story = await stage.play();
  expect(story.main.conclusion).toBe("success");
  expect(annotations(story.main, "warning")).toContain("The marketplace could not deliver: vendor out of capacity");
  expect(story.main.outputs).toMatchObject({ vendor: "scaleway", attempts: "2" });
  expect(stage.world.market.ledger.entries()).toHaveLength(born);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("provisioning that fails after the sale: the remains are deleted, the next offer is used", async () => {
  const stage = await setStage({ timeScale, stock: [goods({ conduct: { provisioning: "fails" } }), dearerGoods] });
  const story = await stage.play();
  expect(story.main.conclusion).toBe("success");
  expect(annotations(story.main, "warning")).toMatch(/The marketplace reports: .*vendor could not start the instance/);
  expect(story.main.outputs).toMatchObject({ vendor: "scaleway", attempts: "2" });
  expect(stage.world.market.ledger.entries()).toHaveLength(2);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("provisioning that never ends: given up after provision-timeout, deleted, the next offer is used", async () => {
  const stage = await setStage({ timeScale, stock: [goods({ conduct: { provisioning: "never" } }), dearerGoods] });
  const story = await stage.play({ inputs: { "provision-timeout": "15s" } });
  expect(story.main.conclusion).toBe("success");
  expect(annotations(story.main, "warning")).toMatch(/The machine was not ready within \d+ s \('provision-timeout'\)/);
  expect(story.main.outputs).toMatchObject({ vendor: "scaleway", attempts: "2" });
  expect(judge(stage, story)).toBe("nothing is left");
});
