import type * as z from "zod";
import type { Address } from "../../lease/address.ts";
import type { Offer } from "../../lease/offer.ts";
import { plain } from "../../lease/plain.ts";
import type { LinkedResource, Progress } from "../provider.ts";
import type { InstanceReply, offersReply, ResourceReply, statusReply } from "./replies.ts";

type OfferRow = z.output<typeof offersReply>[number];
type StatusReply = z.output<typeof statusReply>;

/**
 * `gpu_price_per_hour` is per GPU and includes the boot disk; the total adds storage where it is given. An offer that tells no
 * price at all is undefined.
 */
export function toOffer(row: OfferRow, asked: { gpuType: string }): Offer | undefined {
  const gpuCount = row.gpu_count ?? 1;
  const total = row.total_price_per_hour;
  const pricePerGpuHour = row.gpu_price_per_hour ?? (total === undefined ? undefined : total / gpuCount);
  if (pricePerGpuHour === undefined) return undefined;
  const gpuType = row.gpu_type ?? asked.gpuType;
  return {
    id: row.offer_id,
    gpuType,
    gpuFamily: row.gpu_family ?? gpuType,
    gpuCount,
    vendor: row.vendor ?? "unknown",
    region: row.region ?? "unknown",
    pricePerGpuHour,
    pricePerHour: total ?? pricePerGpuHour * gpuCount + (row.storage_price_per_hour ?? 0),
    ...(row.contract_type === undefined ? {} : { contractType: row.contract_type }),
    ...(row.expires_at === undefined ? {} : { expiresAt: row.expires_at }),
    ...(row.type === undefined ? {} : { kind: row.type }),
  };
}

/**
 * The documents name two vocabularies for `procurement_status`; only `ready` and `failed` stand in both, so every other
 * state counts as under way, but for an offer that reads as still for sale.
 */
export function toProgress(reply: StatusReply): Progress {
  const procurement = reply.procurement_status?.toLowerCase();
  const offer = reply.status?.toLowerCase();
  const resourceIds = [
    ...new Set([
      ...reply.resource_ids,
      ...reply.resources,
      ...reply.instances.flatMap((one) => (one.resource_id === undefined ? [] : [one.resource_id])),
    ]),
  ];
  const reason = reply.failure_reason ?? reply.error ?? reply.status_message;
  const words = [procurement ?? offer ?? "no state given", reply.progress ?? reply.progress_message, reason];
  return {
    phase: phaseOf(procurement, offer, resourceIds.length + reply.instances.length > 0),
    detail: plain(words.filter((word) => word !== undefined).join(", "), 200),
    addresses: reply.instances.flatMap((one) => toAddress(one) ?? []),
    resourceIds,
  };
}

function phaseOf(procurement: string | undefined, offer: string | undefined, born: boolean): Progress["phase"] {
  if (procurement === "ready") return "ready";
  if (procurement === "failed" || offer === "failed") return "failed";
  if (!born && (offer === "expired" || procurement === "expired")) return "expired";
  const untouched = procurement === undefined || procurement === "available" || procurement === "pending";
  if (!born && untouched && (offer === "available" || (offer === undefined && procurement === "available"))) return "none";
  return "pending";
}

const SSH_COMMAND = /^\s*ssh\s+(.*)$/;

/** Where an instance listens. The published example is `ssh root@1.2.3.4`; other ports come as `-p N`. */
export function toAddress(instance: InstanceReply): Address | undefined {
  const { access } = instance;
  const command = SSH_COMMAND.exec(instance.ssh_command ?? access?.ssh_command ?? "")?.[1] ?? "";
  const [, commandUser, commandHost] = /(?:^|\s)([A-Za-z_][\w.-]*)@(\S+)/.exec(command) ?? [];
  const commandPort = /(?:^|\s)-p\s*(\d{1,5})(?:\s|$)/.exec(command)?.[1];
  const host = instance.external_ip ?? instance.public_ip ?? instance.ip ?? access?.external_ip ?? commandHost;
  if (host === undefined || host === "") return undefined;
  return {
    host,
    port: commandPort === undefined ? (instance.ssh_port ?? access?.ssh_port ?? 22) : Number(commandPort),
    user: commandUser ?? "root",
  };
}

export function isAlive(status: string | undefined): boolean {
  return status?.toLowerCase() !== "deleted";
}

/** Parts of a machine that are not deleted. A vendor may let go of a disk at the end of its machine, and bill it on. */
export function toLinked(row: ResourceReply): readonly LinkedResource[] {
  return row.linked_resources.flatMap((linked) => {
    const id = linked.resource_id ?? linked.id;
    if (id === undefined || !isAlive(linked.status)) return [];
    return [{ id, kind: plain(linked.resource_type ?? "resource", 40), attached: linked.linked_until === undefined }];
  });
}
