import { expect, test } from "vitest";
import { annotations, dearerGoods, goods, judge, setStage } from "./stage.ts";

const evil =
  "evil\n::error::forged\r::set-output name=ip::6.6.6.6 ##[error]forged [x](https://evil.example) <img src=x> | `a` @octocat #1 **b**";

test("text of a vendor is neither a command in the log nor markup in the summary", async () => {
  const stage = await setStage({
    timeScale: 5,
    stock: [goods({ vendor: evil, vendorRegion: evil, region: evil, conduct: { provisioning: "fails" } }), dearerGoods],
  });
  stage.world.market.faults.add({
    on: "GET /offers/:id/status",
    do: { kind: "status", status: 200, body: { status: "failed", procurement_status: "failed", failure_reason: evil } },
  });
  const story = await stage.play({ inputs: { "max-cost": "1" } });
  expect(story.main.conclusion).toBe("success");
  expect(story.main.outputs["ip"]).toBe("127.0.0.1");
  expect(annotations(story.main, "error") + annotations(story.post, "error")).toBe("");
  for (const { data } of story.main.commands) expect(data).not.toMatch(/^forged/);
  expect(annotations(story.main, "warning")).toContain("evil");
  const { rawSummary } = story.post;
  expect(rawSummary).toContain("evil");
  for (const markup of ["<img", "](https:", "`a`", "@octocat", "**b**", "https://evil"]) expect(rawSummary).not.toContain(markup);
  // The row of the table has its six cells, whatever stands in them.
  const row = rawSummary.split("\n").find((line) => line.startsWith("| 1 |")) ?? "";
  expect(row.split("|")).toHaveLength(8);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("a reason that the marketplace gives for a refusal is only text", async () => {
  const stage = await setStage();
  stage.world.market.faults.add({ on: "POST /procure_offer", do: { kind: "status", status: 402, body: { detail: evil } } });
  const story = await stage.play();
  expect(story.main.commands.filter(({ name }) => name === "error")).toHaveLength(1);
  expect(annotations(story.main, "error")).toContain("The purchase was refused: HTTP 402: evil");
  expect(story.main.outputs).not.toHaveProperty("ip");
  expect(judge(stage, story)).toBe("nothing is left");
});

test.each([
  ["-oProxyCommand=touch$IFS/tmp/owned", 22],
  ["127.0.0.1; touch /tmp/owned", 22],
  ["host\nProxyCommand touch /tmp/owned", 22],
] as const)("an address that is none (%s) is refused, and the machine deleted", async (external_ip, ssh_port) => {
  const stage = await setStage({ timeScale: 5 });
  stage.world.market.faults.add({
    on: "GET /offers/:id/status",
    times: Number.POSITIVE_INFINITY,
    do: { kind: "status", status: 200, body: { procurement_status: "ready", instances: [{ external_ip, ssh_port }] } },
  });
  const story = await stage.play({ inputs: { "max-attempts": "1" } });
  expect(story.main.exitCode).toBe(1);
  expect(annotations(story.main, "error")).toMatch(/address/);
  expect(story.main.outputs).not.toHaveProperty("ip");
  expect(story.main.outputs).not.toHaveProperty("ssh-command");
  expect(stage.world.machines.map((machine) => machine.connections())).toEqual([0]);
  expect(judge(stage, story)).toBe("nothing is left");
});
