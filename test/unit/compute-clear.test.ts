import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormatsModule from "ajv-formats";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { type ComputeClearOptions, startComputeClear } from "../../sandbox/compute-clear/start-compute-clear.ts";
import type { Wish } from "../../src/lease/plan.ts";
import { toAddress, toProgress } from "../../src/market/compute-clear/mapping.ts";
import { openComputeClear } from "../../src/market/compute-clear/market.ts";
import { writeOffersQuery } from "../../src/market/compute-clear/offers-query.ts";
import { offersReply, resourceReply, resourcesReply, statusReply } from "../../src/market/compute-clear/replies.ts";
import { keptLog } from "../kept-log.ts";

const wish: Wish = { gpuTypes: ["H100"], gpuCount: 1, contractType: "ondemand", regions: [], vendors: [], excludedVendors: [] };

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function setUp(options: Partial<ComputeClearOptions> = {}) {
  const stand = await startComputeClear({
    provisionMs: 50,
    deleteMs: 50,
    bootMachine: async () => ({ host: "127.0.0.1", port: 2201, stop: async () => undefined }),
    ...options,
  });
  const log = keptLog();
  const market = openComputeClear({ token: stand.token, apiUrl: stand.url, log });
  closers.push(
    () => market.close(),
    () => stand.close(),
  );
  return { stand, market, log };
}

describe("requests", () => {
  test("the purchase is valid by the published schema but for the name that only the prose documents", async () => {
    const { stand, market } = await setUp();
    const [offer] = await market.search(wish);
    await market.buy({
      offerId: offer?.id ?? "",
      leaseName: "gpup-x",
      sshPublicKey: "ssh-ed25519 AAAA",
      cloudInit: "#cloud-config\n",
    });
    const body: unknown = JSON.parse(stand.requests.find(({ path }) => path === "/procure_offer")?.body ?? "");
    const published: unknown = JSON.parse(readFileSync("sandbox/compute-clear/procure-offer.schema.json", "utf8"));
    const ajv = new Ajv2020({ strict: false });
    addFormatsModule["default"](ajv);
    const validate = ajv.compile({
      allOf: [published],
      unevaluatedProperties: false,
      properties: { resource_name: { type: "string" } },
    });
    expect(validate(body), JSON.stringify(validate.errors)).toBe(true);
    expect(body).toMatchObject({ resource_name: "gpup-x", cloud_init: "#cloud-config\n" });
  });

  test("where a 422 names resource_name the purchase is sent once more without it", async () => {
    const { stand, market, log } = await setUp({ keepsNames: "rejects" });
    const [offer] = await market.search(wish);
    const answer = await market.buy({
      offerId: offer?.id ?? "",
      leaseName: "gpup-x",
      sshPublicKey: "ssh-ed25519 AAAA",
      cloudInit: "#!/bin/sh\n",
    });
    expect(answer.kind).toBe("accepted");
    const bodies = stand.requests
      .filter(({ path }) => path === "/procure_offer")
      .map(({ body }) => body.includes("resource_name"));
    expect(bodies).toEqual([true, false]);
    expect(log.text()).toContain("sent once more without it");
  });

  test("one request for each type; vendor and region only when single", async () => {
    const { stand, market } = await setUp();
    const found = await market.search({
      ...wish,
      gpuTypes: ["H100", "A100"],
      vendors: ["nebius", "hyperstack"],
      regions: ["US"],
    });
    expect(new Set(found.map(({ gpuFamily }) => gpuFamily))).toEqual(new Set(["H100", "A100"]));
    const bodies = stand.requests.map(({ body }) => body);
    expect(bodies).toHaveLength(2);
    expect(parse(bodies[0] ?? "")).toEqual({
      compute: { gpu_type: "H100", gpu_count: 1, contract_type: "ondemand" },
      region: "US",
    });
    expect(stand.requests[0]?.headers["content-type"]).toBe("application/yaml");
  });

  test("whatever stands in the wish, the query is the YAML that says so", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (gpuType, vendor, region) => {
        const query: unknown = parse(
          writeOffersQuery({ ...wish, vendors: [vendor], regions: [region], maxPricePerGpuHour: 0.000001 }, gpuType),
        );
        expect(query).toEqual({
          compute: { gpu_type: gpuType, gpu_count: 1, max_price_per_gpu_hour: 0.000001, contract_type: "ondemand" },
          vendor,
          region,
        });
      }),
    );
  });

  test("the catalogue explains a value that nothing can match", async () => {
    const { market } = await setUp();
    const [gpu, vendor, ...others] = await market.explain({ ...wish, gpuTypes: ["H10", "L40S"], vendors: ["nebus"] });
    expect(gpu).toBe("gpu-type 'H10' is not on sale here: did you mean H100? On sale now: A100, H100, L40S.");
    expect(vendor).toContain("did you mean nebius?");
    expect(others).toEqual([]);
  });

  test("a wish in canonical names is no riddle to the catalogue", async () => {
    const { market } = await setUp({ manner: { catalogue: "named" } });
    expect(await market.explain({ ...wish, gpuTypes: ["nvidia-h100-sxm5-80gb", "h100"], regions: ["EU"] })).toEqual([]);
  });
});

