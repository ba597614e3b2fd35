import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, it, vi } from "vitest";
import { stringify } from "yaml";
import * as z from "zod";
import type { BootOrder } from "../../sandbox/compute-clear/account.ts";
import {
  type ComputeClearOptions,
  type ComputeClearStand,
  startComputeClear,
} from "../../sandbox/compute-clear/start-compute-clear.ts";
import { defaultStock, type StockEntry } from "../../sandbox/compute-clear/stock.ts";

const [firstEntry] = defaultStock;
if (!firstEntry) throw new Error("The default stock is empty.");
const entry: StockEntry = firstEntry;

let stand: ComputeClearStand;
let booted: BootOrder[];
let stopped: string[];

async function open(options: Partial<ComputeClearOptions> = {}) {
  booted = [];
  stopped = [];
  stand = await startComputeClear({
    stock: [entry],
    provisionMs: 20,
    deleteMs: 20,
    async bootMachine(order) {
      booted.push(order);
      return {
        host: "127.0.0.1",
        port: 2222,
        async stop() {
          stopped.push(order.resourceId);
        },
      };
    },
    ...options,
  });
  return stand;
}
afterEach(() => stand.close());

async function call(method: string, path: string, options: { body?: string; type?: string; token?: string } = {}) {
  const response = await fetch(stand.url + path, {
    method,
    headers: {
      authorization: `Bearer ${options.token ?? stand.token}`,
      ...(options.type ? { "content-type": options.type } : {}),
    },
    ...(options.body === undefined ? {} : { body: options.body }),
  });
  const text = await response.text();
  const body: unknown = response.headers.get("content-type") === "application/json" ? JSON.parse(text) : text;
  return { status: response.status, body, headers: response.headers };
}

const offersReply = z.object({ offers: z.array(z.looseObject({ offer_id: z.string() })), total_count: z.number() });
const search = async (query: object, token?: string) =>
  offersReply.parse(
    (await call("POST", "/get_offers", { body: stringify(query), type: "application/yaml", ...(token ? { token } : {}) })).body,
  );
const firstOffer = async (token?: string) =>
  (await search({ compute: { gpu_type: "H100" } }, token)).offers[0]?.offer_id ?? "none";
const procure = (offerId: string, more: object = {}, token?: string) =>
  call("POST", "/procure_offer", {
    body: JSON.stringify({ offer_id: offerId, ssh_public_key: "ssh-ed25519 AAAA", ...more }),
    type: "application/json",
    ...(token ? { token } : {}),
  });
const statusReply = z.looseObject({ procurement_status: z.string(), resource_ids: z.array(z.string()).optional() });
const standing = async (offerId: string) => statusReply.parse((await call("GET", `/offers/${offerId}/status`)).body);
const untilReady = (offerId: string) =>
  vi.waitFor(async () => expect(await standing(offerId)).toMatchObject({ procurement_status: "ready" }), {
    timeout: 5000,
    interval: 5,
  });
async function buy(more: object = {}) {
  const offerId = await firstOffer();
  expect(await procure(offerId, more)).toMatchObject({ status: 200 });
  return offerId;
}
const boughtId = () => stand.ledger.alive("ours")[0]?.id ?? "none";
const untilDeleted = (id: string) =>
  vi.waitFor(async () => expect(await call("GET", `/resources/${id}`)).toMatchObject({ body: { status: "deleted" } }), {
    timeout: 5000,
    interval: 5,
  });

