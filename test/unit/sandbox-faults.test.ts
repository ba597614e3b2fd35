import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type ComputeClearStand, startComputeClear } from "../../sandbox/compute-clear/start-compute-clear.ts";
import type { Fault } from "../../sandbox/faults.ts";

let stand: ComputeClearStand;
beforeEach(async () => {
  stand = await startComputeClear({ bootMachine: () => Promise.reject(new Error("not needed")) });
});
afterEach(() => stand.close());

const authorization = () => ({ authorization: `Bearer ${stand.token}` });

async function offerId(): Promise<string> {
  const response = await fetch(`${stand.url}/get_offers`, {
    method: "POST",
    headers: { ...authorization(), "content-type": "application/yaml" },
    body: "compute:\n  gpu_type: H100\n",
  });
  return /"offer_id":"([^"]+)"/.exec(await response.text())?.[1] ?? "none";
}

async function procure(id: string, signal: AbortSignal | null = null) {
  const response = await fetch(`${stand.url}/procure_offer`, {
    method: "POST",
    headers: { ...authorization(), "content-type": "application/json" },
    body: JSON.stringify({ offer_id: id, ssh_public_key: "ssh-ed25519 AAAA" }),
    signal,
  });
  return {
    status: response.status,
    type: response.headers.get("content-type"),
    headers: response.headers,
    text: await response.text(),
  };
}

const born = () => stand.ledger.entries().length;
const untilRequested = (path: string) =>
  vi.waitFor(() => expect(stand.requests.some((request) => request.path === path)).toBe(true), { timeout: 5000, interval: 5 });

async function strike(fault: Fault) {
  stand.faults.add({ on: "POST /procure_offer", do: fault });
  return offerId();
}

describe("faults", () => {
  it.each([
    ["reset-before", 0],
    ["reset-after", 1],
  ] as const)("%s cuts the connection", async (kind, births) => {
    const id = await strike({ kind });
    await expect(procure(id)).rejects.toThrow("fetch failed");
    expect(born()).toBe(births);
    expect(stand.faults.strikes()).toEqual([{ on: "POST /procure_offer", kind, request: 2 }]);
  });

  it.each([
    ["hang-before", 0],
    ["hang-after", 1],
  ] as const)("%s never answers", async (kind, births) => {
    const id = await strike({ kind });
    const abort = new AbortController();
    const answer = procure(id, abort.signal);
    await untilRequested("/procure_offer");
    expect(born()).toBe(births);
    abort.abort(new Error("given up"));
    await expect(answer).rejects.toThrow("given up");
  });

  it.each([
    [undefined, 0],
    [true, 1],
  ] as const)("status answers something else, with effect: %s", async (effect, births) => {
    const id = await strike({
      kind: "status",
      status: 429,
      body: { detail: "slow down" },
      headers: { "retry-after": "3" },
      ...(effect ? { effect } : {}),
    });
    const { status, text, headers } = await procure(id);
    expect({ status, text, wait: headers.get("retry-after") }).toEqual({
      status: 429,
      text: '{"detail":"slow down"}',
      wait: "3",
    });
    expect(born()).toBe(births);
  });

  it("html answers as a proxy does", async () => {
    const { status, type } = await procure(await strike({ kind: "html", status: 502 }));
    expect({ status, type, born: born() }).toEqual({ status: 502, type: "text/html", born: 0 });
  });

  it("malformed has the effect and cuts the answer off", async () => {
    const { status, text } = await procure(await strike({ kind: "malformed" }));
    expect(status).toBe(200);
    expect(() => JSON.parse(text)).toThrow();
    expect(born()).toBe(1);
  });

  it("late-effect answers nothing, and buys later", async () => {
    await expect(procure(await strike({ kind: "late-effect", ms: 50 }))).rejects.toThrow("fetch failed");
    await vi.waitFor(() => expect(born()).toBe(1), { timeout: 5000, interval: 5 });
    // Only a lower bound: a timer may come late, and one millisecond early by the clock.
    expect((stand.ledger.entries()[0]?.bornAt ?? 0) - (stand.requests[1]?.at ?? 0)).toBeGreaterThanOrEqual(49);
  });

  it("late-effect may leave the connection open", async () => {
    const id = await strike({ kind: "late-effect", ms: 0, connection: "hang" });
    const abort = new AbortController();
    const answer = expect(procure(id, abort.signal)).rejects.toThrow("given up");
    await vi.waitFor(() => expect(born()).toBe(1), { timeout: 5000, interval: 5 });
    abort.abort(new Error("given up"));
    await answer;
  });

  it("slow has the effect at once, and answers later", async () => {
    expect((await procure(await strike({ kind: "slow", ms: 100 }))).status).toBe(200);
    expect(Date.now() - (stand.ledger.entries()[0]?.bornAt ?? 0)).toBeGreaterThanOrEqual(99);
  });

  it("strikes the requests of its route that the rule names, and no others", async () => {
    stand.faults.add({ on: "GET /offers/:id/status", nth: 2, times: 2, do: { kind: "status", status: 500 } });
    const id = await offerId();
    const statuses: number[] = [];
    for (let read = 0; read < 4; read++) {
      statuses.push((await fetch(`${stand.url}/offers/${id}/status`, { headers: authorization() })).status);
      expect((await fetch(`${stand.url}/offers/${id}`, { headers: authorization() })).status).toBe(200);
    }
    expect(statuses).toEqual([200, 500, 500, 200]);
  });

  it("strikes no more once cleared", async () => {
    stand.faults.add({ on: "POST /procure_offer", times: Number.POSITIVE_INFINITY, do: { kind: "status", status: 500 } });
    const id = await offerId();
    expect((await procure(id)).status).toBe(500);
    stand.faults.clear();
    expect((await procure(id)).status).toBe(200);
  });

  it("refuses a rule for what is no route", () => {
    expect(() => stand.faults.add({ on: "/procure_offer", do: { kind: "reset-before" } })).toThrow("not a route");
  });
});
