import { expect, test } from "vitest";
import { dearerGoods, goods, setStage, until } from "./stage.ts";

// A runner that is shut down sends SIGTERM, and never runs post: main alone has to see to the machine.

test.each([
  ["boots", goods({ conduct: { provisioning: "never" } }), "provisioning_"],
  ["works", goods(), "started"],
] as const)("SIGTERM while the machine %s, and no post: main has the machine deleted", async (_how, entry, line) => {
  const stage = await setStage({ stock: [entry, dearerGoods] });
  const { ledger } = stage.world.market;
  const main = await stage.playMain({
    inputs: { run: "echo started\nsleep 300" },
    async during(main) {
      await main.waitForLine(line, 60_000);
      main.signal("SIGTERM");
    },
  });
  expect(main.exitCode).toBe(1);
  await until("the deletion", () => ledger.alive().length === 0);
  expect(ledger.entries()).toHaveLength(1);
  expect(ledger.entries()[0]?.deletedBy?.by).toBe("ours");
});

test("SIGTERM during a slow purchase, and no post: main has the machine deleted", async () => {
  const stage = await setStage();
  const { ledger, faults } = stage.world.market;
  faults.add({ on: "POST /procure_offer", do: { kind: "slow", ms: 2_000 } });
  await stage.playMain({
    async during(main) {
      await stage.requested("POST /procure_offer");
      main.signal("SIGTERM");
    },
  });
  await until("the deletion", () => ledger.alive().length === 0);
  expect(ledger.entries()).toHaveLength(1);
});
