import type { Clock } from "../../lease/clock.ts";
import { describe, MarketFailure } from "../../lease/failure.ts";
import type { Log } from "../../lease/log.ts";
import type { Offer } from "../../lease/offer.ts";
import { plain } from "../../lease/plain.ts";
import type { ContainerWish, Wish } from "../../lease/plan.ts";
import type { ProviderFacts } from "../../lease/provider-facts.ts";
import { compare } from "../catalogue.ts";
import type {
  Holdings,
  ManualCommands,
  Market,
  MarketOptions,
  Marketplace,
  Progress,
  Purchase,
  ResourceReading,
  Standing,
} from "../provider.ts";
import { isOfType } from "../rank.ts";
import { buy } from "./buy.ts";
import { type Client, CODE, failureOf, openClient } from "./client.ts";
import {
  billOf,
  type Claim,
  describeOrder,
  endpointsOf,
  hasEnded,
  hasMark,
  isAnothers,
  markOf,
  ownerOf,
  sshOf,
} from "./orders.ts";
import { feesReply, marketplaceReply, type OrderReply, ordersReply, readServers, spotReply } from "./replies.ts";
import { isRentable, type Listing, type Money, rateOf, toListing, wantsFree } from "./servers.ts";

const facts: ProviderFacts = {
  apiUrl: "https://api.clore.ai/v1",
  rents: "container",
  keepsNames: false,
  currencies: ["USD-Blockchain", "CLORE-Blockchain", "bitcoin"],
};

export const cloreMarketplace: Marketplace = { facts, open: openClore, byHand: byHandAtClore };

function byHandAtClore(apiUrl: string): ManualCommands {
  const curl = `curl -sS -H "auth: $CLORE_TOKEN"`;
  return {
    toDelete: (orderId) =>
      `${curl} -H 'Content-Type: application/json' -d '{"id":${encodeURIComponent(orderId)}}' '${apiUrl}/cancel_order'`,
    toList: () => `${curl} '${apiUrl}/my_orders'`,
  };
}

/** All that a lease keeps of the marketplace while it lasts. */
export interface Clore {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly currency: string;
  readonly container: ContainerWish | undefined;
  /** By server. */
  listings: Map<string, Listing>;
  /** Ticks at which `listings` were asked for. */
  listedAt: number;
  /** Rows of the marketplace as they came. */
  servers: readonly unknown[];
  /** Orders that were there before one of ours was taken, by the name of its lease. */
  readonly before: Map<string, ReadonlySet<string>>;
  /** How often in a row an order was not listed. */
  readonly misses: Map<string, number>;
  money: Money | undefined;
}

/** Clore.ai (https://docs.clore.ai): containers on the servers of many hosts. Offers are its servers, resources its orders. */
export function openClore({ apiUrl, clock, container, log, token }: MarketOptions): Market {
  const client = openClient({ token, apiUrl, clock, log });
  const clore: Clore = {
    client,
    clock,
    log,
    currency: container?.currency ?? "USD-Blockchain",
    container,
    listings: new Map(),
    listedAt: Number.NEGATIVE_INFINITY,
    servers: [],
    before: new Map(),
    misses: new Map(),
    money: undefined,
  };
  return {
    name: "clore",
    traits: { ...facts, spread: 0.05, showsWithin: 60_000 },
    byHand: byHandAtClore(apiUrl),
    search: (wish, signal) => search(clore, wish, signal),
    explain: async (wish) => explain(clore, wish),
    standing: (offerId, signal) => readStanding(clore, offerId, signal),
    buy: (order, signal) => buy(clore, order, signal),
    progress: (purchase, signal) => readProgress(clore, purchase, signal),
    holdings: (purchase, signal) => listHoldings(clore, purchase, signal),
    census: (signal) => takeCensus(clore, signal),
    read: (orderId, signal) => readOrder(clore, orderId, signal),
    erase: (orderId, signal) => erase(clore, orderId, signal),
    pace: client.pacing.pace,
    heldUp: client.pacing.heldUp,
    close: () => client.close(),
  };
}