describe("offers", () => {
  it.each([
    [{ compute: { gpu_type: "H100" } }, [1.5, 2.4, 2.73, 2.95]],
    [{ compute: { gpu_type: "H100", max_price_per_gpu_hour: 2.73 } }, [1.5, 2.4, 2.73]],
    [{ compute: { gpu_type: "H100", contract_type: "ondemand" }, region: "EU" }, [2.73, 2.95]],
    [{ compute: { gpu_type: "nvidia-h100-sxm5-80gb" }, vendor: "nebius" }, [1.5, 2.95]],
    [{ compute: { gpu_type: "H100", gpu_count: 8 } }, [2.85]],
    [{ compute: { gpu_type: "h100" } }, []],
  ])("answers %j with the cheapest first", async (query, prices) => {
    await open({ stock: defaultStock });
    const { offers, total_count } = await search(query);
    expect(offers.map((offer) => offer["gpu_price_per_hour"])).toEqual(prices);
    expect(total_count).toBe(prices.length);
  });

  it("takes YAML and nothing else", async () => {
    await open();
    const body = JSON.stringify({ compute: { gpu_type: "H100" } });
    expect(await call("POST", "/get_offers", { body, type: "application/yaml" })).toMatchObject({ status: 200 });
    expect(await call("POST", "/get_offers", { body, type: "application/json" })).toMatchObject({ status: 422 });
    expect(await call("POST", "/get_offers", { body: "a: [", type: "application/yaml" })).toMatchObject({ status: 422 });
    expect(await call("POST", "/get_offers", { body: "compute: {}", type: "application/yaml" })).toMatchObject({
      status: 422,
      body: { detail: [{ loc: ["body", "compute", "gpu_type"] }] },
    });
  });

  it("gives every search ids of its own, or the same ones to everybody", async () => {
    await open();
    expect(await firstOffer()).not.toBe(await firstOffer());
    await stand.close();
    await open({ sharesOffers: true, siblingTokens: ["other"] });
    const shared = await firstOffer();
    expect(await firstOffer("other")).toBe(shared);
    await procure(shared);
    expect(await procure(shared, {}, "other")).toMatchObject({ status: 409 });
    expect(await firstOffer("other")).not.toBe(shared);
  });

  it("answers 410 for an expired offer, and shows it as expired", async () => {
    await open({ offerLifetimeMs: 0 });
    const offerId = await firstOffer();
    expect(await procure(offerId)).toMatchObject({ status: 410 });
    expect(await call("GET", `/offers/${offerId}`)).toMatchObject({ status: 200, body: { status: "expired" } });
    expect(stand.ledger.entries()).toEqual([]);
  });

  it("lists what it sells", async () => {
    await open({ stock: defaultStock });
    expect((await call("GET", "/available_gpus")).body).toMatchObject({
      H100: ["nvidia-h100-sxm5-80gb", "nvidia-h100-pcie-80gb"],
    });
    expect((await call("GET", "/available_vendors")).body).toEqual(["hyperstack", "nebius", "scaleway"]);
    expect((await call("GET", "/available_contracts")).body).toEqual(["ondemand", "spot"]);
    await stand.close();
    await open({ manner: { catalogue: "named" } });
    expect((await call("GET", "/available_regions")).body).toEqual({ regions: ["EU"] });
  });
});

describe("the border", () => {
  it("answers 401, 404, 405 and 422 as FastAPI does", async () => {
    await open();
    expect(await call("GET", "/resources", { token: "wrong" })).toMatchObject({
      status: 401,
      body: { detail: expect.any(String) },
    });
    expect(await call("GET", "/nowhere")).toMatchObject({ status: 404, body: { detail: "Not Found" } });
    expect(await call("PUT", "/resources")).toMatchObject({ status: 405 });
    expect(await call("GET", "/resources/1")).toMatchObject({
      status: 422,
      body: { detail: [{ loc: ["path", "resource_id"] }] },
    });
    expect(await call("GET", `/resources/${randomUUID()}`)).toMatchObject({
      status: 404,
      body: { detail: "Resource not found" },
    });
    expect(await procure(randomUUID())).toMatchObject({ status: 404 });
  });

  it.each([
    ["an id that is none", "offer_id", { offer_id: "1" }],
    ["an empty key", "ssh_public_key", { ssh_public_key: "" }],
    ["no key", "ssh_public_key", { ssh_public_key: undefined }],
    ["a script that is no text", "cloud_init", { cloud_init: 1 }],
    ["a script of no known kind", "cloud_init", { cloud_init: "echo" }],
    ["a script of more than 64 KB", "cloud_init", { cloud_init: `#!/bin/sh\n${"é".repeat(32_000)}` }],
  ])("refuses a purchase with %s, which then buys nothing", async (_what, name, wrong) => {
    await open();
    expect(await procure(await firstOffer(), wrong)).toMatchObject({ status: 422, body: { detail: [{ loc: ["body", name] }] } });
    expect(stand.ledger.entries()).toEqual([]);
  });

  it("keeps names, drops them, or refuses them", async () => {
    await open();
    await buy({ resource_name: "gpup-1" });
    expect(await call("GET", `/resources/${boughtId()}`)).toMatchObject({ body: { name: "gpup-1" } });
    await stand.close();
    await open({ keepsNames: false });
    await buy({ resource_name: "gpup-1" });
    expect(await call("GET", `/resources/${boughtId()}`)).toMatchObject({ body: { name: null } });
    await stand.close();
    await open({ keepsNames: "rejects" });
    expect(await procure(await firstOffer(), { resource_name: "gpup-1" })).toMatchObject({
      status: 422,
      body: { detail: [{ loc: ["body", "resource_name"] }] },
    });
    expect(stand.ledger.entries()).toEqual([]);
  });

  it("ignores unknown keys of a purchase, or refuses them", async () => {
    await open();
    await buy({ colour: "red" });
    await stand.close();
    await open({ unknownKeys: "refused" });
    expect(await procure(await firstOffer(), { colour: "red" })).toMatchObject({ status: 422 });
  });

  it("records every request as it came", async () => {
    await open();
    await call("GET", "/resources?offer_id=x&y=1", { token: "wrong" });
    expect(stand.requests).toMatchObject([
      { number: 1, method: "GET", path: "/resources", headers: { authorization: "Bearer wrong" } },
    ]);
    expect(stand.requests[0]?.query.get("offer_id")).toBe("x");
  });
});

