import * as z from "zod";
import type { Address } from "../../src/lease/address.ts";
import { MarketFailure, TokenFailure } from "../../src/lease/failure.ts";
import { readLeaseName } from "../../src/lease/name.ts";
import type { Offer } from "../../src/lease/offer.ts";
import { plain } from "../../src/lease/plain.ts";
import type { Wish } from "../../src/lease/plan.ts";
import { type Http, type HttpReply, type HttpRequest, openHttp, UnreachableFailure } from "../../src/market/http.ts";
import type { Market, MarketOptions, Marketplace, Purchase, PurchaseAnswer, PurchaseOrder } from "../../src/market/provider.ts";
import { amount, listOf, maybe, rows, text } from "../../src/market/tolerant.ts";

/**
 * A marketplace to begin with: copy this folder to `src/market/<name>/`, mend the imports, and put one line into
 * `src/market/registry.ts`. The marketplace that it speaks to is made up and simple: it keeps names, answers a purchase with an id,
 * and lists machines with their state. CI compiles it, so it says what a marketplace has to do today.
 */
export const templateMarketplace: Marketplace = {
  facts: { apiUrl: "https://api.example.com/v1", rents: "vm", keepsNames: true, currencies: [] },
  open: openTemplate,
  byHand: (apiUrl) => {
    const curl = `curl -sS -H "Authorization: Bearer $MARKETPLACE_TOKEN"`;
    return {
      toDelete: (machineId) => `${curl} -X DELETE '${apiUrl}/machines/${encodeURIComponent(machineId)}'`,
      toList: (offerId) => `${curl} '${apiUrl}/machines?offer=${encodeURIComponent(offerId)}'`,
    };
  },
};

function openTemplate({ apiUrl, log, token }: MarketOptions): Market {
  const http = openHttp({ baseUrl: apiUrl, secret: token, authorise: (secret) => ({ authorization: `Bearer ${secret}` }), log });
  return {
    name: "template",
    traits: { ...templateMarketplace.facts, spread: 0, showsWithin: 180_000 },
    byHand: templateMarketplace.byHand(apiUrl),
    search: (wish, signal) => search(http, wish, signal),
    explain: async () => [],
    async standing(offerId, signal) {
      const offers = await ask(http, "/offers", offersReply, signal);
      return { state: offers.some(({ id }) => id === offerId) ? "available" : "sold" };
    },
    buy: (order) => buy(http, order),
    async progress(purchase, signal) {
      const machine = (await listMachines(http, signal)).find((one) => isOurs(one, purchase));
      if (machine === undefined) return { phase: "none", detail: "no machine is listed", addresses: [] };
      const addresses: Address[] = machine.ip === undefined ? [] : [{ host: machine.ip, port: 22, user: "root" }];
      return { phase: phaseOf(machine.state), detail: plain(machine.state, 80), addresses };
    },
    async holdings(purchase, signal) {
      const machines = await listMachines(http, signal);
      const alive = machines.filter(({ state }) => state !== "deleted");
      return {
        ours: alive.filter((one) => isOurs(one, purchase)).map(({ id, name, state }) => ({ id, status: plain(state, 40), name })),
        deleted: machines.filter((one) => one.state === "deleted" && isOurs(one, purchase)).map(({ id }) => id),
        soldToAnother: alive.some((one) => one.offer === purchase.offerId && isAnothers(one.name, purchase.leaseName)),
        // Here the name decides, so nothing is in doubt.
        doubtful: [],
      };
    },
    async *census(signal) {
      yield (await listMachines(http, signal)).filter(({ state }) => state !== "deleted");
    },
    async read(machineId, signal) {
      const machine = (await listMachines(http, signal)).find(({ id }) => id === machineId);
      if (machine === undefined) return { state: "absent" };
      if (machine.state === "deleted") return { state: "deleted", linked: [] };
      return {
        state: "alive",
        status: plain(machine.state, 40),
        name: machine.name,
        isAnothers: (leaseName) => isAnothers(machine.name, leaseName),
        fromOffer: (offerId) => machine.offer === offerId,
        linked: [],
      };
    },
    async erase(machineId, signal) {
      const request: HttpRequest = {
        kind: "erase",
        method: "DELETE",
        path: `/machines/${encodeURIComponent(machineId)}`,
        signal,
      };
      const reply = await http.send(request);
      if (reply.status >= 200 && reply.status < 300) return "accepted";
      if (reply.status === 404 && isTheirs(reply)) return "absent";
      throw failureOf(reply, request);
    },
    pace: (wanted) => wanted,
    heldUp: () => 0,
    close: () => http.close(),
  };
}