/** There is no filter at the marketplace: thousands of servers come in one reply. */
async function search(clore: Clore, wish: Wish, signal?: AbortSignal): Promise<readonly Offer[]> {
  const { client, clock, currency, log } = clore;
  clore.listedAt = clock.ticks();
  clore.servers = await client.read("/marketplace", marketplaceReply, signal);
  const free = readServers(clore.servers, wantsFree(wish.gpuTypes));
  const money = await learnMoney(clore, wish, signal);
  const rentable = free.filter((server) => isRentable(server, currency, wish.contractType));
  log.info(
    `Clore lists ${clore.servers.length} servers; ${free.length} with ${plain(wish.gpuTypes.join(" or "))} are free, ` +
      `${rentable.length} of them for ${currency}.`,
  );
  const listings = rentable.flatMap((server) => toListing(server, wish, money) ?? []);
  clore.listings = new Map(listings.map((listing) => [listing.serverId, listing]));
  return listings.map(({ offer }) => offer);
}

/** Seen in captured orders, and taken where the marketplace does not tell. */
const USUAL_CREATION_FEE = 0.1;

/** So many servers' quotes tell what a coin is worth. */
const QUOTED = 300;

async function learnMoney(clore: Clore, wish: Wish, signal?: AbortSignal): Promise<Money> {
  const { client, currency, log } = clore;
  const rate = rateOf(currency, clore.servers.slice(0, QUOTED)) ?? (await askForRate(clore, signal));
  if (clore.money !== undefined) return { ...clore.money, rate };
  let creationFee = USUAL_CREATION_FEE;
  try {
    const { creation_fees } = await client.read("/renter_fees", feesReply, signal);
    const fees = wish.contractType === "spot" ? creation_fees.spot : creation_fees.on_demand;
    const fee = typeof fees === "number" ? fees : fees?.get(currency);
    if (fee !== undefined) creationFee = fee * rate;
  } catch (error) {
    signal?.throwIfAborted();
    log.debug(`The fees could not be asked: ${plain(describe(error))}`);
  }
  clore.money = { currency, rate, creationFee };
  return clore.money;
}

async function askForRate({ client, currency, servers }: Clore, signal?: AbortSignal): Promise<number> {
  const [first] = readServers(servers.slice(0, QUOTED));
  const rates =
    first === undefined
      ? undefined
      : (await client.read(`/spot_marketplace?market=${first.id}`, spotReply, signal)).market.currency_rates_in_usd;
  const rate = rates?.get(currency);
  if (rate !== undefined && rate > 0) return rate;
  throw new MarketFailure(
    `Clore does not tell what one ${currency} is worth in USD, so no price can be compared.`,
    "Nothing was bought. Pay with another 'currency', like USD-Blockchain.",
  );
}

function explain({ currency, servers }: Clore, wish: Wish): readonly string[] {
  const money: Money = { currency, rate: 1, creationFee: 0 };
  const anything: Wish = { ...wish, contractType: "ondemand" };
  const cards = readServers(servers).flatMap((server) => {
    const priced = { ...server, price: { ...server.price, on_demand: new Map([[currency, 1]]) } };
    const offer = toListing(priced, anything, money)?.offer;
    return offer === undefined ? [] : [{ server, offer }];
  });
  const absent = wish.gpuTypes.filter((type) => !cards.some(({ offer }) => isOfType(offer, type)));
  const families = [...new Set(cards.map(({ offer }) => offer.gpuFamily))];
  const taken = wish.gpuTypes
    .filter((type) => !absent.includes(type))
    .flatMap((type) => {
      const known = cards.filter(({ offer }) => isOfType(offer, type));
      if (known.some(({ server }) => isRentable(server, currency, wish.contractType))) return [];
      return [
        `All ${known.length} servers with ${plain(type, 60)} are rented just now, or do not take ${currency} for a contract of this type.`,
      ];
    });
  return [...compare("gpu-type", absent, families), ...taken];
}