describe("a lease", () => {
  it("boots a machine, shows its address, bills, and ends", async () => {
    await open();
    const offerId = await buy({ cloud_init: "#cloud-config\n{}", resource_name: "gpup-x" });
    expect(stand.ledger.alive("ours")).toMatchObject([{ offerId, name: "gpup-x", pricePerHour: 2.95 }]);
    await untilReady(offerId);
    const id = boughtId();
    expect(booted).toMatchObject([
      { resourceId: id, sshPublicKey: "ssh-ed25519 AAAA", cloudInit: "#cloud-config\n{}", offer: { entry } },
    ]);
    expect(await standing(offerId)).toMatchObject({
      status: "procured",
      resource_ids: [id],
      instances: [{ external_ip: "127.0.0.1", ssh_command: "ssh root@127.0.0.1 -p 2222", status: "running" }],
    });
    expect(await call("GET", `/resources?offer_id=${offerId}`)).toMatchObject({
      body: {
        resources: [{ resource_id: id, status: "running", access: { ssh_port: 2222 }, offer_history: [{ offer_id: offerId }] }],
      },
    });

    expect(await call("DELETE", `/resources/${id}?force=true`)).toMatchObject({ status: 200, body: { status: "deleting" } });
    await untilDeleted(id);
    expect(await call("DELETE", `/resources/${id}?force=true`)).toMatchObject({ status: 409 });
    expect(stopped).toEqual([id]);
    expect(stand.ledger.alive()).toEqual([]);
    expect(stand.ledger.entries()).toMatchObject([{ id, deletedBy: { by: "ours" } }]);
    const billed = stand.ledger.billedSeconds();
    expect(billed).toBeGreaterThan(0);
    expect(stand.ledger.billedUsd()).toBeCloseTo((billed / 3600) * 2.95, 10);
  });

  it("stops a machine whose boot ends after its deletion", async () => {
    const gate = Promise.withResolvers<void>();
    await open({
      async bootMachine({ resourceId }) {
        await gate.promise;
        return { host: "127.0.0.1", port: 22, stop: async () => void stopped.push(resourceId) };
      },
    });
    await buy();
    const id = boughtId();
    await call("DELETE", `/resources/${id}`);
    await untilDeleted(id);
    gate.resolve();
    await vi.waitFor(() => expect(stopped).toEqual([id]), { timeout: 5000, interval: 5 });
  });

  it("reports a machine that does not boot as failed, and bills it", async () => {
    await open({ bootMachine: () => Promise.reject(new Error("no room")) });
    const offerId = await buy();
    await vi.waitFor(async () => expect(await standing(offerId)).toMatchObject({ procurement_status: "failed" }), {
      timeout: 5000,
      interval: 5,
    });
    expect(stand.bootFailures()).toMatchObject([{ message: "no room" }]);
    expect(stand.ledger.alive("ours")).toHaveLength(1);
  });

  it("leaves a disk that outlives its machine, and takes one along that follows it", async () => {
    const parts = [
      { type: "disk", pricePerHour: 0.1, fate: "outlives" },
      { type: "ip", pricePerHour: 0.01, fate: "follows" },
    ] as const;
    await open({ stock: [{ ...entry, parts }] });
    const offerId = await buy();
    const [machine, disk] = stand.ledger.alive("ours");
    expect(await call("GET", `/resources/${machine?.id}`)).toMatchObject({
      body: { linked_resources: [{ resource_id: disk?.id }, { resource_type: "ip" }] },
    });
    await call("DELETE", `/resources/${machine?.id}`);
    await untilDeleted(machine?.id ?? "none");
    expect(stand.ledger.alive("ours")).toMatchObject([{ id: disk?.id, pricePerHour: 0.1 }]);
    expect(await call("GET", `/resources?offer_id=${offerId}`)).toMatchObject({
      body: { resources: [{ resource_id: disk?.id }] },
    });
    await call("DELETE", `/resources/${disk?.id}`);
    await untilDeleted(disk?.id ?? "none");
    expect(stand.ledger.alive()).toEqual([]);
  });

  it("tells who deleted what was not theirs", async () => {
    await open({ strangers: [{ name: "somebody's" }], siblingTokens: ["other"] });
    await buy();
    const [stranger] = stand.ledger.alive("stranger");
    const mine = boughtId();
    await call("DELETE", `/resources/${mine}`, { token: "other" });
    await call("DELETE", `/resources/${stranger?.id}`);
    await vi.waitFor(
      () =>
        expect(
          stand.ledger
            .deletedThatWereNotOurs()
            .map((one) => one.id)
            .sort(),
        ).toEqual([mine, stranger?.id].sort()),
      {
        timeout: 5000,
        interval: 5,
      },
    );
  });
});

