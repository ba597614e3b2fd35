import { randomUUID } from "node:crypto";
import type { Address } from "../../lease/address.ts";
import type { Listed } from "../../lease/expired.ts";
import { MarketFailure } from "../../lease/failure.ts";
import type { Log } from "../../lease/log.ts";
import type { Offer } from "../../lease/offer.ts";
import { plain } from "../../lease/plain.ts";
import type { Wish } from "../../lease/plan.ts";
import type { ProviderFacts } from "../../lease/provider-facts.ts";
import type { Http, HttpReply, HttpRequest } from "../http.ts";
import { openHttp, UnreachableFailure } from "../http.ts";
import type {
  Holdings,
  ManualCommands,
  Market,
  MarketOptions,
  Marketplace,
  Progress,
  Purchase,
  PurchaseAnswer,
  PurchaseOrder,
  ResourceReading,
  Standing,
} from "../provider.ts";
import { ask, failureOf, isAbsence, readAs } from "./client.ts";
import { explain } from "./explain.ts";
import { idsIn, isAlive, priceOf, type StatusReply, toAddress, toLinked, toOffer, toProgress } from "./mapping.ts";
import { writeOffersQuery } from "./offers-query.ts";
import { isAnothers, isFromOffer, ownerOf } from "./ownership.ts";
import type { ResourceReply } from "./replies.ts";
import {
  hasApiForm,
  offerReply,
  offersReply,
  procureReply,
  readReason,
  refusesField,
  resourceReply,
  resourcesReply,
  statusReply,
} from "./replies.ts";

const facts: ProviderFacts = {
  apiUrl: "https://supply-api.compute-desk.com",
  rents: "vm",
  keepsNames: true,
  currencies: [],
};

export const computeClearMarketplace: Marketplace = {
  facts,
  open: openComputeClear,
  byHand: byHandAtComputeClear,
};

/** What a person can do at Compute Clear without us. */
function byHandAtComputeClear(apiUrl: string): ManualCommands {
  const curl = `curl -sS -H "Authorization: Bearer $COMPUTE_CLEAR_TOKEN"`;
  return {
    toDelete: (resourceId) => `${curl} -X DELETE '${apiUrl}/resources/${segment(resourceId)}?force=true'`,
    toList: (offerId) => `${curl} '${apiUrl}/resources?offer_id=${segment(offerId)}'`,
  };
}

/** Compute Clear's supply API (https://docs.compute-desk.com): offers, purchases and resources of many vendors. */
export function openComputeClear(options: Pick<MarketOptions, "token" | "apiUrl" | "log">): Market {
  const { token, apiUrl, log } = options;
  const http = openHttp({ baseUrl: apiUrl, secret: token, authorise: (secret) => ({ authorization: `Bearer ${secret}` }), log });
  return {
    name: "compute-clear",
    traits: { ...facts, spread: 0, showsWithin: 180_000 },
    byHand: byHandAtComputeClear(apiUrl),
    search: (wish, signal) => search(http, wish, log, signal),
    explain: (wish, signal) => explain(http, wish, signal),
    standing: (offerId, signal) => readStanding(http, offerId, signal),
    buy: (order) => buy(http, order, log),
    progress: (purchase, signal) => readProgress(http, purchase, signal),
    holdings: (purchase, signal) => listHoldings(http, purchase, signal),
    census: (signal) => takeCensus(http, signal),
    read: (resourceId, signal) => readResource(http, resourceId, signal),
    erase: (resourceId, signal) => erase(http, resourceId, signal),
    // It names no rate.
    pace: (wanted) => wanted,
    heldUp: () => 0,
    close: () => http.close(),
  };
}

const segment = (id: string) => encodeURIComponent(id);

/** The API takes one gpu_type, vendor and region, so every type is a request and the rest is filtered on our side. */
async function search(http: Http, wish: Wish, log: Log, signal?: AbortSignal): Promise<readonly Offer[]> {
  const found = await Promise.all(wish.gpuTypes.map((gpuType) => searchType(http, wish, gpuType, log, signal)));
  const byId = new Map(found.flat().map((offer) => [offer.id, offer]));
  return [...byId.values()];
}

