import { readLeaseName } from "../../lease/name.ts";
import type { Purchase } from "../provider.ts";
import type { ResourceReply } from "./replies.ts";

/**
 * Whose a listed resource is. Jobs of a matrix share one account and can even be shown the same offer, so the name decides
 * first: a resource that carries another lease's name is a sibling's, whatever offer it stems from. Without names the offer
 * decides, where the row says so itself (`offer_history`) or the list is known to be filtered by offer.
 */
export function ownerOf(row: ResourceReply, purchase: Purchase, listIsFiltered: boolean): "ours" | "another" | "unclear" {
  if (purchase.resourceIds.includes(row.resource_id) || row.name === purchase.leaseName) return "ours";
  if (row.name !== undefined && readLeaseName(row.name) !== undefined) return "another";
  if (row.offer_history.length > 0) return isFromOffer(row, purchase.offerId) ? "ours" : "another";
  return listIsFiltered ? "ours" : "unclear";
}

export function isFromOffer(row: ResourceReply, offerId: string): boolean {
  return row.offer_history.some((entry) => entry.offer_id.toLowerCase() === offerId.toLowerCase());
}
