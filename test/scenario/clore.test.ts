import { expect, test } from "vitest";
import * as z from "zod";
import { server } from "../../sandbox/clore/servers.ts";
import { annotations, judge, logOf, type Stage, type StageOptions, setStage, until } from "./stage.ts";

const KEEPS_TRYING = Number.POSITIVE_INFINITY;
const orderSent = z.object({ ports: z.record(z.string(), z.string()), required_price: z.number(), type: z.string() });

/** Ten seconds of the marketplace's pass in one: its rate is what takes the time. */
async function setCloreStage({ clore, ...options }: StageOptions = {}) {
  const stage = await setStage({ timeScale: 10, clore: { servers: [server(1, 4.8), server(2, 9.6)], ...clore }, ...options });
  const stand = stage.world.clore;
  if (stand === undefined) throw new Error("The marketplace is not Clore.");
  return { ...stage, stand };
}

const ordersOf = (stage: Stage) => stage.requests("POST /create_order").map(({ body }) => orderSent.parse(JSON.parse(body)));

test("a server is rented, used over SSH, and its order is cancelled and proved", async () => {
  const stage = await setCloreStage();
  const story = await stage.play({
    inputs: { run: 'nvidia-smi -L; echo "$HOSTNAME"', ports: "8888/http, 6006/tcp", "container-env": "MODE=fast" },
  });
  expect(story.main.conclusion, logOf(story.main)).toBe("success");
  expect(logOf(story.main)).toContain("1x RTX 4090 from clore-9 (EU) at $0.20/h (4.8 USD-Blockchain a day)");
  expect(logOf(story.main)).toContain("so it is known as ours");
  expect(annotations(story.main, "warning")).toContain("taken at first sight");
  const { endpoints = "", "resource-id": orderId } = story.main.outputs;
  expect(JSON.parse(endpoints)).toEqual({
    "8888/http": `https://${orderId}.clorecloud.test`,
    "6006/tcp": expect.stringMatching(/^127\.0\.0\.1:\d+$/),
  });
  const [order] = ordersOf(stage);
  expect(order).toMatchObject({ required_price: 4.8, type: "on-demand" });
  expect(order?.ports).toMatchObject({ "22": "tcp", "8888": "http", "6006": "tcp" });
  expect(Object.keys(order?.ports ?? {})).toHaveLength(5);
  expect(story.post.summary).toContain("creation fees included");
  expect(judge(stage, story)).toBe("nothing is left");
});

