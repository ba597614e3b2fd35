import type { Reply } from "../reply.ts";
import { type Account, type Sale, type StandOffer, type StandResource, totalPriceOf } from "./account.ts";

/** What the published pages leave open, and a client has to survive. The first value of each is the default. */
export interface Manner {
  /** Envelope of `GET /resources`. */
  readonly resourceList?: "resources" | "bare" | "items" | "data";
  /** `GET /resources?offer_id=` lists everything when false. */
  readonly filtersByOffer?: boolean;
  readonly offerHistory?: boolean;
  /** `only-listed`: no reply but `GET /resources` tells the ids of what was bought. */
  readonly resourceIds?: "told" | "only-listed";
  /** Answer to a purchase that succeeds. */
  readonly procureAnswer?: "provisioning_in_progress" | "procured";
  readonly listsDeleted?: boolean;
  /** What becomes of a deleted resource when it is read. */
  readonly deletedReads?: "deleted" | "absent";
  /** Envelope of `GET /available_vendors`, `_regions` and `_contracts`. */
  readonly catalogue?: "bare" | "named";
  readonly extraFields?: boolean;
  readonly numbersAsText?: boolean;
}

const moment = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString());
const roundUsd = (usd: number) => Number(usd.toFixed(6));

export interface Replies {
  offers(shown: readonly StandOffer[], filters: unknown): Reply;
  offer(offer: StandOffer): Reply;
  sale(sale: Sale, offer: StandOffer | undefined): Reply;
  offerStatus(offer: StandOffer): Reply;
  resourceList(offerId: string | undefined): Reply;
  resource(resource: StandResource): Reply;
  gpus(): Reply;
  catalogue(name: "vendors" | "regions" | "contracts"): Reply;
}

const detail = (status: number, text: string): Reply => ({ status, body: { detail: text } });
export const offerNotFound = detail(404, "Offer not found");
export const resourceNotFound = detail(404, "Resource not found");
export const resourceAlreadyDeleted = detail(409, "Resource is already deleted");
export const brokenInside: Reply = detail(500, "Internal Server Error");