describe("a marketplace that misbehaves", () => {
  const openWith = (conduct: NonNullable<StockEntry["conduct"]>) => open({ stock: [{ ...entry, conduct }] });

  it.each([
    ["fails", 200, 0],
    ["fails-half-born", 200, 1],
    ["expired", 410, 0],
    ["taken", 409, 0],
  ] as const)("sells as '%s'", async (sale, status, born) => {
    await openWith({ sale });
    const offerId = await firstOffer();
    const reply = await procure(offerId);
    expect(reply.status).toBe(status);
    if (status === 200) {
      expect(reply.body).toMatchObject({ status: "failed", error: "vendor out of capacity" });
      expect(await standing(offerId)).toMatchObject({ procurement_status: "failed" });
    }
    expect(stand.ledger.alive("ours")).toHaveLength(born);
  });

  it("reports a failed provisioning, whose remains bill", async () => {
    await openWith({ provisioning: "fails" });
    const offerId = await buy();
    await vi.waitFor(
      async () =>
        expect(await standing(offerId)).toMatchObject({ procurement_status: "failed", failure_reason: expect.any(String) }),
      { timeout: 5000, interval: 5 },
    );
    expect(stand.ledger.alive("ours")).toHaveLength(1);
    expect(booted).toEqual([]);
  });

  it("answers 500 to so many deletions, and then works", async () => {
    await openWith({ deletion: { answers500: 2 } });
    await buy();
    const id = boughtId();
    expect((await call("DELETE", `/resources/${id}`)).status).toBe(500);
    expect((await call("DELETE", `/resources/${id}`)).status).toBe(500);
    expect((await call("DELETE", `/resources/${id}`)).status).toBe(200);
    await untilDeleted(id);
  });

  it("takes a deletion and keeps the machine running, or never takes one", async () => {
    await openWith({ deletion: "accepted-but-runs" });
    const offerId = await buy();
    await untilReady(offerId);
    expect((await call("DELETE", `/resources/${boughtId()}`)).status).toBe(200);
    expect(await call("GET", `/resources/${boughtId()}`)).toMatchObject({ body: { status: "running" } });
    await stand.close();
    await openWith({ deletion: "answers-500" });
    await buy();
    for (let attempt = 0; attempt < 5; attempt++) expect((await call("DELETE", `/resources/${boughtId()}`)).status).toBe(500);
    expect(stand.ledger.alive("ours")).toHaveLength(1);
  });

  it("answers reads of a living machine with a proxy's 404", async () => {
    await openWith({ resourceReads: "html-404" });
    await buy();
    const { status, body, headers } = await call("GET", `/resources/${boughtId()}`);
    expect({ status, type: headers.get("content-type") }).toEqual({ status: 404, type: "text/html" });
    expect(body).toContain("<html>");
  });
});

