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
  /** Milliseconds since the epoch. */
  readonly expiresAt?: number;
  /** `vm` or absent for one machine; anything else is not what one lease wants. */
  readonly kind?: string;
}

/** `1x H100 from nebius (EU) at $2.10/h`. The texts are made harmless by whoever prints it. */
export function describeOffer(offer: Pick<Offer, "gpuCount" | "gpuFamily" | "vendor" | "region" | "pricePerHour">): string {
  return `${offer.gpuCount}x ${offer.gpuFamily} from ${offer.vendor} (${offer.region}) at $${offer.pricePerHour.toFixed(2)}/h`;
}