/** Writes what the account knows as the API writes it, in the given manner. `isUnderWay` tells a purchase that has gone some way from one that has just begun. */
export function createReplies(account: Account, manner: Manner, isUnderWay: (offer: StandOffer) => boolean): Replies {
  const usd = (value: number) => (manner.numbersAsText ? roundUsd(value).toFixed(4) : roundUsd(value));
  const ok = (body: object): Reply => ({ status: 200, body });
  const extend = (body: object) =>
    manner.extraFields ? { ...body, x_added_later: { tier: 2, notes: ["unknown to you"] } } : body;
  const stateOf = (offer: StandOffer) => (account.isExpired(offer) ? "expired" : offer.state);
  const machinesOf = (offer: StandOffer) => offer.resourceIds.flatMap((id) => account.resource(id) ?? []);
  const idsOf = (offer: StandOffer) => (manner.resourceIds === "only-listed" ? {} : { resource_ids: offer.resourceIds });

  const describeOffer = (offer: StandOffer) => ({
    offer_id: offer.id,
    gpu_type: offer.entry.gpuType,
    gpu_family: offer.entry.gpuFamily,
    gpu_count: offer.entry.gpuCount,
    vendor: offer.entry.vendor,
    region: offer.entry.region,
    vendor_region: offer.entry.vendorRegion,
    contract_type: offer.entry.contractType,
    type: offer.entry.kind ?? "vm",
    gpu_price_per_hour: usd(offer.entry.pricePerGpuHour),
    storage_price_per_hour: usd(totalPriceOf(offer.entry) - offer.entry.pricePerGpuHour * offer.entry.gpuCount),
    total_price_per_hour: usd(totalPriceOf(offer.entry)),
    boot_disk_in_gb: 100,
    vcpu_count: 16 * offer.entry.gpuCount,
    memory_in_gb: 128 * offer.entry.gpuCount,
    storage_details: [],
    created_at: moment(offer.createdAt),
    expires_at: moment(offer.expiresAt),
  });

  const accessOf = ({ machine, status }: StandResource) => {
    if (!machine || status !== "running") return { external_ip: null, internal_ip: null, ssh_command: null, ssh_port: null };
    const { host, port, user = "root" } = machine;
    const command = port === 22 ? `ssh ${user}@${host}` : `ssh ${user}@${host} -p ${port}`;
    return { external_ip: host, internal_ip: "10.0.0.7", ssh_command: command, ssh_port: port };
  };

  const describeResource = (resource: StandResource) =>
    extend({
      resource_id: resource.id,
      resource_type: resource.type,
      vendor: resource.vendor,
      vendor_region: resource.vendorRegion,
      name: resource.name ?? null,
      status: resource.status,
      status_message: resource.statusMessage ?? null,
      access: accessOf(resource),
      spec: {},
      linked_resources: resource.parts.map(({ resource: part }) => ({
        resource_id: part.id,
        resource_type: part.type,
        status: part.status,
        link_type: "attached",
        linked_since: moment(part.createdAt),
        name: part.name ?? null,
        linked_until: null,
      })),
      ...(manner.offerHistory === false
        ? {}
        : {
            offer_history:
              resource.offerId === undefined
                ? []
                : [{ offer_id: resource.offerId, offer_type: "vm", role: "primary", created_at: moment(resource.createdAt) }],
          }),
      pricing_total_hourly: usd(resource.pricePerHour),
      created_at: moment(resource.createdAt),
      last_synced_at: moment(resource.createdAt),
    });

  const procurementOf = (offer: StandOffer): string => {
    if (offer.state === "available") return "available";
    const machine = machinesOf(offer)[0];
    if (offer.failure !== undefined || !machine) return "failed";
    if (machine.machine) return "ready";
    return isUnderWay(offer) ? "provisioning_in_progress" : "provisioning_started";
  };

  return {
    offers: (shown, filters) =>
      ok({ offers: shown.map((offer) => extend(describeOffer(offer))), total_count: shown.length, filters_applied: filters }),
    offer: (offer) => ok(extend({ ...describeOffer(offer), status: stateOf(offer), procured_at: moment(offer.procuredAt) })),
    sale(sale, offer) {
      if (sale === "unknown-offer" || !offer) return offerNotFound;
      if (sale === "expired") return detail(410, "Offer has expired");
      if (sale === "taken") return detail(409, "Offer is no longer available");
      if (sale === "failed")
        return ok(
          extend({ offer_id: offer.id, status: "failed", procured_at: null, resource_ids: null, error: offer.failure ?? null }),
        );
      if (manner.procureAnswer === "procured")
        return ok(
          extend({ offer_id: offer.id, status: "procured", procured_at: moment(offer.procuredAt), ...idsOf(offer), error: null }),
        );
      return ok(
        extend({ offer_id: offer.id, status: "provisioning_in_progress", procured_at: null, resource_ids: null, error: null }),
      );
    },
    offerStatus(offer) {
      const machines = machinesOf(offer);
      const running = machines.filter((machine) => machine.status === "running").length;
      return ok(
        extend({
          offer_id: offer.id,
          status: stateOf(offer),
          created_at: moment(offer.createdAt),
          procurement_status: procurementOf(offer),
          ...idsOf(offer),
          instances: machines.map((machine) => ({ ...accessOf(machine), status: machine.status })),
          progress: `${running}/${machines.length} instances running`,
          failure_reason: offer.failure ?? null,
          procured_at: moment(offer.procuredAt),
        }),
      );
    },
    resourceList(offerId) {
      const rows = account
        .resources()
        .filter((resource) => resource.status !== "deleted" || manner.listsDeleted === true)
        .filter((resource) => offerId === undefined || manner.filtersByOffer === false || resource.offerId === offerId)
        .map(describeResource);
      if (manner.resourceList === "bare") return ok(rows);
      return ok({ [manner.resourceList ?? "resources"]: rows, total_count: rows.length });
    },
    resource: (resource) =>
      resource.status === "deleted" && manner.deletedReads === "absent" ? resourceNotFound : ok(describeResource(resource)),
    gpus() {
      const families: Record<string, string[]> = {};
      for (const { gpuFamily, gpuType } of account.stock)
        families[gpuFamily] = [...new Set([...(families[gpuFamily] ?? []), gpuType])];
      return ok(families);
    },
    catalogue(name) {
      const field = { vendors: "vendor", regions: "region", contracts: "contractType" } as const;
      const values = [...new Set(account.stock.map((entry) => entry[field[name]]))].sort();
      return ok(manner.catalogue === "named" ? { [name]: values } : values);
    },
  };
}
