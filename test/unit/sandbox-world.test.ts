import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { expect, it, vi } from "vitest";
import { runAction } from "../../sandbox/runner/run-action.ts";
import { startWorld, type World } from "../../sandbox/world.ts";

const PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJvyS0MKoaGdbYtQTGCAFHWHF2h1w5ZtN0OtaXZLd1yN lease";

async function buy({ market }: World): Promise<void> {
  const authorization = `Bearer ${market.token}`;
  const offers = await fetch(`${market.url}/get_offers`, {
    method: "POST",
    headers: { authorization, "content-type": "application/yaml" },
    body: "compute:\n  gpu_type: L40S\n",
  });
  const offerId = /"offer_id":"([^"]+)"/.exec(await offers.text())?.[1];
  const answer = await fetch(`${market.url}/procure_offer`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify({ offer_id: offerId, ssh_public_key: PUBLIC_KEY, cloud_init: "#cloud-config\n{}\n" }),
  });
  expect(answer.status).toBe(200);
}

/** The first bytes that a port sends, or why there are none. */
function greeting(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("data", (data) => {
      resolve(data.toString());
      socket.destroy();
    });
    socket.once("error", (error) => resolve(error.message));
  });
}

it("boots machines that speak SSH, and leaves nothing behind", { timeout: 20_000 }, async () => {
  const world = await startWorld({ market: { provisionMs: 10, deleteMs: 10 }, machineKind: "embedded" });
  const job = await world.makeJobDirectory();
  try {
    await buy(world);
    await vi.waitFor(() => expect([world.machines.length, world.market.bootFailures()]).toEqual([1, []]), {
      timeout: 10_000,
      interval: 20,
    });
    expect(await greeting(world.machines[0]?.port ?? 0)).toMatch(/^SSH-2\.0-/);
  } finally {
    await world.close();
  }
  expect(world.market.bootFailures()).toEqual([]);
  expect(await greeting(world.machines[0]?.port ?? 0)).toContain("ECONNREFUSED");
  expect(existsSync(dirname(job))).toBe(false);
});

it("shares its time with the processes of its jobs", async () => {
  const world = await startWorld({ timeScale: 1000, bootMachine: () => Promise.reject(new Error("not needed")) });
  try {
    const directory = await world.makeJobDirectory();
    const entry = join(directory, "main.cjs");
    await writeFile(entry, "console.log(Date.now())");
    const before = world.market.clock.now();
    const { lines } = await (await runAction({ entry, directory, ...world.timing })).done;
    expect(Number(lines[0]?.text)).toBeGreaterThanOrEqual(before);
    expect(Number(lines[0]?.text)).toBeLessThanOrEqual(world.market.clock.now());
  } finally {
    await world.close();
  }
});
