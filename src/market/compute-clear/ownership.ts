import { readLeaseName } from "../../lease/name.ts";
import type { Purchase } from "../provider.ts";
import type { ResourceReply } from "./replies.ts";

/** Two machines' clocks need not agree; a resource that is older than the request by more than this is not its effect. */
const SKEW = 60_000;

/**
 * Whose a resource is. Jobs of a matrix share one account and can even be shown the same offer, so the name decides first: a
 * resource that carries another lease's name is a sibling's, whatever else speaks for us. Without names, the id that the purchase's
 * own answer told decides, then the offer, where the row says so itself (`offer_history`) or the list is known to be filtered by it.
 */
export function ownerOf(row: ResourceReply, purchase: Purchase, listIsFiltered: boolean): "ours" | "another" | "unclear" {
  if (row.name === purchase.leaseName) return "ours";
  if (isAnothers(row.name, purchase)) return "another";
  if (purchase.resourceIds.some((id) => isSameId(id, row.resource_id))) return "ours";
  if (row.created_at !== undefined && purchase.sent !== undefined && row.created_at < purchase.sent - SKEW) return "another";
  if (row.offer_history.length > 0) return isFromOffer(row, purchase.offerId) ? "ours" : "another";
  return listIsFiltered ? "ours" : "unclear";
}

/** The name is that of another lease. */
export function isAnothers(name: string | undefined, purchase: Pick<Purchase, "leaseName">): boolean {
  return name !== undefined && name !== purchase.leaseName && readLeaseName(name) !== undefined;
}

export function isFromOffer(row: ResourceReply, offerId: string): boolean {
  return row.offer_history.some((entry) => isSameId(entry.offer_id, offerId));
}

function isSameId(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