async function searchType(http: Http, wish: Wish, gpuType: string, log: Log, signal?: AbortSignal): Promise<readonly Offer[]> {
  const request: HttpRequest = {
    kind: "query",
    method: "POST",
    path: "/get_offers",
    body: { type: "application/yaml", text: writeOffersQuery(wish, gpuType) },
    signal,
  };
  const reply = await http.send(request);
  if (refusesWish(reply)) {
    log.info(
      `Compute Clear has nothing for gpu-type '${plain(gpuType, 60)}' (HTTP ${reply.status}: ${readReason(reply.json, reply.text)}).`,
    );
    return [];
  }
  if (reply.status < 200 || reply.status > 299) throw failureOf(reply, request);
  return readAs(reply, offersReply, request).flatMap((row) => toOffer(row, { gpuType }) ?? []);
}

/** How an unknown GPU type is answered is not documented. A refusal that speaks of GPUs or offers is one; the rest is trouble. */
function refusesWish(reply: HttpReply): boolean {
  if (reply.status !== 400 && reply.status !== 422 && !isAbsence(reply)) return false;
  return hasApiForm(reply.json) && /gpu|offer/i.test(readReason(reply.json, ""));
}

async function readStanding(http: Http, offerId: string, signal?: AbortSignal): ReturnType<Market["standing"]> {
  const request: HttpRequest = { kind: "read", method: "GET", path: `/offers/${segment(offerId)}`, signal };
  const reply = await http.send(request);
  if (isAbsence(reply)) return { state: "unknown" };
  if (reply.status === 410 && hasApiForm(reply.json)) return { state: "expired" };
  if (reply.status < 200 || reply.status > 299) throw failureOf(reply, request);
  const offer = readAs(reply, offerReply, request);
  const pricePerHour = priceOf(offer);
  return { state: toState(offer.status), ...(pricePerHour === undefined ? {} : { pricePerHour }) };
}

function toState(status: string | undefined): Standing["state"] {
  switch (status?.toLowerCase()) {
    case "available":
      return "available";
    case "procured":
      return "sold";
    case "failed":
      return "failed";
    case "expired":
      return "expired";
    default:
      return "unknown";
  }
}

async function buy(http: Http, order: PurchaseOrder, log: Log): Promise<PurchaseAnswer> {
  const named = await procure(http, order, { resource_name: order.leaseName });
  if (typeof named === "object" && "status" in named && named.status === 422 && refusesField(named.json, "resource_name")) {
    log.info("Compute Clear takes no name for a machine; the purchase is sent once more without it (a 422 has bought nothing).");
    return readPurchase(await procure(http, order, {}));
  }
  return readPurchase(named);
}

async function procure(
  http: Http,
  order: PurchaseOrder,
  name: { resource_name?: string },
): Promise<HttpReply | UnreachableFailure> {
  const body = { offer_id: order.offerId, ssh_public_key: order.sshPublicKey, cloud_init: order.cloudInit, ...name };
  try {
    return await http.send({
      kind: "purchase",
      method: "POST",
      path: "/procure_offer",
      body: { type: "application/json", text: JSON.stringify(body) },
    });
  } catch (error) {
    if (error instanceof UnreachableFailure) return error;
    return new UnreachableFailure(`The purchase could not be followed: ${plain(String(error))}`, false, error);
  }
}

