import { describe } from "../../lease/failure.ts";
import { formatUsd } from "../../lease/money.ts";
import { plain } from "../../lease/plain.ts";
import type { ContainerWish } from "../../lease/plan.ts";
import { UnreachableFailure } from "../http.ts";
import type { PurchaseAnswer, PurchaseOrder } from "../provider.ts";
import { type Answer, CODE } from "./client.ts";
import type { Clore } from "./market.ts";
import { hasEnded, markOf, ownerOf } from "./orders.ts";
import { ordersReply, spotReply, walletsReply } from "./replies.ts";
import type { Listing } from "./servers.ts";

type Refusal = Extract<PurchaseAnswer, { kind: "refused" }>;

/** Errors of code 6 that speak of this server only. */
const OTHER_SERVER = new Set([
  "server_dont_exist",
  "server_offline",
  "cant_rent_from_yourself",
  "too_low_price",
  "currency_not_allowed",
  "machine_is_on_gigaspot",
]);
/** The same, because somebody was faster. */
const LOST_RACE = new Set(["server_already_rented", "you_already_have_spot_order"]);

/** Pauses before the looks for an order that was taken: its answer does not tell the number. */
const LOOKS = [0, 2_000, 3_500];
/** Hours of a lease that the wallet has to pay at least. */
const LEAST_HOURS = 0.25;

/** Creates one order. Never rejects. */
export async function buy(clore: Clore, order: PurchaseOrder, signal?: AbortSignal): Promise<PurchaseAnswer> {
  const { client, container, listings } = clore;
  const listing = listings.get(order.offerId);
  if (listing === undefined || container === undefined) return refuse("the server is not in the list of offers", "other-offer");
  try {
    const refusal = (await checkWallet(clore, listing, signal)) ?? (await checkBids(clore, listing, signal));
    if (refusal !== undefined) return refusal;
    const before = await snapshot(clore, signal);
    const answer = await client.order(describeOrder(order, listing, container, clore.currency), signal);
    const purchase = readPurchase(answer);
    // What it said of this server is old now.
    listings.delete(order.offerId);
    if (purchase.kind !== "accepted") return purchase;
    if (before !== undefined) clore.before.set(order.leaseName, before);
    return { kind: "accepted", resourceIds: await findOrder(clore, order, signal) };
  } catch (error) {
    if (signal?.aborted && !(error instanceof UnreachableFailure)) return refuse("it was not sent any more", "nothing");
    if (!(error instanceof UnreachableFailure)) return { kind: "unknown", reason: plain(describe(error)) };
    return error.neverLeft
      ? { kind: "refused", reason: `the request never left (${error.message})`, next: "same-offer", waitMs: 5_000 }
      : { kind: "unknown", reason: error.message };
  }
}

function refuse(reason: string, next: Refusal["next"]): Refusal {
  return { kind: "refused", reason, next };
}

function describeOrder({ leaseName, sshPublicKey }: PurchaseOrder, listing: Listing, container: ContainerWish, currency: string) {
  const ports = [22, ...markOf(leaseName)].map((port) => [String(port), "tcp"]);
  const published = container.ports.map(({ port, kind }) => [String(port), kind]);
  const { bid, pricePerDay, serverId } = listing;
  return {
    currency,
    image: container.image,
    renting_server: Number(serverId),
    type: bid === undefined ? "on-demand" : "spot",
    ...(bid === undefined ? {} : { spotprice: bid }),
    ports: Object.fromEntries([...ports, ...published]),
    ...(Object.keys(container.env).length > 0 ? { env: container.env } : {}),
    ssh_key: sshPublicKey,
    autossh_entrypoint: true,
    // The order is refused when the host has raised the price meanwhile.
    required_price: pricePerDay,
  };
}

/** A wallet that cannot pay is told before the order; one that cannot be read is the marketplace's to judge. */
async function checkWallet(
  { client, currency, log, money }: Clore,
  { offer }: Listing,
  signal?: AbortSignal,
): Promise<Refusal | undefined> {
  if (money === undefined) return undefined;
  try {
    const wallet = (await client.read("/wallets", walletsReply, signal)).find(({ name }) => name === currency);
    if (wallet === undefined) return undefined;
    const holds = wallet.balance * money.rate;
    const least = money.creationFee + offer.pricePerHour * LEAST_HOURS;
    const says = `the wallet holds ${formatUsd(holds)} (${Number(wallet.balance.toPrecision(6))} ${currency})`;
    if (holds < least) {
      return refuse(
        `${says}, and this server with its creation fee needs ${formatUsd(least)} for ${LEAST_HOURS * 60} minutes: top it up at clore.ai, or pay with another 'currency'`,
        "nothing",
      );
    }
    const hours = (holds - money.creationFee) / offer.pricePerHour;
    if (hours < 24) log.info(`At this price ${says}, which lasts for ${hours.toFixed(1)} h; Clore ends orders when it is empty.`);
  } catch (error) {
    signal?.throwIfAborted();
    log.debug(`The wallet could not be read: ${plain(describe(error))}`);
  }
  return undefined;
}