describe("what the pages leave open", () => {
  it.each(["bare", "items", "data"] as const)("lists resources as '%s'", async (resourceList) => {
    await open({ manner: { resourceList } });
    const offerId = await buy();
    const { body } = await call("GET", `/resources?offer_id=${offerId}`);
    const rows = [{ resource_id: boughtId() }];
    expect(body).toMatchObject(resourceList === "bare" ? rows : { [resourceList]: rows });
  });

  it("ignores the offer filter, hides histories and ids, writes numbers as text, adds fields", async () => {
    await open({
      strangers: [{ name: "sibling" }],
      manner: { filtersByOffer: false, offerHistory: false, resourceIds: "only-listed", numbersAsText: true, extraFields: true },
    });
    const offerId = await buy();
    const { body } = await call("GET", `/resources?offer_id=${offerId}`);
    expect(body).toMatchObject({ resources: [{ name: "sibling" }, { pricing_total_hourly: "2.9500", x_added_later: {} }] });
    expect(JSON.stringify(body)).not.toContain("offer_history");
    expect(await standing(offerId)).not.toHaveProperty("resource_ids");
    expect((await search({ compute: { gpu_type: "H100" } })).offers[0]).toMatchObject({
      gpu_price_per_hour: "2.9500",
      x_added_later: {},
    });
  });

  it("answers a purchase as procured, with its resources", async () => {
    await open({ manner: { procureAnswer: "procured" } });
    expect(await procure(await firstOffer())).toMatchObject({ body: { status: "procured", resource_ids: [boughtId()] } });
  });

  it("reads a deleted resource as absent, and lists it no more", async () => {
    await open({ manner: { deletedReads: "absent" } });
    const offerId = await buy();
    const id = boughtId();
    await call("DELETE", `/resources/${id}`);
    await vi.waitFor(async () => expect((await call("GET", `/resources/${id}`)).status).toBe(404), {
      timeout: 5000,
      interval: 5,
    });
    expect(await call("GET", `/resources?offer_id=${offerId}`)).toMatchObject({ body: { resources: [] } });
  });
});

describe("a machine that is taken back", () => {
  it("ends, is shown as failed, and bills until it is deleted", async () => {
    await open();
    const offerId = await buy();
    await untilReady(offerId);
    const id = boughtId();
    stand.reclaim(id);
    expect(stopped).toEqual([id]);
    expect(await call("GET", `/resources/${id}`)).toMatchObject({
      body: { status: "failed", status_message: "the vendor took the instance back" },
    });
    expect(stand.ledger.alive("ours")).toHaveLength(1);
    await call("DELETE", `/resources/${id}`);
    await untilDeleted(id);
    expect(() => stand.reclaim(id)).toThrow("no machine");
    expect(stand.ledger.alive("ours")).toEqual([]);
  });

  it("ends as soon as it has booted, when it was taken back before that", async () => {
    await open();
    await buy();
    const id = boughtId();
    stand.reclaim(id);
    await vi.waitFor(() => expect(stopped).toEqual([id]), { timeout: 5000, interval: 5 });
    expect(await call("GET", `/resources/${id}`)).toMatchObject({ body: { status: "failed" } });
  });

  it("is none of those that were never sold", async () => {
    await open({ strangers: [{}] });
    expect(() => stand.reclaim(randomUUID())).toThrow("no machine");
    expect(() => stand.reclaim(stand.ledger.alive("stranger")[0]?.id ?? "")).toThrow("no machine");
  });
});
