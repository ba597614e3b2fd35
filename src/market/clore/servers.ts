import type { Offer } from "../../lease/offer.ts";
import { plain } from "../../lease/plain.ts";
import type { Wish } from "../../lease/plan.ts";
import { isOfType } from "../rank.ts";
import { regionOf } from "./regions.ts";
import { type Glance, readServers, type ServerReply } from "./replies.ts";

const HOURS_A_DAY = 24;
const HOUR = 3_600_000;

/** A server that can be rented, and the price per day in our currency that it was offered at. */
export interface Listing {
  readonly offer: Offer;
  readonly serverId: string;
  readonly pricePerDay: number;
  /** What we bid per day, for spot orders; absent for others. */
  readonly bid?: number;
}

export interface Money {
  readonly currency: string;
  /** USD for one of it. */
  readonly rate: number;
  /** What an order costs besides, in USD. */
  readonly creationFee: number;
}

/** What `price.usd` calls the currencies. */
const QUOTES: Readonly<Record<string, string>> = {
  bitcoin: "on_demand_btc",
  "CLORE-Blockchain": "on_demand_clore",
  "USD-Blockchain": "on_demand_usd",
};

/**
 * USD for one of a currency, from the servers' own quotes: their median, for single quotes can be far off. Undefined where none has
 * one.
 */
export function rateOf(currency: string, rows: readonly unknown[]): number | undefined {
  if (/^usd/i.test(currency)) return 1;
  const rates = readServers(rows).flatMap(({ price }) => {
    const quote = price.usd?.get(QUOTES[currency] ?? "");
    const own = price.on_demand?.get(currency);
    return quote === undefined || own === undefined || quote <= 0 || own <= 0 ? [] : [quote / own];
  });
  return rates.sort((one, other) => one - other)[Math.floor(rates.length / 2)];
}

/** At a glance: free, and with GPUs of one of these types. Most servers have the same few. */
export function wantsFree(types: readonly string[]): (glance: Glance) => boolean {
  const known = new Map<string, boolean>();
  return ({ gpu_array, rented, specs }) => {
    if (rented === true) return false;
    const name = specs.gpu ?? gpu_array?.join() ?? "";
    const wanted = known.get(name) ?? isWanted(readGpus({ gpu_array, specs }), types);
    known.set(name, wanted);
    return wanted;
  };
}

function isWanted(gpus: ReturnType<typeof readGpus>, types: readonly string[]): boolean {
  return gpus !== undefined && types.some((type) => isOfType({ gpuFamily: gpus.family, gpuType: gpus.type }, type));
}

/** Whether it can be rented now and paid in this currency. */
export function isRentable(
  { allowed_coins, gigaspot, price, rented }: ServerReply,
  currency: string,
  contract: Wish["contractType"],
): boolean {
  if (rented === true || gigaspot === true) return false;
  if (allowed_coins !== undefined && !allowed_coins.includes(currency)) return false;
  return ((contract === "spot" ? price.spot : price.on_demand)?.get(currency) ?? 0) > 0;
}

/**
 * A server as an offer. An on-demand one costs what it says; for a spot one we bid `max-price-per-gpu-hour`, or its lowest price where
 * there is no cap. Undefined for a server that does not tell its GPUs.
 */
export function toListing(server: ServerReply, wish: Wish, money: Money): Listing | undefined {
  const gpus = readGpus(server);
  if (gpus === undefined) return undefined;
  const { currency, rate, creationFee } = money;
  const isSpot = wish.contractType === "spot";
  const asked = (isSpot ? server.price.spot : server.price.on_demand)?.get(currency);
  if (asked === undefined) return undefined;
  const cap =
    wish.maxPricePerGpuHour === undefined ? undefined : tidy((wish.maxPricePerGpuHour * gpus.count * HOURS_A_DAY) / rate);
  const pricePerDay = isSpot && cap !== undefined && cap >= asked ? cap : asked;
  const { id, mrl, owner, reliability } = server;
  return {
    serverId: id,
    pricePerDay,
    ...(isSpot ? { bid: pricePerDay } : {}),
    offer: {
      id,
      gpuType: gpus.type,
      gpuFamily: gpus.family,
      gpuCount: gpus.count,
      vendor: owner === undefined ? "clore" : `clore-${owner}`,
      region: regionOf(server.specs.net?.cc),
      pricePerHour: tidy((pricePerDay * rate) / HOURS_A_DAY),
      ...(isSpot ? { askedPerHour: tidy((asked * rate) / HOURS_A_DAY) } : {}),
      upfront: creationFee,
      ownPrice: `${Number(pricePerDay.toPrecision(6))} ${currency} a day`,
      contractType: wish.contractType,
      ...(reliability === undefined ? {} : { reliability: reliability > 1 ? reliability / 100 : reliability }),
      ...(mrl === undefined ? {} : { longestLease: mrl * HOUR }),
      ...(gpus.mixed ? { kind: "mix of GPUs" } : {}),
    },
  };
}

/** Without the rounding of a computation: 7.2 instead of 7.199999999999999. */
function tidy(amount: number): number {
  return Number(amount.toPrecision(9));
}

const NO_MODEL = /^(?:nvidia|amd|geforce|\d+g[bi]?b?|hbm\d?e?|pcie|sxm\d*|nvl\d*)$/i;

/** `1x NVIDIA GeForce RTX 4090`: how many, which, and the words that tell the model (`RTX 4090`). */
function readGpus({
  gpu_array,
  specs,
}: Pick<Glance, "gpu_array" | "specs">): { count: number; type: string; family: string; mixed: boolean } | undefined {
  const cards = (gpu_array ?? []).map((card) => card.trim()).filter((card) => card !== "");
  const [, counted, written] = /^\s*(\d{1,3})\s*x\s*(.+)$/i.exec(specs.gpu ?? "") ?? [];
  const name = plain(written ?? specs.gpu?.trim() ?? cards[0] ?? "", 80);
  const count = counted === undefined ? cards.length : Number(counted);
  if (name === "" || count === 0) return undefined;
  const words = name.split(/[\s_-]+/).filter((word) => word !== "");
  const family = words.filter((word) => !NO_MODEL.test(word)).join(" ") || name;
  const type = words.join("-").toLowerCase();
  return { count, type, family, mixed: new Set(cards).size > 1 || /mixed/i.test(name) };
}
