import { formatUsd } from "../lease/money.ts";
import type { Offer } from "../lease/offer.ts";
import { plain } from "../lease/plain.ts";
import type { Wish } from "../lease/plan.ts";

export interface Ranking {
  /** Cheapest first. */
  readonly fitting: readonly Offer[];
  /** Why offers were refused, and how many for each reason. */
  readonly refused: readonly { readonly reason: string; readonly count: number }[];
}

/** An offer that ends sooner than this could be gone before the purchase arrives. */
const LEAST_VALIDITY = 30_000;

/** A price at the cap, split among GPUs, may come out a hair above it. */
const ROUNDING = 1 + 1e-8;

/** Filters and sorts offers. The marketplace was asked with the same wish, but what it answers is only data. `now`: epoch ms. */
export function rankOffers(offers: readonly Offer[], wish: Wish, now: number): Ranking {
  const fitting: Offer[] = [];
  const refused = new Map<string, number>();
  for (const offer of offers) {
    const reason = refusalOf(offer, wish, now);
    if (reason === undefined) fitting.push(offer);
    else refused.set(reason, (refused.get(reason) ?? 0) + 1);
  }
  return {
    fitting: fitting.sort((one, other) => askedFor(one) - askedFor(other)),
    refused: [...refused].map(([reason, count]) => ({ reason, count })),
  };
}

/** Bids are all the same; the one for what costs least is the likeliest to be won. */
function askedFor({ askedPerHour, pricePerHour }: Offer): number {
  return askedPerHour ?? pricePerHour;
}

/** The same offers, those at the front that cost much the same in any order. `spread` is a share of the cheapest price. */
export function mixNearCheapest(offers: readonly Offer[], spread: number, random: () => number = Math.random): readonly Offer[] {
  const [cheapest] = offers;
  if (cheapest === undefined || spread === 0) return offers;
  const isNear = (offer: Offer) => askedFor(offer) <= askedFor(cheapest) * (1 + spread);
  const near = offers.filter(isNear).map((offer) => ({ offer, place: random() }));
  return [
    ...near.sort((one, other) => one.place - other.place).map(({ offer }) => offer),
    ...offers.filter((one) => !isNear(one)),
  ];
}

function refusalOf(offer: Offer, wish: Wish, now: number): string | undefined {
  if (!wish.gpuTypes.some((type) => isOfType(offer, type))) return `other GPU (${plain(offer.gpuFamily, 40)})`;
  if (offer.gpuCount !== wish.gpuCount) return `${offer.gpuCount} GPUs instead of ${wish.gpuCount}`;
  if (offer.contractType !== undefined && normalise(offer.contractType) !== wish.contractType)
    return `contract '${plain(offer.contractType, 40)}'`;
  if (offer.kind !== undefined && offer.kind !== "vm") return `is a ${plain(offer.kind, 40)}, not a single machine`;
  if (wish.regions.length > 0 && !holds(wish.regions, offer.region)) return `region ${plain(offer.region, 40)}`;
  if (wish.vendors.length > 0 && !holds(wish.vendors, offer.vendor)) return `vendor ${plain(offer.vendor, 40)}`;
  if (holds(wish.excludedVendors, offer.vendor)) return `vendor ${plain(offer.vendor, 40)} is excluded`;
  if (wish.maxPricePerGpuHour !== undefined && offer.pricePerHour / offer.gpuCount > wish.maxPricePerGpuHour * ROUNDING) {
    return `dearer than ${formatUsd(wish.maxPricePerGpuHour)} per GPU-hour, all included`;
  }
  if (wish.minReliability !== undefined && (offer.reliability ?? 0) < wish.minReliability)
    return `reliability below ${wish.minReliability}, or not told`;
  if (wish.lifetime !== undefined && offer.longestLease !== undefined && offer.longestLease < wish.lifetime)
    return `rented for shorter than 'max-lifetime'`;
  if (offer.expiresAt !== undefined && offer.expiresAt < now + LEAST_VALIDITY) return "expired, or about to";
  return undefined;
}

// Words of a canonical name that say nothing about the model: `nvidia-h100-sxm5-80gb`.
const NO_MODEL = /^(nvidia|amd|geforce|rtx|gtx|quadro|tesla|sxm\d*|pcie|nvl\d*|\d+gb)$/;
/** A word behind the model that makes another card of it: an RTX 4070 is no RTX 4070 Ti. */
const VARIANT = /^(ti|super|ada|laptop|mobile|max|d)$/;

/** A wish is a family (`H100`, all variants) or a canonical name (`nvidia-h100-sxm5-80gb`). */
export function isOfType(offer: Pick<Offer, "gpuFamily" | "gpuType">, type: string): boolean {
  const wanted = normalise(type);
  if (wanted === normalise(offer.gpuFamily) || wanted === normalise(offer.gpuType)) return true;
  const words = offer.gpuType.toLowerCase().split(/[^a-z0-9]+/);
  return words.some((word, index) => word === wanted && !NO_MODEL.test(word) && !VARIANT.test(words[index + 1] ?? ""));
}

function holds(names: readonly string[], name: string): boolean {
  return names.some((one) => one.toLowerCase() === name.toLowerCase());
}

function normalise(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}