function readPurchase(reply: HttpReply | UnreachableFailure): PurchaseAnswer {
  if (reply instanceof UnreachableFailure) {
    return reply.neverLeft
      ? { kind: "refused", reason: `the request never left (${reply.message})`, next: "same-offer", waitMs: 5_000 }
      : { kind: "unknown", reason: reply.message };
  }
  // A page of a proxy may repeat what we sent it, so only the API's own words are told.
  const reason = `HTTP ${reply.status}: ${readReason(reply.json, "no reason that can be read")}`;
  if (reply.status >= 200 && reply.status < 300) {
    const read = procureReply.safeParse(reply.json);
    if (!read.success) return { kind: "unknown", reason: `an answer that cannot be read (HTTP ${reply.status})` };
    const resourceIds = [...new Set([...read.data.resource_ids, ...read.data.resources])];
    const why = read.data.error ?? read.data.message ?? "no reason given";
    return read.data.status.toLowerCase() === "failed"
      ? { kind: "failed", reason: plain(why), resourceIds }
      : { kind: "accepted", resourceIds };
  }
  if (reply.status === 429) return { kind: "refused", reason, next: "same-offer", waitMs: reply.retryAfterMs ?? 15_000 };
  // What is not the API's own word may come from a proxy that passed the request on; 408 and 425 leave open what became of it.
  if (reply.status >= 500 || reply.status === 408 || reply.status === 425 || !hasApiForm(reply.json))
    return { kind: "unknown", reason };
  if ([401, 402, 403].includes(reply.status)) return { kind: "refused", reason, next: "nothing" };
  if (reply.status !== 422) return { kind: "denied", reason };
  const isOurs = refusesField(reply.json, "cloud_init") || refusesField(reply.json, "ssh_public_key");
  return { kind: "refused", reason, next: isOurs ? "nothing" : "other-offer" };
}

async function readStatus(http: Http, offerId: string, signal?: AbortSignal): Promise<StatusReply> {
  return ask(http, { kind: "read", method: "GET", path: `/offers/${segment(offerId)}/status`, signal }, statusReply);
}

async function readProgress(http: Http, purchase: Purchase, signal?: AbortSignal): Promise<Progress> {
  const progress = toProgress(await readStatus(http, purchase.offerId, signal), purchase.resourceIds);
  if (progress.phase !== "ready" || progress.addresses.length > 0) return progress;
  // Some vendors publish the address with the resource only, and an offer may tell of more machines than ours.
  const ids =
    purchase.resourceIds.length > 0
      ? purchase.resourceIds
      : (await listHoldings(http, purchase, signal)).ours.map(({ id }) => id);
  const addresses = await Promise.all(
    ids.map(async (id): Promise<readonly Address[]> => {
      const reply = await http.send({ kind: "read", method: "GET", path: `/resources/${segment(id)}`, signal });
      const access = resourceReply.safeParse(reply.json).data?.access;
      return access === undefined ? [] : [toAddress(access) ?? []].flat();
    }),
  );
  return { ...progress, addresses: addresses.flat() };
}

/** A list for an offer that does not exist may be answered with an error instead of being empty. */
async function listResources(http: Http, offerId: string | undefined, signal?: AbortSignal): Promise<readonly ResourceReply[]> {
  const query = offerId === undefined ? "" : `?offer_id=${segment(offerId)}`;
  const request: HttpRequest = { kind: "read", method: "GET", path: `/resources${query}`, signal };
  const reply = await http.send(request);
  if (offerId !== undefined && (isAbsence(reply) || (reply.status === 422 && hasApiForm(reply.json)))) return [];
  if (reply.status < 200 || reply.status > 299) throw failureOf(reply, request);
  return readAs(reply, resourcesReply, request);
}

/** What an offer's state tells of, where the list does not show it. */
async function readTold(http: Http, purchase: Purchase, signal?: AbortSignal): Promise<readonly ResourceReply[]> {
  const told = await Promise.all(
    idsIn(await readStatus(http, purchase.offerId, signal)).map(async (id) => {
      const reply = await http.send({ kind: "read", method: "GET", path: `/resources/${segment(id)}`, signal });
      return resourceReply.safeParse(reply.json).data;
    }),
  );
  return told.filter((row) => row !== undefined);
}

