import { expect, test } from "vitest";
import { annotations, dearerGoods, goods, judge, logOf, setStage } from "./stage.ts";

const nothing = { kind: "status", status: 200, body: { offers: [], total_count: 0 } } as const;

test("nothing on sale: main fails, says what there is instead, and asks for nothing else", async () => {
  const stage = await setStage({ stock: [goods({ gpuFamily: "L40S", gpuType: "nvidia-l40s-pcie-48gb" })] });
  const story = await stage.play({ inputs: { "gpu-type": "L40" } });
  expect(story.main.exitCode).toBe(1);
  expect(annotations(story.main, "error")).toContain("No offer for 1x L40: the market has no offer");
  expect(annotations(story.main, "error")).toContain("gpu-type 'L40' is not on sale here: did you mean L40S? On sale now: L40S.");
  expect(stage.requests("POST /procure_offer")).toEqual([]);
  expect(logOf(story.post)).toContain("Nothing was bought, so there is nothing to delete.");
  expect(judge(stage, story)).toBe("nothing is left");
});

test("everything is dearer than the cap: the message names the market's price", async () => {
  const stage = await setStage({ stock: [dearerGoods, goods({ pricePerGpuHour: 2.5 })] });
  const story = await stage.play({ inputs: { "max-price-per-gpu-hour": "1.99" } });
  expect(story.main.exitCode).toBe(1);
  expect(annotations(story.main, "error")).toContain(
    "The cheapest that would fit costs $2.50 per GPU-hour (1x H100 from nebius (EU) at $2.50/h), above your 'max-price-per-gpu-hour' of $1.99.",
  );
  expect(stage.requests("POST /procure_offer")).toEqual([]);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("wait-for-offer: it keeps asking, and takes the offer that comes", async () => {
  const stage = await setStage({ timeScale: 4 });
  stage.world.market.faults.add({ on: "POST /get_offers", times: 3, do: nothing });
  const story = await stage.play({ inputs: { "wait-for-offer": "2m", "poll-interval": "2s" } });
  expect(story.main.conclusion).toBe("success");
  expect(logOf(story.main)).toMatch(/0 s: the market has no offer; asking again, for up to 2 min more\./);
  expect(stage.requests("POST /get_offers")).toHaveLength(4);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("wait-for-offer: when its time is over, main fails", async () => {
  const stage = await setStage({ timeScale: 10 });
  stage.world.market.faults.add({ on: "POST /get_offers", times: Number.POSITIVE_INFINITY, do: nothing });
  const story = await stage.play({ inputs: { "wait-for-offer": "20s", "poll-interval": "5s" } });
  expect(story.main.exitCode).toBe(1);
  expect(annotations(story.main, "error")).toContain("No offer for 1x H100 for 20 s: the market has no offer");
  expect(stage.requests("POST /get_offers").length).toBeGreaterThan(3);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a cancelled wait for an offer ends at once, with nothing to delete", async () => {
  const stage = await setStage({ stock: [] });
  const story = await stage.play({
    inputs: { "wait-for-offer": "1h", "poll-interval": "5m" },
    async duringMain(main) {
      await main.waitForLine("asking again", 30_000);
      await main.cancel();
    },
  });
  expect(story.main.signal).toBeNull();
  expect(annotations(story.main, "error")).toContain("The step was cancelled (SIGINT).");
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a dry run shows the offer and its worst case, and buys nothing", async () => {
  const stage = await setStage({ stock: [dearerGoods, goods()] });
  const story = await stage.play({ inputs: { "dry-run": "true", "max-lifetime": "1h", run: "echo never" } });
  expect(story.main.conclusion).toBe("success");
  expect(annotations(story.main, "warning")).toMatch(
    /Cheapest: 1x H100 from nebius \(EU\) at \$2\.00\/h\. Its lease lasts at most 1 h \(\$2\.00\); should other offers have to be tried, the worst case is \$4\.25 at today's prices\./,
  );
  expect(annotations(story.main, "notice")).toContain("Dry run: nothing was bought.");
  expect(stage.world.market.requests.map(({ path }) => path)).toEqual(["/get_offers"]);
  expect(stage.world.market.ledger.entries()).toEqual([]);
  expect(judge(stage, story)).toBe("nothing is left");
});