const offersReply = listOf(rows(z.object({ id: text, gpu: text, gpus: amount, usd_per_hour: amount, region: maybe(text) })), [
  "offers",
]);
/** Every row has to be readable: a list that was read in part would not show that nothing is alive. */
const machinesReply = listOf(z.array(z.object({ id: text, name: text, state: text, offer: maybe(text), ip: maybe(text) })), [
  "machines",
]);
const boughtReply = z.object({ machine: text });
const errorReply = z.object({ error: z.string() });

async function search(http: Http, wish: Wish, signal?: AbortSignal): Promise<readonly Offer[]> {
  const offers = await ask(http, `/offers?contract=${wish.contractType}`, offersReply, signal);
  return offers.map(({ gpu, gpus, id, region = "Other", usd_per_hour }) => ({
    id,
    gpuType: gpu,
    gpuFamily: gpu,
    gpuCount: gpus,
    vendor: "template",
    region,
    pricePerHour: usd_per_hour,
  }));
}

async function listMachines(http: Http, signal?: AbortSignal): Promise<z.output<typeof machinesReply>> {
  return ask(http, "/machines?deleted=true", machinesReply, signal);
}

function isOurs({ name }: { readonly name: string }, { leaseName }: Purchase): boolean {
  return name === leaseName;
}

function isAnothers(name: string, leaseName: string): boolean {
  return name !== leaseName && readLeaseName(name) !== undefined;
}

/** A state that is not known counts as under way. */
function phaseOf(state: string): "ready" | "failed" | "pending" {
  return state === "ready" || state === "failed" ? state : "pending";
}

/** `refused` only where nothing was bought, provably; whatever is unclear is `unknown`, and is looked up. */
async function buy(http: Http, order: PurchaseOrder): Promise<PurchaseAnswer> {
  const body = { offer: order.offerId, name: order.leaseName, ssh_key: order.sshPublicKey, cloud_init: order.cloudInit };
  try {
    const reply = await http.send({
      kind: "purchase",
      method: "POST",
      path: "/machines",
      body: { type: "application/json", text: JSON.stringify(body) },
    });
    const reason = `HTTP ${reply.status}: ${reasonOf(reply)}`;
    if (reply.status >= 500 || !isTheirs(reply)) {
      const bought = boughtReply.safeParse(reply.json);
      const isGood = reply.status >= 200 && reply.status < 300 && bought.success;
      return isGood ? { kind: "accepted", resourceIds: [bought.data.machine] } : { kind: "unknown", reason };
    }
    if (reply.status === 429) return { kind: "refused", reason, next: "same-offer", waitMs: reply.retryAfterMs ?? 15_000 };
    if (reply.status === 409 || reply.status === 404) return { kind: "denied", reason };
    return { kind: "refused", reason, next: "nothing" };
  } catch (error) {
    const neverLeft = error instanceof UnreachableFailure && error.neverLeft;
    return neverLeft
      ? { kind: "refused", reason: plain(String(error)), next: "same-offer", waitMs: 5_000 }
      : { kind: "unknown", reason: plain(String(error)) };
  }
}

async function ask<T extends z.ZodType>(http: Http, path: string, schema: T, signal?: AbortSignal): Promise<z.output<T>> {
  const request: HttpRequest = { kind: "read", method: "GET", path, signal };
  const reply = await http.send(request);
  if (reply.status < 200 || reply.status > 299) throw failureOf(reply, request);
  const read = schema.safeParse(reply.json);
  if (read.success) return read.data;
  throw new MarketFailure(`GET ${path} was answered with what cannot be read.`, "Is 'api-url' right?", { cause: read.error });
}

/** An error in the API's own form, and not a page of a proxy. */
function isTheirs({ json }: HttpReply): boolean {
  return errorReply.safeParse(json).success;
}

function reasonOf({ json }: HttpReply): string {
  return plain(errorReply.safeParse(json).data?.error ?? "no reason that can be read");
}

function failureOf(reply: HttpReply, { method, path }: HttpRequest): TokenFailure | MarketFailure {
  const what = `${method} ${path} was answered with HTTP ${reply.status}: ${reasonOf(reply)}`;
  if ((reply.status === 401 || reply.status === 403) && isTheirs(reply)) {
    return new TokenFailure(what, "Check the 'token' input.");
  }
  return new MarketFailure(what, "Try again later, or check 'api-url'.", { retryAfterMs: reply.retryAfterMs });
}