test("an order that was made although its answer was code 1 is known by its ports, used, and nothing is sent again", async () => {
  const stage = await setCloreStage({ clore: { servers: [server(1, 4.8, { conduct: { order: "code-1-but-made" } })] } });
  const story = await stage.play({ inputs: { run: "true" } });
  expect(story.main.conclusion, logOf(story.main)).toBe("success");
  expect(stage.requests("POST /create_order")).toHaveLength(1);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("code 1 without an order: after a minute the next server is tried, and post settles the first", async () => {
  const stage = await setCloreStage({
    timeScale: 20,
    clore: { servers: [server(1, 4.8, { conduct: { order: "code-1" } }), server(2, 9.6)] },
  });
  const story = await stage.play({ inputs: { run: "true" } });
  expect(story.main.conclusion, logOf(story.main)).toBe("success");
  expect(story.main.outputs["offer-id"]).toBe("2");
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a server that somebody else rents in between is no attempt of ours", async () => {
  const stage = await setCloreStage({ clore: { servers: [server(1, 4.8, { conduct: { order: "taken" } }), server(2, 9.6)] } });
  const story = await stage.play({ inputs: { run: "true", "max-attempts": "1" } });
  expect(story.main.conclusion, logOf(story.main)).toBe("success");
  expect(story.main.outputs["offer-id"]).toBe("2");
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a wallet that cannot pay is told before anything is ordered", async () => {
  const stage = await setCloreStage({ clore: { balanceUsd: 0.12 } });
  const story = await stage.play({ inputs: { run: "true" } });
  expect(story.main.conclusion).toBe("failure");
  expect(annotations(story.main, "error")).toMatch(/the wallet holds \$0\.12 \(0\.12 USD-Blockchain\).*needs \$0\.15.*top it up/);
  expect(stage.requests("POST /create_order")).toEqual([]);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a key that is injected late is waited for", async () => {
  const stage = await setCloreStage({ clore: { servers: [server(1, 4.8)], machines: { 1: { faults: { lateKeyMs: 3_000 } } } } });
  const story = await stage.play({ inputs: { run: "true" } });
  expect(story.main.conclusion, logOf(story.main)).toBe("success");
  expect(judge(stage, story)).toBe("nothing is left");
});

test("an order that vanishes under the work is named, and post proves that it has ended", async () => {
  const stage = await setCloreStage();
  const story = await stage.play({
    inputs: { run: "echo working; sleep 600" },
    async duringMain(main) {
      await main.waitForLine("working", 60_000);
      stage.world.market.reclaim(String(stage.stand.orders[0]?.id));
    },
  });
  expect(story.main.conclusion).toBe("failure");
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a cancellation that is answered with order_not_active is one", async () => {
  const stage = await setCloreStage({ clore: { servers: [server(1, 4.8, { conduct: { cancellation: "order_not_active" } })] } });
  const story = await stage.play({ inputs: { run: "true" } });
  expect(story.post.conclusion, logOf(story.post)).toBe("success");
  expect(logOf(story.post)).toContain("already done");
  expect(judge(stage, story)).toBe("nothing is left");
});

test("orders that cannot be read prove nothing: post fails and names the order", async () => {
  const stage = await setCloreStage({ timeScale: 20 });
  const story = await stage.play({
    inputs: { run: "true", "cleanup-timeout": "1m" },
    async between() {
      stage.world.market.faults.add({ on: "GET /my_orders", times: KEEPS_TRYING, do: { kind: "status", status: 500 } });
    },
  });
  expect(story.post.conclusion).toBe("failure");
  expect(annotations(story.post, "error")).toContain(`-d '{"id":${story.main.outputs["resource-id"]}}'`);
  expect(stage.requests("POST /cancel_order").length).toBeGreaterThan(0);
  expect(judge(stage, story)).toBe("post has failed and named it");
});

test("orders that are forgotten at their end are proved by two lists without them", async () => {
  const stage = await setCloreStage({ clore: { forgetsEnded: true } });
  const story = await stage.play({ inputs: { run: "true" } });
  expect(logOf(story.post)).toMatch(/is not found, twice/);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("an order of our server and time that shows no ports of ours is neither used nor cancelled, and post names it", async () => {
  const conduct = { order: "code-1-but-made", showsPorts: false } as const;
  const stage = await setCloreStage({ timeScale: 20, clore: { servers: [server(1, 4.8, { conduct })] } });
  const story = await stage.play({ inputs: { run: "true", "provision-timeout": "2m", "cleanup-timeout": "1m" } });
  expect(story.main.conclusion).toBe("failure");
  expect(stage.requests("POST /cancel_order")).toEqual([]);
  expect(annotations(story.post, "error")).toContain("it does not show the ports of this lease");
  expect(judge(stage, story)).toBe("post has failed and named it");
});

test("cancelled while the container is deployed: the order, known by its server, is cancelled at once", async () => {
  const stage = await setCloreStage({ timeScale: 1, clore: { servers: [server(1, 4.8, { conduct: { deploys: false } })] } });
  const story = await stage.play({
    inputs: { run: "true" },
    async duringMain(main) {
      await main.waitForLine("is being deployed", 60_000);
      await main.cancel();
    },
    async between(main) {
      expect(main.signal).toBeNull();
      expect(stage.requests("POST /cancel_order").length).toBeGreaterThan(0);
    },
  });
  expect(judge(stage, story)).toBe("nothing is left");
});

test("killed right after the order: post finds it by its ports", async () => {
  const stage = await setCloreStage({ clore: { servers: [server(1, 4.8, { conduct: { listedAfterMs: 2_000 } })] } });
  const story = await stage.play({
    inputs: { run: "true" },
    async duringMain(main) {
      await stage.requested("POST /create_order");
      await main.kill();
    },
  });
  expect(stage.stand.orders).toHaveLength(1);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a spot order bids the price cap; outbid, it is recognised and cancelled, and the next server is bid for", async () => {
  const first = server(1, 4.8, { conduct: { deploys: false } });
  const stage = await setCloreStage({ clore: { servers: [first, server(2, 9.6)] } });
  const story = await stage.play({
    inputs: { run: "true", "contract-type": "spot", "max-price-per-gpu-hour": "0.30" },
    async duringMain() {
      await stage.requested("POST /create_order");
      stage.stand.outbid(1);
    },
  });
  expect(story.main.conclusion, logOf(story.main)).toBe("success");
  expect(logOf(story.main)).toContain("is outbid");
  expect(ordersOf(stage).map(({ type }) => type)).toEqual(["spot", "spot"]);
  expect(stage.requests("POST /create_order")[0]?.body).toContain('"spotprice":7.2');
  expect(judge(stage, story)).toBe("nothing is left");
});

test("'wait-for-offer' with a price cap rents as soon as the price has dropped", async () => {
  const servers = [server(1, 24)];
  const stage = await setCloreStage({ clore: { servers } });
  const story = await stage.play({
    inputs: { run: "true", "max-price-per-gpu-hour": "0.50", "wait-for-offer": "30m" },
    async duringMain() {
      await stage.requested("GET /marketplace", 2);
      servers[0] = server(1, 4.8);
    },
  });
  expect(story.main.conclusion, logOf(story.main)).toBe("success");
  expect(logOf(story.main)).toContain("dearer than $0.50 per GPU-hour");
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a '#!' script is run over SSH before the work; one that fails ends the step", async () => {
  const stage = await setCloreStage();
  const setup = '#!/bin/sh\necho "prepared by $0" >/tmp/gpup-setup-$PPID\necho prepared\n';
  const good = await stage.play({ inputs: { "cloud-init": setup, run: "echo worked" } });
  expect(good.main.conclusion, logOf(good.main)).toBe("success");
  expect(logOf(good.main)).toMatch(/prepared.*worked/s);
  const bad = await stage.play({ inputs: { "cloud-init": "#!/bin/sh\nexit 3\n", run: "echo worked" } });
  expect(bad.main.conclusion).toBe("failure");
  expect(annotations(bad.main, "error")).toContain("The script of 'cloud-init' ended with exit code 3.");
  expect(logOf(bad.main)).not.toContain("worked");
  expect(judge(stage, bad)).toBe("nothing is left");
});

test("a marketplace that wraps its replies, and has hiccups on the way", async () => {
  const stage = await setCloreStage({ clore: { envelope: "data" } });
  const { faults } = stage.world.market;
  faults.add({ on: "GET /marketplace", do: { kind: "status", status: 500, body: { code: 1 } } });
  faults.add({ on: "GET /wallets", do: { kind: "html", status: 502 } });
  faults.add({ on: "GET /my_orders", nth: 2, do: { kind: "status", status: 429, body: { code: 5 } } });
  faults.add({ on: "GET /my_orders", nth: 5, do: { kind: "reset-before" } });
  faults.add({ on: "POST /cancel_order", do: { kind: "status", status: 429, body: { code: 5 } } });
  const story = await stage.play({ inputs: { run: "true" } });
  expect(story.main.conclusion, logOf(story.main)).toBe("success");
  expect(judge(stage, story)).toBe("nothing is left");
});

test("8 leases on one key that all want the same server: each gets one of its own, and nobody touches another's order", async () => {
  const servers = Array.from({ length: 8 }, (_, index) => server(index + 1, 4.8 * 1.2 ** index));
  const stage = await setCloreStage({ timeScale: 8, clore: { servers } });
  // Nobody is done before everybody has a machine.
  const here = await stage.world.makeJobDirectory();
  const run = `touch ${here}/$$\nwhile [ "$(ls ${here} | wc -l)" -lt 8 ]; do sleep 0.2; done\n`;
  const stories = await Promise.all(
    servers.map((_, index) =>
      stage.play({
        inputs: { "api-url": `${stage.world.market.url}/lease-${index}`, run, "poll-interval": "15s" },
      }),
    ),
  );
  for (const story of stories) expect(story.main.conclusion, logOf(story.main)).toBe("success");
  expect(new Set(stories.map(({ main }) => main.outputs["resource-id"])).size).toBe(8);
  expect(new Set(stories.map(({ main }) => main.outputs["offer-id"])).size).toBe(8);
  for (const story of stories) expect(judge(stage, story)).toBe("nothing is left");
  await until("every order has ended", () => stage.stand.orders.every(({ endedAt }) => endedAt !== undefined));
});
