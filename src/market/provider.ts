import type { Address } from "../lease/address.ts";
import type { Offer } from "../lease/offer.ts";
import type { Wish } from "../lease/plan.ts";
import type { ProviderName } from "../lease/provider-names.ts";

/** What a purchase request says. `cloudInit` is at most 64,000 bytes. */
export interface PurchaseOrder {
  readonly offerId: string;
  readonly leaseName: string;
  readonly sshPublicKey: string;
  readonly cloudInit: string;
}

/**
 * How a purchase ended, as far as its own answer tells.
 * - `accepted`: the machine is being made; `resourceIds` may be empty yet
 * - `refused`: nothing was bought, provably; `next` says what can still be tried
 * - `denied`: the marketplace says no, for a reason (gone, sold, not found) that it also gives when something in between sent the
 *   request twice and the first one was taken: only a machine with our name tells
 * - `failed`: the marketplace took the purchase and reports that it failed; remains may exist
 * - `unknown`: the answer was lost or cannot be read; only looking it up tells
 */
export type PurchaseAnswer =
  | { readonly kind: "accepted"; readonly resourceIds: readonly string[] }
  | {
      readonly kind: "refused";
      readonly reason: string;
      readonly next: "same-offer" | "other-offer" | "nothing";
      readonly waitMs?: number;
    }
  | { readonly kind: "denied"; readonly reason: string }
  | { readonly kind: "failed"; readonly reason: string; readonly resourceIds: readonly string[] }
  | { readonly kind: "unknown"; readonly reason: string };

/** A purchase of ours, as the journal knows it. */
export interface Purchase {
  readonly offerId: string;
  readonly leaseName: string;
  readonly resourceIds: readonly string[];
  /** When the request was sent, milliseconds since the epoch. */
  readonly sent?: number;
}

/** How far a purchase has come. `none` and `expired`: the marketplace shows no sign of a purchase. */
export interface Progress {
  readonly phase: "none" | "expired" | "pending" | "ready" | "failed";
  /** The marketplace's own words, for the log. */
  readonly detail: string;
  readonly addresses: readonly Address[];
}

/** A part of a machine (disk, address) that the marketplace lists with it; `attached` until the machine has let go of it. */
export interface LinkedResource {
  readonly id: string;
  readonly kind: string;
  readonly attached: boolean;
}

/** `absent` is a 404 in the API's own form; whatever cannot be read is thrown instead, for it proves nothing. */
export type ResourceReading =
  | {
      readonly state: "alive";
      readonly status: string;
      readonly name?: string;
      /** The name is that of another lease: it must not be touched, whoever told us its id. */
      readonly isAnothers: (leaseName: string) => boolean;
      /** USD an hour; 0 means that it does not bill. */
      readonly pricePerHour?: number;
      /** Its offer history names the offer of this purchase. */
      readonly fromOffer: (offerId: string) => boolean;
      readonly linked: readonly LinkedResource[];
    }
  | { readonly state: "deleted"; readonly linked: readonly LinkedResource[] }
  | { readonly state: "absent" };

/**
 * What a marketplace lists for a purchase. `doubtful` ones may belong to somebody else: never delete these. `soldToAnother`: the
 * offer's machine carries another lease's name.
 */
export interface Holdings {
  readonly soldToAnother: boolean;
  readonly ours: readonly { readonly id: string; readonly status: string; readonly name?: string }[];
  /** Ids of ours that read as deleted. */
  readonly deleted: readonly string[];
  readonly doubtful: readonly { readonly id: string; readonly why: string }[];
}

/** `pricePerHour` is what all of the offer costs now, in USD, where the marketplace tells. */
export interface Standing {
  readonly state: "available" | "sold" | "failed" | "expired" | "unknown";
  readonly pricePerHour?: number;
}

/** Commands that a person can paste to delete a resource, or to list those of an offer. They hold no secret. */
export interface ManualCommands {
  toDelete(resourceId: string): string;
  toList(offerId: string): string;
}

/**
 * What a marketplace has to be able to do. A create that fails must be reported as `refused` only when nothing was bought;
 * a delete that fails means that the machine still exists. Every method but `buy` may be repeated, rejects with
 * MarketFailure or TokenFailure, and ends when its signal fires.
 */
export interface Market {
  readonly name: ProviderName;
  readonly byHand: ManualCommands;
  /** Offers for a wish, cheapest first as far as the marketplace sorts; not yet filtered on our side. */
  search(wish: Wish, signal?: AbortSignal): Promise<readonly Offer[]>;
  /** Why nothing can match, a sentence for each reason that the marketplace's catalogue shows; empty when it shows none. */
  explain(wish: Wish, signal?: AbortSignal): Promise<readonly string[]>;
  /** How an offer stands right now; `unknown` when the marketplace does not say. */
  standing(offerId: string, signal?: AbortSignal): Promise<Standing>;
  /** Sends one purchase. Never repeated and never aborted; never rejects. */
  buy(order: PurchaseOrder): Promise<PurchaseAnswer>;
  /** How far a purchase has come; addresses are only those of what is ours. */
  progress(purchase: Purchase, signal?: AbortSignal): Promise<Progress>;
  /** Everything alive that stems from a purchase. */
  holdings(purchase: Purchase, signal?: AbortSignal): Promise<Holdings>;
  read(resourceId: string, signal?: AbortSignal): Promise<ResourceReading>;
  /** Asks for a deletion; resolves when the marketplace took the request, or says that there is nothing (left) to delete. */
  erase(resourceId: string, signal?: AbortSignal): Promise<"accepted" | "already-gone" | "absent">;
  /** Closes connections, so that the process can end. */
  close(): Promise<void>;
}
