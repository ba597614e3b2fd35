import { randomUUID } from "node:crypto";
import type { Deletion, Ledger } from "../ledger.ts";
import type { Timers } from "../timers.ts";
import type { WorldClock } from "../world-clock.ts";
import type { OffersQuery } from "./offers-query.ts";
import type { Conduct, StockEntry } from "./stock.ts";

/** An offer that was shown to somebody. Moments are milliseconds since the epoch in the world's time. */
export interface StandOffer {
  readonly id: string;
  readonly entry: StockEntry;
  readonly createdAt: number;
  readonly expiresAt: number;
  state: "available" | "procured" | "failed";
  procuredAt?: number;
  failure?: string;
  readonly resourceIds: string[];
}

export interface StandResource {
  readonly id: string;
  readonly type: string;
  readonly vendor: string;
  readonly vendorRegion: string;
  readonly name?: string;
  readonly offerId?: string;
  readonly createdAt: number;
  readonly pricePerHour: number;
  readonly conduct: Conduct;
  /** Parts that were made with it. */
  readonly parts: { readonly resource: StandResource; readonly fate: "follows" | "outlives" }[];
  status: "provisioning" | "running" | "failed" | "deleting" | "deleted";
  statusMessage?: string;
  machine?: BootedMachine;
  refusedDeletions: number;
}

export interface BootOrder {
  readonly resourceId: string;
  readonly offer: StandOffer;
  readonly sshPublicKey: string;
  readonly cloudInit?: string;
}

export interface BootedMachine {
  readonly host: string;
  readonly port: number;
  /** `root` unless told. */
  readonly user?: string;
  stop(): Promise<void>;
}

export type BootMachine = (order: BootOrder) => Promise<BootedMachine>;

/** A machine that was in the account before anybody came. */
export interface Stranger {
  readonly name?: string;
  readonly offerId?: string;
  readonly pricePerHour?: number;
}

export interface AccountOptions {
  readonly stock: readonly StockEntry[];
  readonly clock: WorldClock;
  readonly ledger: Ledger;
  readonly timers: Timers;
  readonly bootMachine: BootMachine;
  readonly strangers: readonly Stranger[];
  /** Everybody is shown the same offer ids, as jobs of a matrix may be. */
  readonly sharesOffers: boolean;
  readonly keepsNames: boolean;
  /** World milliseconds. */
  readonly offerLifetimeMs: number;
  /** Real milliseconds. */
  readonly provisionMs: number;
  readonly deleteMs: number;
}

export interface Order {
  readonly offerId: string;
  readonly sshPublicKey: string;
  readonly cloudInit?: string;
  readonly name?: string;
  readonly buyer: string;
}

export type Sale = "sold" | "failed" | "expired" | "taken" | "unknown-offer";
export type Erasure = "accepted" | "already-deleted" | "broken" | "unknown-resource";

/** The marketplace's side of one account: what is offered, what was bought, what still exists. */
export interface Account {
  readonly stock: readonly StockEntry[];
  /** Shows offers, cheapest first. */
  show(query: OffersQuery): readonly StandOffer[];
  offer(id: string): StandOffer | undefined;
  isExpired(offer: StandOffer): boolean;
  procure(order: Order): Sale;
  resources(): readonly StandResource[];
  resource(id: string): StandResource | undefined;
  erase(id: string, deletion: Deletion): Erasure;
  /** Takes a machine back, as happens to spot machines: it fails. Throws when there is none. */
  reclaim(id: string): void;
  /** Why machines did not boot. */
  bootFailures(): readonly unknown[];
  /** Stops every machine that still runs. The ledger is left as it is. */
  close(): Promise<void>;
}

/** USD an hour for the whole offer: GPUs, storage and parts. */
export function totalPriceOf(entry: StockEntry): number {
  const parts = (entry.parts ?? []).reduce((sum, part) => sum + part.pricePerHour, 0);
  return entry.pricePerGpuHour * entry.gpuCount + (entry.storagePricePerHour ?? 0) + parts;
}