/** How old a list of servers may be to say that one is for sale. */
const FRESH = 20_000;

async function readStanding(clore: Clore, offerId: string, signal?: AbortSignal): Promise<Standing> {
  const { client, clock, currency } = clore;
  const known = clore.listings.get(offerId);
  if (known !== undefined && clock.ticks() - clore.listedAt < FRESH) {
    return { state: "available", pricePerHour: known.offer.pricePerHour };
  }
  const servers = await client.read("/marketplace", marketplaceReply, signal);
  const server = readServers(servers).find(({ id }) => id === offerId);
  if (server === undefined) return { state: "unknown" };
  return { state: isRentable(server, currency, known?.bid === undefined ? "ondemand" : "spot") ? "available" : "sold" };
}

async function readOrders(clore: Clore, signal?: AbortSignal, completed = false) {
  return clore.client.read(`/my_orders${completed ? "?return_completed=true" : ""}`, ordersReply, signal);
}

function claimOf({ before }: Clore, { leaseName, offerId, resourceIds, sent }: Purchase): Claim {
  const known = before.get(leaseName);
  return {
    offerId,
    leaseName,
    orderIds: resourceIds,
    ...(sent === undefined ? {} : { sent }),
    ...(known === undefined ? {} : { before: known }),
  };
}

async function listHoldings(clore: Clore, purchase: Purchase, signal?: AbortSignal): Promise<Holdings> {
  const { orders } = await readOrders(clore, signal);
  const claim = claimOf(clore, purchase);
  const alive = orders.filter((order) => !hasEnded(order));
  const owned = (by: ReturnType<typeof ownerOf>) => alive.filter((order) => ownerOf(order, claim) === by);
  return {
    ours: owned("ours").map((order) => ({
      id: order.id,
      status: describeOrder(order),
      ...(hasMark(order, purchase.leaseName) ? { name: purchase.leaseName } : {}),
    })),
    deleted: orders.filter((order) => hasEnded(order) && purchase.resourceIds.includes(order.id)).map(({ id }) => id),
    soldToAnother: owned("another").some((order) => order.server === purchase.offerId && isAnothers(order, purchase.leaseName)),
    doubtful: owned("unclear").map(({ id, tcp_ports = [] }) => ({
      id,
      why:
        tcp_ports.length === 0
          ? "its ports, which show whose it is, are not published yet"
          : "it does not show the ports of this lease",
    })),
  };
}

/** Orders have no names. */
async function* takeCensus(clore: Clore, signal?: AbortSignal): AsyncGenerator<readonly { readonly id: string }[]> {
  const { orders } = await readOrders(clore, signal);
  yield orders.filter((order) => !hasEnded(order)).map(({ id }) => ({ id }));
}

/** Not being listed once can be a list that is behind. */
const MISSES = 2;

async function readProgress(clore: Clore, purchase: Purchase, signal?: AbortSignal): Promise<Progress> {
  const { orders } = await readOrders(clore, signal);
  const claim = claimOf(clore, purchase);
  const ours = orders.filter((order) => ownerOf(order, claim) === "ours");
  const alive = ours.find((order) => !hasEnded(order));
  if (alive !== undefined) {
    clore.misses.delete(purchase.leaseName);
    return describeProgress(clore, alive, purchase, signal);
  }
  if (ours.length > 0) return { phase: "failed", detail: `order ${ours[0]?.id} has ended`, addresses: [] };
  if (purchase.resourceIds.length > 0) {
    const misses = (clore.misses.get(purchase.leaseName) ?? 0) + 1;
    clore.misses.set(purchase.leaseName, misses);
    const ids = purchase.resourceIds.join(", ");
    return misses < MISSES
      ? { phase: "pending", detail: `order ${ids} is not listed`, addresses: [] }
      : { phase: "failed", detail: `order ${ids} is no longer listed`, addresses: [] };
  }
  const unclear = orders.some((order) => !hasEnded(order) && ownerOf(order, claim) === "unclear");
  return unclear
    ? { phase: "pending", detail: "an order on this server does not show yet whose it is", addresses: [] }
    : { phase: "none", detail: "no order of this lease is listed", addresses: [] };
}

