import type * as z from "zod";
import type { Address } from "../../lease/address.ts";
import type { Offer } from "../../lease/offer.ts";
import { plain } from "../../lease/plain.ts";
import type { LinkedResource, Progress } from "../provider.ts";
import type { InstanceReply, offersReply, ResourceReply, statusReply } from "./replies.ts";

type OfferRow = z.output<typeof offersReply>[number];
export type StatusReply = z.output<typeof statusReply>;

/**
 * `gpu_price_per_hour` is per GPU and includes the boot disk; the total adds storage where it is given. Where the two disagree the
 * dearer one counts. Undefined for an offer that tells no price, or none above 0: nobody gives GPUs away.
 */
export function toOffer(row: OfferRow, asked: { gpuType: string }): Offer | undefined {
  const gpuCount = row.gpu_count ?? 1;
  const pricePerHour = priceOf({ ...row, gpu_count: gpuCount });
  if (pricePerHour === undefined) return undefined;
  const gpuType = row.gpu_type ?? asked.gpuType;
  const isCluster = (row.node_count ?? 1) > 1 || /cluster/i.test(row.deployment_type ?? "");
  const kind = isCluster ? "cluster" : row.type?.toLowerCase();
  return {
    id: row.offer_id,
    gpuType,
    gpuFamily: row.gpu_family ?? gpuType,
    gpuCount,
    vendor: row.vendor ?? "unknown",
    region: row.region ?? "unknown",
    pricePerHour,
    ...(row.contract_type === undefined ? {} : { contractType: row.contract_type }),
    ...(row.expires_at === undefined ? {} : { expiresAt: row.expires_at }),
    ...(kind === undefined ? {} : { kind }),
  };
}

/** USD an hour for all of an offer. */
export function priceOf(row: {
  readonly gpu_count?: number | undefined;
  readonly gpu_price_per_hour?: number | undefined;
  readonly total_price_per_hour?: number | undefined;
  readonly storage_price_per_hour?: number | undefined;
}): number | undefined {
  const gpus = (row.gpu_price_per_hour ?? 0) * (row.gpu_count ?? 1);
  const price = Math.max(row.total_price_per_hour ?? gpus + (row.storage_price_per_hour ?? 0), gpus);
  return price > 0 ? price : undefined;
}

/**
 * The documents name two vocabularies for `procurement_status`; only `ready` and `failed` stand in both, so every other
 * state counts as under way, but for an offer that reads as still for sale.
 */
export function toProgress(reply: StatusReply, resourceIds: readonly string[]): Progress {
  const procurement = reply.procurement_status?.toLowerCase();
  const offer = reply.status?.toLowerCase();
  const reason = reply.failure_reason ?? reply.error ?? reply.status_message;
  const words = [procurement ?? offer ?? "no state given", reply.progress ?? reply.progress_message, reason];
  const born = idsIn(reply).length + reply.instances.length > 0;
  return {
    phase: phaseOf(procurement, offer, born),
    detail: plain(words.filter((word) => word !== undefined).join(", "), 200),
    addresses: ourInstances(reply, resourceIds).flatMap((one) => toAddress(one) ?? []),
  };
}

/** Ids of everything that an offer's state tells of; an offer that is shown to several buyers tells of all their machines. */
export function idsIn(reply: StatusReply): readonly string[] {
  const ofInstances = reply.instances.flatMap((one) => (one.resource_id === undefined ? [] : [one.resource_id]));
  return [...new Set([...reply.resource_ids, ...reply.resources, ...ofInstances])];
}

/** Instances say by their resource whose they are; where they do not, they are ours unless there are more than we bought. */
function ourInstances(reply: StatusReply, resourceIds: readonly string[]): readonly InstanceReply[] {
  if (resourceIds.length === 0) return reply.instances.length === 1 ? reply.instances : [];
  const named = reply.instances.filter(({ resource_id }) => resource_id !== undefined);
  if (named.length > 0) return named.filter(({ resource_id }) => resource_id !== undefined && resourceIds.includes(resource_id));
  return reply.instances.length <= resourceIds.length ? reply.instances : [];
}

const UNTOUCHED = new Set([undefined, "available", "pending", "expired"]);

function phaseOf(procurement: string | undefined, offer: string | undefined, born: boolean): Progress["phase"] {
  if (procurement === "ready") return "ready";
  if (procurement === "failed" || offer === "failed") return "failed";
  // An offer can run out while it is being delivered: what is under way counts more.
  if (born || !UNTOUCHED.has(procurement)) return "pending";
  if (offer === "expired" || procurement === "expired") return "expired";
  return offer === "available" || (offer === undefined && procurement === "available") ? "none" : "pending";
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