function fits(entry: StockEntry, { compute, vendor, region }: OffersQuery): boolean {
  return (
    [entry.gpuFamily, entry.gpuType].includes(compute.gpu_type) &&
    entry.gpuCount === compute.gpu_count &&
    entry.pricePerGpuHour <= (compute.max_price_per_gpu_hour ?? Number.POSITIVE_INFINITY) &&
    entry.contractType === (compute.contract_type ?? entry.contractType) &&
    entry.vendor === (vendor ?? entry.vendor) &&
    entry.region === (region ?? entry.region)
  );
}

export function openAccount(options: AccountOptions): Account {
  const { clock, ledger, timers } = options;
  const offers = new Map<string, StandOffer>();
  const shared = new Map<StockEntry, StandOffer>();
  const resources = new Map<string, StandResource>();
  const bootFailures: unknown[] = [];
  const stopping = new Set<Promise<void>>();
  const isExpired = (offer: StandOffer) => offer.state === "available" && clock.now() >= offer.expiresAt;

  const stop = (machine: BootedMachine) => {
    const stopped = machine.stop().catch((error: unknown) => {
      bootFailures.push(error);
    });
    stopping.add(stopped);
    void stopped.then(() => stopping.delete(stopped));
  };

  const bear = (
    buyer: string,
    born: Pick<StandResource, "type" | "vendor" | "vendorRegion" | "pricePerHour" | "conduct" | "status"> & {
      name?: string;
      offerId?: string;
    },
  ): StandResource => {
    const resource: StandResource = { ...born, id: randomUUID(), createdAt: clock.now(), parts: [], refusedDeletions: 0 };
    resources.set(resource.id, resource);
    ledger.recordBirth({
      id: resource.id,
      kind: resource.type,
      boughtBy: buyer,
      pricePerHour: resource.pricePerHour,
      ...(resource.name === undefined ? {} : { name: resource.name }),
      ...(resource.offerId === undefined ? {} : { offerId: resource.offerId }),
    });
    return resource;
  };

  for (const stranger of options.strangers)
    bear("stranger", {
      type: "vm",
      vendor: "nebius",
      vendorRegion: "eu-north1",
      pricePerHour: 1,
      conduct: {},
      status: "running",
      ...stranger,
    });

  const offerOf = (entry: StockEntry): StandOffer => {
    const known = shared.get(entry);
    if (options.sharesOffers && known?.state === "available" && !isExpired(known)) return known;
    const createdAt = clock.now();
    const offer: StandOffer = {
      id: randomUUID(),
      entry,
      createdAt,
      expiresAt: createdAt + options.offerLifetimeMs,
      state: "available",
      resourceIds: [],
    };
    offers.set(offer.id, offer);
    shared.set(entry, offer);
    return offer;
  };

  const makeMachine = (offer: StandOffer, order: Order, status: "provisioning" | "failed"): StandResource => {
    const { entry } = offer;
    const common = { vendor: entry.vendor, vendorRegion: entry.vendorRegion, offerId: offer.id };
    const parts = entry.parts ?? [];
    const machine = bear(order.buyer, {
      ...common,
      type: "vm",
      pricePerHour: totalPriceOf(entry) - parts.reduce((sum, part) => sum + part.pricePerHour, 0),
      conduct: entry.conduct ?? {},
      status,
      ...(options.keepsNames && order.name !== undefined ? { name: order.name } : {}),
    });
    for (const part of parts) {
      const resource = bear(order.buyer, {
        ...common,
        type: part.type,
        pricePerHour: part.pricePerHour,
        conduct: {},
        status: "running",
      });
      machine.parts.push({ resource, fate: part.fate });
    }
    offer.resourceIds.push(machine.id);
    return machine;
  };

  const boot = async (machine: StandResource, offer: StandOffer, order: Order) => {
    try {
      const [booted] = await Promise.all([
        options.bootMachine({
          resourceId: machine.id,
          offer,
          sshPublicKey: order.sshPublicKey,
          ...(order.cloudInit === undefined ? {} : { cloudInit: order.cloudInit }),
        }),
        new Promise<void>((resolve) => timers.later(options.provisionMs, resolve)),
      ]);
      if (machine.status !== "provisioning") return stop(booted);
      machine.machine = booted;
      machine.status = "running";
    } catch (error) {
      // A machine that cannot be started is one that the vendor failed to provision; the test reads why in bootFailures.
      bootFailures.push(error);
      if (machine.status === "provisioning") failMachine(machine, offer, "instance failed to start");
    }
  };

  const failMachine = (machine: StandResource, offer: StandOffer, reason: string) => {
    machine.status = "failed";
    machine.statusMessage = reason;
    offer.failure = reason;
  };

  const finishDeletion = (resource: StandResource, deletion: Deletion) => {
    if (resource.status === "deleted") return;
    resource.status = "deleted";
    ledger.recordDeletion(resource.id, deletion);
    if (resource.machine) stop(resource.machine);
    for (const part of resource.parts) if (part.fate === "follows") finishDeletion(part.resource, deletion);
  };

  return {
    stock: options.stock,
    show: (query) =>
      options.stock
        .filter((entry) => fits(entry, query))
        .sort((one, other) => one.pricePerGpuHour - other.pricePerGpuHour)
        .map(offerOf),
    offer: (id) => offers.get(id),
    isExpired,
    procure(order) {
      const offer = offers.get(order.offerId);
      if (!offer) return "unknown-offer";
      const { sale, provisioning } = offer.entry.conduct ?? {};
      if (sale === "expired" || isExpired(offer)) return "expired";
      if (sale === "taken" || offer.state !== "available") return "taken";
      if (sale === "fails" || sale === "fails-half-born") {
        offer.state = "failed";
        offer.failure = "vendor out of capacity";
        if (sale === "fails-half-born") makeMachine(offer, order, "failed");
        return "failed";
      }
      offer.state = "procured";
      offer.procuredAt = clock.now();
      const machine = makeMachine(offer, order, "provisioning");
      if (provisioning === "fails")
        timers.later(options.provisionMs, () => {
          if (machine.status === "provisioning") failMachine(machine, offer, "vendor could not start the instance");
        });
      else if (provisioning !== "never") void boot(machine, offer, order);
      return "sold";
    },
    resources: () => [...resources.values()],
    resource: (id) => resources.get(id),
    erase(id, deletion) {
      const resource = resources.get(id);
      if (!resource) return "unknown-resource";
      if (resource.status === "deleted") return "already-deleted";
      const conduct = resource.conduct.deletion;
      const refusals =
        conduct === "answers-500" ? Number.POSITIVE_INFINITY : typeof conduct === "object" ? conduct.answers500 : 0;
      if (resource.refusedDeletions < refusals) {
        resource.refusedDeletions += 1;
        return "broken";
      }
      if (conduct === "accepted-but-runs" || resource.status === "deleting") return "accepted";
      resource.status = "deleting";
      timers.later(options.deleteMs, () => finishDeletion(resource, deletion));
      return "accepted";
    },
    reclaim(id) {
      const resource = resources.get(id);
      const offer = offers.get(resource?.offerId ?? "");
      if (!resource || !offer || resource.status === "deleted") throw new Error(`There is no machine '${id}' to take back.`);
      failMachine(resource, offer, "the vendor took the instance back");
      if (resource.machine) stop(resource.machine);
    },
    bootFailures: () => bootFailures,
    async close() {
      for (const resource of resources.values()) {
        if (resource.status !== "deleted" && resource.machine) stop(resource.machine);
        // A boot that is still under way ends in a machine that nobody wants any more.
        resource.status = "deleted";
      }
      await Promise.all(stopping);
    },
  };
}
