import { formatUsd } from "./money.ts";

/** A machine for sale. Prices are USD; `id` is the marketplace's own. Text fields come from outside: see `plain`. */
export interface Offer {
  readonly id: string;
  /** Canonical name: `nvidia-h100-sxm5-80gb`. */
  readonly gpuType: string;
  /** Family: `H100`. */
  readonly gpuFamily: string;
  readonly gpuCount: number;
  readonly vendor: string;
  /** Region group: `US`, `EU`, `APAC`, `Other`, or what the marketplace says. */
  readonly region: string;
  /** All that bills: every GPU, disk and storage. */
  readonly pricePerHour: number;
  readonly contractType?: string;
  /** What it is offered for at least, where `pricePerHour` is our bid. */
  readonly askedPerHour?: number;
  /** USD that the purchase itself costs, besides. */
  readonly upfront?: number;
  /** The price in the marketplace's own money, for people: `3.92 USD-Blockchain a day`. */
  readonly ownPrice?: string;
  /** 0 to 1. */
  readonly reliability?: number;
  /** Milliseconds that it can be rented for at most. */
  readonly longestLease?: number;
  /** Milliseconds since the epoch. */
  readonly expiresAt?: number;
  /** `vm` or absent for one machine; anything else is not what one lease wants. */
  readonly kind?: string;
}

/** `1x H100 from nebius (EU) at $2.10/h`. The texts are made harmless by whoever prints it. */
export function describeOffer(
  offer: Pick<Offer, "gpuCount" | "gpuFamily" | "vendor" | "region" | "pricePerHour" | "ownPrice">,
): string {
  const own = offer.ownPrice === undefined ? "" : ` (${offer.ownPrice})`;
  return `${offer.gpuCount}x ${offer.gpuFamily} from ${offer.vendor} (${offer.region}) at ${formatUsd(offer.pricePerHour)}/h${own}`;
}
