import { randomUUID } from "node:crypto";
import type { Address } from "../../lease/address.ts";
import { MarketFailure } from "../../lease/failure.ts";
import type { Log } from "../../lease/log.ts";
import type { Offer } from "../../lease/offer.ts";
import { plain } from "../../lease/plain.ts";
import type { Wish } from "../../lease/plan.ts";
import type { Http, HttpReply, HttpRequest } from "../http.ts";
import { openHttp, UnreachableFailure } from "../http.ts";
import type {
  Holdings,
  ManualCommands,
  Market,
  Progress,
  Purchase,
  PurchaseAnswer,
  PurchaseOrder,
  ResourceReading,
} from "../provider.ts";
import { ask, failureOf, isAbsence, readAs } from "./client.ts";
import { explain } from "./explain.ts";
import { isAlive, toAddress, toLinked, toOffer, toProgress } from "./mapping.ts";
import { writeOffersQuery } from "./offers-query.ts";
import { isFromOffer, ownerOf } from "./ownership.ts";
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

/** What a person can do at Compute Clear without us. */
export function byHandAtComputeClear(apiUrl: string): ManualCommands {
  const curl = `curl -sS -H "Authorization: Bearer $COMPUTE_CLEAR_TOKEN"`;
  return {
    toDelete: (resourceId) => `${curl} -X DELETE '${apiUrl}/resources/${segment(resourceId)}?force=true'`,
    toList: (offerId) => `${curl} '${apiUrl}/resources?offer_id=${segment(offerId)}'`,
  };
}

/** Compute Clear's supply API (https://docs.compute-desk.com): offers, purchases and resources of many vendors. */
export function openComputeClear(options: { token: string; apiUrl: string; log: Log }): Market {
  const { token, apiUrl, log } = options;
  const http = openHttp({ baseUrl: apiUrl, secret: token, authorise: (secret) => ({ authorization: `Bearer ${secret}` }), log });
  return {
    name: "compute-clear",
    byHand: byHandAtComputeClear(apiUrl),
    search: (wish, signal) => search(http, wish, log, signal),
    explain: (wish, signal) => explain(http, wish, signal),
    standing: (offerId, signal) => readStanding(http, offerId, signal),
    buy: (order) => buy(http, order, log),
    progress: (offerId, signal) => readProgress(http, offerId, signal),
    holdings: (purchase, signal) => listHoldings(http, purchase, signal),
    read: (resourceId, signal) => readResource(http, resourceId, signal),
    erase: (resourceId, signal) => erase(http, resourceId, signal),
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
  if (isAbsence(reply)) return "unknown";
  if (reply.status === 410 && hasApiForm(reply.json)) return "expired";
  if (reply.status < 200 || reply.status > 299) throw failureOf(reply, request);
  switch (readAs(reply, offerReply, request).status?.toLowerCase()) {
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
  const reason = `HTTP ${reply.status}: ${readReason(reply.json, reply.text)}`;
  if (reply.status >= 200 && reply.status < 300) {
    const read = procureReply.safeParse(reply.json);
    if (!read.success) return { kind: "unknown", reason: `an answer that cannot be read (${reason})` };
    const resourceIds = [...new Set([...read.data.resource_ids, ...read.data.resources])];
    const why = read.data.error ?? read.data.message ?? "no reason given";
    return read.data.status.toLowerCase() === "failed"
      ? { kind: "failed", reason: plain(why), resourceIds }
      : { kind: "accepted", resourceIds };
  }
  if (reply.status === 429) return { kind: "refused", reason, next: "same-offer", waitMs: reply.retryAfterMs ?? 15_000 };
  // What is not the API's own word may come from a proxy that passed the request on.
  if (reply.status >= 500 || !hasApiForm(reply.json)) return { kind: "unknown", reason };
  if (reply.status === 409) return { kind: "taken", reason };
  const nothingHelps =
    [401, 402, 403].includes(reply.status) ||
    (reply.status === 422 && (refusesField(reply.json, "cloud_init") || refusesField(reply.json, "ssh_public_key")));
  return { kind: "refused", reason, next: nothingHelps ? "nothing" : "other-offer" };
}

async function readProgress(http: Http, offerId: string, signal?: AbortSignal): Promise<Progress> {
  const path = `/offers/${segment(offerId)}/status`;
  const progress = toProgress(await ask(http, { kind: "read", method: "GET", path, signal }, statusReply));
  if (progress.phase !== "ready" || progress.addresses.length > 0) return progress;
  // Some vendors publish the address with the resource only.
  const addresses = await Promise.all(
    progress.resourceIds.map(async (id): Promise<readonly Address[]> => {
      const reply = await http.send({ kind: "read", method: "GET", path: `/resources/${segment(id)}`, signal });
      const access = resourceReply.safeParse(reply.json).data?.access;
      return access === undefined ? [] : [toAddress(access) ?? []].flat();
    }),
  );
  return { ...progress, addresses: addresses.flat() };
}

/** Looks by offer, and by name where the offer lists nothing: the filter of the list and its rows' fields are not documented. */
async function listHoldings(http: Http, purchase: Purchase, signal?: AbortSignal): Promise<Holdings> {
  const list = (query: string) => ask(http, { kind: "read", method: "GET", path: `/resources${query}`, signal }, resourcesReply);
  const byOffer = await list(`?offer_id=${segment(purchase.offerId)}`);
  const rows = byOffer.length > 0 || purchase.resourceIds.length > 0 ? byOffer : await list("");
  const alive = rows.filter((row) => isAlive(row.status));
  const whose = (row: ResourceReply, filtered: boolean) => ownerOf(row, purchase, filtered);
  const unclear = alive.some((row) => whose(row, false) === "unclear");
  // A list that shows something for an offer which does not exist is not filtered by offer.
  const filtered = unclear && rows === byOffer && (await list(`?offer_id=${randomUUID()}`)).length === 0;
  return {
    soldToAnother: alive.some((row) => whose(row, false) === "another" && isFromOffer(row, purchase.offerId)),
    ours: alive
      .filter((row) => whose(row, filtered) === "ours")
      .map((row) => ({
        id: row.resource_id,
        status: plain(row.status ?? "unknown", 40),
        ...(row.name === undefined ? {} : { name: row.name }),
      })),
    // In a list of the whole account, rows that say nothing about their offer are simply other people's machines.
    doubtful: (rows === byOffer ? alive : [])
      .filter((row) => whose(row, filtered) === "unclear")
      .map((row) => ({ id: row.resource_id, why: "neither its name nor its offer history says whose it is" })),
  };
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