describe("replies are read with tolerance", () => {
  const row = { offer_id: "a-1", gpu_type: "nvidia-h100-sxm5-80gb", gpu_price_per_hour: "2.5" };

  test.each([
    ["bare", [row]],
    ["offers", { offers: [row], total_count: 1 }],
    ["data", { data: [row] }],
    ["offers within data", { data: { offers: [row] } }],
  ])("offers in an envelope: %s", (_envelope, body) => {
    expect(offersReply.parse(body)).toMatchObject([{ offer_id: "a-1", gpu_price_per_hour: 2.5 }]);
  });

  test("rows without an id are left out; what is no list is refused", () => {
    expect(offersReply.parse({ offers: [row, { gpu_type: "x" }, null, 7] })).toHaveLength(1);
    expect(offersReply.safeParse({ detail: "no" }).success).toBe(false);
    expect(offersReply.safeParse(undefined).success).toBe(false);
  });

  test("an optional field of another type counts as absent", () => {
    expect(offersReply.parse([{ ...row, gpu_count: { n: 1 }, expires_at: 12, region: ["EU"] }])[0]).toEqual({
      offer_id: "a-1",
      gpu_type: "nvidia-h100-sxm5-80gb",
      gpu_price_per_hour: 2.5,
    });
  });

  test("a list of resources of which a row cannot be read proves nothing", () => {
    expect(resourcesReply.safeParse([{ resource_id: "a" }, { name: "no id" }]).success).toBe(false);
    expect(resourcesReply.parse({ items: [{ id: "a" }] })).toMatchObject([{ resource_id: "a" }]);
  });

  test("ids that could be more than an id are refused", () => {
    for (const id of ["../x", "a b", "", "x'; rm -rf /", "a/b"])
      expect(resourceReply.safeParse({ resource_id: id }).success).toBe(false);
  });

  test.each([
    [{ status: "available" }, "none"],
    [{ status: "available", procurement_status: "available" }, "none"],
    [{ status: "available", procurement_status: "pending" }, "none"],
    [{ status: "expired" }, "expired"],
    [{ status: "procured", procurement_status: "pending" }, "pending"],
    [{ status: "procured", procurement_status: "provisioning_started" }, "pending"],
    [{ status: "procured", procurement_status: "a state of tomorrow" }, "pending"],
    [{ procurement_status: "pending" }, "pending"],
    [{ status: "available", resource_ids: ["a"] }, "pending"],
    [{ status: "expired", procurement_status: "provisioning", instances: [{ status: "booting" }] }, "pending"],
    [{ status: "procured", procurement_status: "READY" }, "ready"],
    [{ status: "procured", procurement_status: "failed" }, "failed"],
    [{ status: "failed" }, "failed"],
    [{ data: { status: "procured", procurement_status: "ready" } }, "ready"],
  ])("state %j is %s", (body, phase) => {
    expect(toProgress(statusReply.parse(body), []).phase).toBe(phase);
  });

  test("the marketplace's own words come along, harmless", () => {
    const { detail } = toProgress(
      statusReply.parse({ procurement_status: "failed", failure_reason: "no\n::error::capacity" }),
      [],
    );
    expect(detail).toBe("failed, no : :error: :capacity");
  });

  test.each([
    [{ external_ip: "203.0.113.7" }, { host: "203.0.113.7", port: 22, user: "root" }],
    [{ ssh_command: "ssh ubuntu@203.0.113.7 -p 2222" }, { host: "203.0.113.7", port: 2222, user: "ubuntu" }],
    [{ ssh_command: "ssh -p2200 root@h.example" }, { host: "h.example", port: 2200, user: "root" }],
    [{ access: { external_ip: "203.0.113.9", ssh_port: 22022 } }, { host: "203.0.113.9", port: 22022, user: "root" }],
    [
      { ip: "203.0.113.7", ssh_port: "2022" },
      { host: "203.0.113.7", port: 2022, user: "root" },
    ],
    [{ status: "running" }, undefined],
  ])("address of %j", (instance, address) => {
    expect(statusReply.parse({ instances: [instance] }).instances.map(toAddress)).toEqual([address]);
  });
});
