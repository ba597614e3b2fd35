import type { Address } from "../lease/address.ts";
import type { Clock } from "../lease/clock.ts";
import type { Listed } from "../lease/expired.ts";
import type { Log } from "../lease/log.ts";
import type { Offer } from "../lease/offer.ts";
import type { ContainerWish, Wish } from "../lease/plan.ts";
import type { ProviderFacts } from "../lease/provider-facts.ts";

/** What a purchase request says. `cloudInit` is at most 64,000 bytes; containers have none. */
export interface PurchaseOrder {
  readonly offerId: string;
  readonly leaseName: string;
  readonly sshPublicKey: string;
  readonly cloudInit?: string;
}

/**
 * How a purchase ended, as far as its own answer tells.
 * - `accepted`: the machine is being made; `resourceIds` may be empty yet
 * - `refused`: nothing was bought, provably; `next` says what can still be tried. `lostRace`: somebody else was faster, which says
 *   nothing against us or the market
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
      readonly lostRace?: boolean;
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
  /** Published ports beside SSH, as the outside reaches them: `{"8888/http": "https://…"}`. */
  readonly endpoints?: Readonly<Record<string, string>>;
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
      /** By what else than its name the marketplace shows that it is this lease's; undefined when it does not. */
      readonly markOf?: (leaseName: string) => string | undefined;
      /** The name is that of another lease: it must not be touched, whoever told us its id. */
      readonly isAnothers: (leaseName: string) => boolean;
      /** USD an hour; 0 means that it does not bill. */
      readonly pricePerHour?: number;
      /** Its offer history names the offer of this purchase. */
      readonly fromOffer: (offerId: string) => boolean;
      readonly linked: readonly LinkedResource[];
    }
  | {
      readonly state: "deleted";
      readonly linked: readonly LinkedResource[];
      /** What it has cost in all, where the marketplace says so: hours at its price, fees among them, and its own words. */
      readonly bill?: { readonly hours: number; readonly text: string };
    }
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

/** What stories have to know of how a marketplace works. */
export interface Traits extends Pick<ProviderFacts, "rents" | "keepsNames"> {
  /** Offers within this share of the cheapest are as good: jobs that ask at the same time then do not all want the same one. */
  readonly spread: number;
  /** Milliseconds after a lost answer within which a purchase that was made shows itself. */
  readonly showsWithin: number;
}

/** Everything that a client of a marketplace is made of. `container` is there when a purchase is to be made. */
export interface MarketOptions {
  readonly token: string;
  /** Without a trailing slash. */
  readonly apiUrl: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly container?: ContainerWish;
}

/** A marketplace, as its folder offers it to the registry. */
export interface Marketplace {
  readonly facts: ProviderFacts;
  readonly open: (options: MarketOptions) => Market;
  /** For when there is no token to open it with. */
  readonly byHand: (apiUrl: string) => ManualCommands;
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
  readonly name: string;
  readonly traits: Traits;
  readonly byHand: ManualCommands;
  /** Offers for a wish, cheapest first as far as the marketplace sorts; not yet filtered on our side. */
  search(wish: Wish, signal?: AbortSignal): Promise<readonly Offer[]>;
  /** Why nothing can match, a sentence for each reason that the marketplace's catalogue shows; empty when it shows none. */
  explain(wish: Wish, signal?: AbortSignal): Promise<readonly string[]>;
  /** How an offer stands right now; `unknown` when the marketplace does not say. */
  standing(offerId: string, signal?: AbortSignal): Promise<Standing>;
  /** Sends one purchase. Never repeated and never aborted once it has left, which the signal prevents; never rejects. */
  buy(order: PurchaseOrder, signal?: AbortSignal): Promise<PurchaseAnswer>;
  /** How far a purchase has come; addresses are only those of what is ours. */
  progress(purchase: Purchase, signal?: AbortSignal): Promise<Progress>;
  /** Everything alive that stems from a purchase. */
  holdings(purchase: Purchase, signal?: AbortSignal): Promise<Holdings>;
  /** All of the account's machines that live, page by page. What is somebody else's is listed, too. */
  census(signal?: AbortSignal): AsyncIterable<readonly Listed[]>;
  read(resourceId: string, signal?: AbortSignal): Promise<ResourceReading>;
  /** Asks for a deletion; resolves when the marketplace took the request, or says that there is nothing (left) to delete. */
  erase(resourceId: string, signal?: AbortSignal): Promise<"accepted" | "already-gone" | "absent">;
  /** Milliseconds to the next of some regular requests, at least `wanted`: longer while the marketplace asks for fewer. */
  pace(wanted: number): number;
  /** Milliseconds so far that were spent waiting because it asked for fewer requests. */
  heldUp(): number;
  /** Closes connections, so that the process can end. */
  close(): Promise<void>;
}