/** A bid below the lowest that is taken, or below another that has the server, would be an order without a machine. */
async function checkBids(
  { client, currency, log }: Clore,
  { bid, serverId }: Listing,
  signal?: AbortSignal,
): Promise<Refusal | undefined> {
  if (bid === undefined) return undefined;
  try {
    const { market } = await client.read(`/spot_marketplace?market=${serverId}`, spotReply, signal);
    const least = market.server?.min_pricing;
    const needed = (typeof least === "number" ? least : least?.get(currency)) ?? 0;
    const highest = Math.max(0, ...market.offers.map(({ active, bid: other = 0 }) => (active === true ? other : 0)));
    if (market.server?.online === false) return refuse("the server is offline", "other-offer");
    if (bid < needed) return refuse(`bids start at ${needed} ${currency} a day now, and ours is ${bid}`, "other-offer");
    if (bid <= highest)
      return refuse(`another bid has the server, ${highest} ${currency} a day, and ours is ${bid}`, "other-offer");
  } catch (error) {
    signal?.throwIfAborted();
    log.debug(`The bids for the server could not be read: ${plain(describe(error))}`);
  }
  return undefined;
}

/** The orders that are there already; undefined when they cannot be read, and then only the mark shows which one is ours. */
async function snapshot({ client, log }: Clore, signal?: AbortSignal): Promise<ReadonlySet<string> | undefined> {
  try {
    const { isWhole, orders } = await client.read("/my_orders", ordersReply, signal);
    return isWhole ? new Set(orders.map(({ id }) => id)) : undefined;
  } catch (error) {
    signal?.throwIfAborted();
    log.debug(`The orders could not be listed before the purchase: ${plain(describe(error))}`);
    return undefined;
  }
}

/** What is not the API's own word, and its database's trouble, leave open whether there is an order. */
function readPurchase({ reply, verdict }: Answer): PurchaseAnswer {
  const { code, error = "", reason } = verdict;
  if (code === undefined && reply.status === 401 && reply.json !== undefined) return refuse(`HTTP 401: ${reason}`, "nothing");
  const isGood = reply.status >= 200 && reply.status < 300;
  if (isGood && code === CODE.fine) return { kind: "accepted", resourceIds: [] };
  const told = `HTTP ${reply.status}: ${reason}`;
  switch (code) {
    case CODE.badInput:
    case CODE.badToken:
    case CODE.badEndpoint:
      return refuse(told, "nothing");
    case CODE.application:
      if (LOST_RACE.has(error)) return { kind: "refused", reason: told, next: "other-offer", lostRace: true };
      if (OTHER_SERVER.has(error)) return refuse(told, "other-offer");
      if (error === "not_enough_balance")
        return refuse(`${told}: top up the wallet at clore.ai, or pay with another 'currency'`, "nothing");
      return refuse(told, "other-offer");
    default:
      return { kind: "unknown", reason: told };
  }
}

async function findOrder(clore: Clore, order: PurchaseOrder, signal?: AbortSignal): Promise<readonly string[]> {
  const { client, clock, log } = clore;
  const known = clore.before.get(order.leaseName);
  const claim = {
    offerId: order.offerId,
    leaseName: order.leaseName,
    orderIds: [],
    ...(known === undefined ? {} : { before: known }),
  };
  for (const pause of LOOKS) {
    try {
      await clock.sleep(pause, signal);
      const { orders } = await client.read("/my_orders", ordersReply, signal);
      const ours = orders.filter((one) => !hasEnded(one) && ownerOf(one, claim) === "ours").map(({ id }) => id);
      if (ours.length > 0) return ours;
    } catch (error) {
      // It is taken all the same; the story goes on looking for it.
      log.debug(`The order could not be looked up: ${plain(describe(error))}`);
      if (signal?.aborted) return [];
    }
  }
  return [];
}