async function describeProgress(clore: Clore, order: OrderReply, purchase: Purchase, signal?: AbortSignal): Promise<Progress> {
  const address = sshOf(order);
  if (address !== undefined) {
    return { phase: "ready", detail: describeOrder(order), addresses: [address], endpoints: endpointsOf(order) };
  }
  if (order.spot === true && (await isOutbid(clore, purchase.offerId, signal))) {
    return { phase: "failed", detail: `spot order ${order.id} is outbid: another bid for the server is higher`, addresses: [] };
  }
  return { phase: "pending", detail: describeOrder(order), addresses: [] };
}

/** `my` tells our bids, and `active` the one that has the server. */
async function isOutbid({ client, log }: Clore, serverId: string, signal?: AbortSignal): Promise<boolean> {
  try {
    const { market } = await client.read(`/spot_marketplace?market=${serverId}`, spotReply, signal);
    const ours = market.offers.filter(({ my }) => my === true);
    return ours.length > 0 && ours.every(({ active }) => active === false) && market.offers.some(({ active }) => active === true);
  } catch (error) {
    signal?.throwIfAborted();
    log.debug(`The bids for the server could not be read: ${plain(describe(error))}`);
    return false;
  }
}

async function readOrder(clore: Clore, orderId: string, signal?: AbortSignal): Promise<ResourceReading> {
  const active = await readOrders(clore, signal);
  const order = active.orders.find(({ id }) => id === orderId);
  if (order !== undefined && !hasEnded(order)) return describeAlive(clore, order);
  const all = order === undefined ? (await readOrders(clore, signal, true)).orders : active.orders;
  const ended = all.find(({ id }) => id === orderId);
  if (ended !== undefined && !hasEnded(ended)) return describeAlive(clore, ended);
  if (ended !== undefined) {
    const bill = billOf(ended);
    return { state: "deleted", linked: [], ...(bill === undefined ? {} : { bill }) };
  }
  if (active.isWhole) return { state: "absent" };
  throw new MarketFailure(
    `Clore lists no more than ${active.orders.length} orders, and ${orderId} is not among them.`,
    "That proves nothing.",
  );
}

function describeAlive({ money }: Clore, order: OrderReply): ResourceReading {
  const rate = /^usd/i.test(order.currency ?? "") ? 1 : money?.currency === order.currency ? money?.rate : undefined;
  return {
    state: "alive",
    status: describeOrder(order),
    markOf(leaseName) {
      const ports = markOf(leaseName).join(" and ");
      return hasMark(order, leaseName)
        ? `The order shows this lease's mark, the container ports ${ports}: so it is known as ours.`
        : `The order does not show this lease's mark, the container ports ${ports}; it is known by its number.`;
    },
    isAnothers: (leaseName) => isAnothers(order, leaseName),
    ...(order.price === undefined || rate === undefined ? {} : { pricePerHour: (order.price * rate) / 24 }),
    fromOffer: (offerId) => order.server === offerId,
    linked: [],
  };
}

async function erase({ client }: Clore, orderId: string, signal?: AbortSignal): ReturnType<Market["erase"]> {
  const { reply, verdict } = await client.cancel({ id: Number(orderId) }, signal);
  const { code, error = "" } = verdict;
  if (error === "order_not_active") return "already-gone";
  if (error === "order_dont_exist") return "absent";
  const isFine = reply.status >= 200 && reply.status < 300 && reply.json !== undefined && (code ?? CODE.fine) === CODE.fine;
  if (isFine) return "accepted";
  throw failureOf(reply, verdict, "POST /cancel_order");
}