/**
 * Looks by offer; where that lists nothing, by name in the whole account, and at what the offer's state tells of: the filter of the
 * list and its rows' fields are not documented.
 */
async function listHoldings(http: Http, purchase: Purchase, signal?: AbortSignal): Promise<Holdings> {
  const byOffer = await listResources(http, purchase.offerId, signal);
  const nothingKnown = byOffer.length === 0 && purchase.resourceIds.length === 0;
  const rows = nothingKnown
    ? [...(await listResources(http, undefined, signal)), ...(await readTold(http, purchase, signal))]
    : byOffer;
  const alive = rows.filter((row) => isAlive(row.status));
  const unclear = alive.some((row) => ownerOf(row, purchase, false) === "unclear");
  // A list that shows something for an offer which does not exist is not filtered by offer.
  const filtered = unclear && !nothingKnown && (await listResources(http, randomUUID(), signal)).length === 0;
  const owned = (by: ReturnType<typeof ownerOf>) => alive.filter((row) => ownerOf(row, purchase, filtered) === by);
  return {
    deleted: rows
      .filter((row) => !isAlive(row.status) && ownerOf(row, purchase, filtered) === "ours")
      .map((row) => row.resource_id),
    soldToAnother: owned("another").some((row) => isFromOffer(row, purchase.offerId)),
    ours: owned("ours").map((row) => ({
      id: row.resource_id,
      status: plain(row.status ?? "unknown", 40),
      ...(row.name === undefined ? {} : { name: row.name }),
    })),
    // In a list of the whole account, rows that say nothing about their offer are simply other people's machines.
    doubtful: (nothingKnown ? [] : owned("unclear")).map((row) => ({
      id: row.resource_id,
      why: "neither its name nor its offer history says whose it is",
    })),
  };
}

/** No pages are documented, so the list is taken to be whole. */
async function* takeCensus(http: Http, signal?: AbortSignal): AsyncGenerator<readonly Listed[]> {
  const rows = await listResources(http, undefined, signal);
  yield rows
    .filter((row) => isAlive(row.status))
    .map(({ name, resource_id: id }) => ({ id, ...(name === undefined ? {} : { name }) }));
}

async function readResource(http: Http, resourceId: string, signal?: AbortSignal): Promise<ResourceReading> {
  // force_refresh asks the vendor instead of a copy that may be 30 s old.
  const path = `/resources/${segment(resourceId)}?force_refresh=true`;
  const request: HttpRequest = { kind: "read", method: "GET", path, signal };
  const reply = await http.send(request);
  if (isAbsence(reply)) return { state: "absent" };
  if (reply.status < 200 || reply.status > 299) throw failureOf(reply, request);
  const row = readAs(reply, resourceReply, request);
  if (row.resource_id.toLowerCase() !== resourceId.toLowerCase()) {
    throw new MarketFailure(
      `Compute Clear answered for resource ${row.resource_id} when asked for ${resourceId}.`,
      "That proves nothing.",
    );
  }
  if (!isAlive(row.status)) return { state: "deleted", linked: toLinked(row) };
  return {
    state: "alive",
    status: plain(row.status ?? "unknown", 40),
    ...(row.name === undefined ? {} : { name: row.name }),
    ...(row.pricing_total_hourly === undefined ? {} : { pricePerHour: row.pricing_total_hourly }),
    isAnothers: (leaseName) => isAnothers(row.name, { leaseName }),
    fromOffer: (offerId) => isFromOffer(row, offerId),
    linked: toLinked(row),
  };
}

async function erase(http: Http, resourceId: string, signal?: AbortSignal): ReturnType<Market["erase"]> {
  const request: HttpRequest = { kind: "erase", method: "DELETE", path: `/resources/${segment(resourceId)}?force=true`, signal };
  const reply = await http.send(request);
  if (reply.status >= 200 && reply.status < 300) return "accepted";
  if (reply.status === 409) return "already-gone";
  if (isAbsence(reply)) return "absent";
  throw failureOf(reply, request);
}
