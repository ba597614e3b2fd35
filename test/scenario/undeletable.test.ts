import { expect, test } from "vitest";
import { annotations, goods, judge, setStage } from "./stage.ts";

// These stories end with a machine that bills, on purpose: what counts is that post says so, and how to end it.
const inputs = { "cleanup-timeout": "30s" };
const timeScale = 5;

test.each([
  ["is never taken", "answers-500"],
  ["is taken, but nothing comes of it", "accepted-but-runs"],
] as const)(
  "a deletion that %s: post fails, names the machine, and prints the command that deletes it by hand",
  async (_how, deletion) => {
    const stage = await setStage({ timeScale, stock: [goods({ conduct: { deletion } })] });
    const story = await stage.play({ inputs });
    const { id } = stage.world.market.ledger.alive("ours")[0] ?? {};
    expect(id).toBeDefined();
    expect(story.post.exitCode).toBe(1);
    const error = annotations(story.post, "error");
    expect(error).toContain(`release\nIt could not be proved that everything is deleted: machine ${id} reads `);
    expect(error).toContain("It may still be BILLING");
    expect(error).toContain(
      `curl -sS -H "Authorization: Bearer $COMPUTE_CLEAR_TOKEN" -X DELETE '${stage.world.market.url}/resources/${id}?force=true'`,
    );
    expect(story.post.summary).toContain("> [!CAUTION]\n> **A machine may still be billing.**");
    expect(story.post.summary).toContain("NOT PROVED to be gone");
    expect(judge(stage, story)).toBe("post has failed and named it");
  },
);

test("the printed command is right: sent as it stands, with the token, it deletes the machine", async () => {
  const stage = await setStage({ timeScale });
  const { market } = stage.world;
  market.faults.add({ on: "DELETE /resources/:id", times: Number.POSITIVE_INFINITY, do: { kind: "status", status: 500 } });
  const story = await stage.play({ inputs });
  expect(judge(stage, story)).toBe("post has failed and named it");
  market.faults.clear();
  const [, method = "", url = ""] = /-X (\w+) '([^']+)'/.exec(annotations(story.post, "error")) ?? [];
  const reply = await fetch(url, { method, headers: { authorization: `Bearer ${market.token}` } });
  expect(reply.status).toBe(200);
  await expect.poll(() => market.ledger.alive()).toEqual([]);
});

test("a machine of which nothing is known but its offer: post names the offer and how to list what it sold", async () => {
  const stage = await setStage({ timeScale });
  const { market } = stage.world;
  const forEver = { times: Number.POSITIVE_INFINITY, do: { kind: "status", status: 503 } } as const;
  market.faults.add({ on: "POST /procure_offer", do: { kind: "hang-after" } });
  for (const on of ["GET /resources", "GET /offers/:id/status"]) market.faults.add({ on, ...forEver });
  const story = await stage.play({
    inputs,
    async duringMain(main) {
      await stage.requested("POST /procure_offer");
      await main.kill();
    },
  });
  const [machine] = market.ledger.alive("ours");
  expect(machine).toBeDefined();
  const error = annotations(story.post, "error");
  expect(error).toContain(`the purchase of offer ${machine?.offerId} as '${machine?.name}' has no known end`);
  expect(error).toContain(`'${market.url}/resources?offer_id=${machine?.offerId}'`);
  expect(judge(stage, story)).toBe("post has failed and named it");
});

test("a token that is revoked before post: it fails, names the machine, and does not try for ever", async () => {
  const stage = await setStage({ timeScale: 20 });
  const { market } = stage.world;
  const revoked = { times: Number.POSITIVE_INFINITY, do: { kind: "status", status: 401 } } as const;
  const story = await stage.play({
    async between() {
      for (const on of ["DELETE /resources/:id", "GET /resources/:id", "GET /resources", "GET /offers/:id/status"])
        market.faults.add({ on, ...revoked });
    },
  });
  expect(annotations(story.post, "error")).toContain("does not accept the token");
  expect(judge(stage, story)).toBe("post has failed and named it");
});

test("a marketplace that is gone when post runs: it fails and names the machine", async () => {
  const stage = await setStage({ timeScale });
  const story = await stage.play({
    inputs,
    async between() {
      for (const on of ["DELETE /resources/:id", "GET /resources/:id", "GET /resources", "GET /offers/:id/status"])
        stage.world.market.faults.add({ on, times: Number.POSITIVE_INFINITY, do: { kind: "reset-before" } });
    },
  });
  expect(story.post.exitCode).toBe(1);
  expect(judge(stage, story)).toBe("post has failed and named it");
});
