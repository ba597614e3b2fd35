import type { Deletion, Ledger } from "../ledger.ts";
import type { Timers } from "../timers.ts";
import type { WorldClock } from "../world-clock.ts";
import { RATES, type ServerEntry } from "./servers.ts";

/** A machine that was booted for an order. */
export interface BootedContainer {
  readonly host: string;
  readonly port: number;
  stop(): Promise<void>;
}

export interface OrderRequest {
  readonly currency: string;
  readonly image: string;
  readonly type: "on-demand" | "spot";
  readonly ports: Readonly<Record<string, string>>;
  readonly sshKey: string;
  /** Per day. */
  readonly price: number;
}

export interface StandOrder extends OrderRequest {
  readonly id: number;
  readonly server: ServerEntry;
  /** World milliseconds since the epoch. */
  readonly createdAt: number;
  endedAt?: number;
  ending: boolean;
  listed: boolean;
  outbid: boolean;
  machine?: BootedContainer;
}

export interface OrderBook {
  readonly orders: readonly StandOrder[];
  make(server: ServerEntry, request: OrderRequest, buyer: string): StandOrder;
  /** Lets an order end; it can linger for a while. */
  cancel(order: StandOrder, by: Deletion): void;
  /** The order ends by itself, as when a host's machine breaks. */
  lose(order: StandOrder): void;
  isTaken(server: ServerEntry): boolean;
  failures(): readonly unknown[];
  close(): Promise<void>;
}

export interface OrderBookOptions {
  readonly clock: WorldClock;
  readonly ledger: Ledger;
  readonly timers: Timers;
  readonly deployMs: number;
  readonly endMs: number;
  readonly bootContainer: (order: StandOrder) => Promise<BootedContainer>;
}

export const CREATION_FEE_USD = 0.1;

export function openOrderBook({ bootContainer, clock, deployMs, endMs, ledger, timers }: OrderBookOptions): OrderBook {
  const orders: StandOrder[] = [];
  const failures: unknown[] = [];
  const booting = new Set<Promise<void>>();
  const stop = (order: StandOrder) => {
    order.machine?.stop().catch((error: unknown) => failures.push(error));
  };
  const deploy = (order: StandOrder) => {
    const work = async () => {
      const machine = await bootContainer(order);
      if (order.endedAt !== undefined) await machine.stop();
      else order.machine = machine;
    };
    const boot = work()
      .catch((error: unknown) => {
        failures.push(error);
      })
      .finally(() => booting.delete(boot));
    booting.add(boot);
  };
  const end = (order: StandOrder, by?: Deletion) => {
    if (order.endedAt !== undefined) return;
    order.endedAt = clock.now();
    ledger.recordDeletion(String(order.id), by);
    stop(order);
  };
  return {
    orders,
    make(server, request, buyer) {
      const order: StandOrder = {
        ...request,
        id: 1_957_000 + orders.length,
        server,
        createdAt: clock.now(),
        ending: false,
        listed: server.conduct?.listedAfterMs === undefined,
        outbid: false,
      };
      orders.push(order);
      ledger.recordBirth({
        id: String(order.id),
        kind: "order",
        boughtBy: buyer,
        offerId: String(server.id),
        pricePerHour: (order.price * (RATES[order.currency] ?? 1)) / 24,
      });
      if (server.conduct?.listedAfterMs !== undefined) {
        timers.later(server.conduct.listedAfterMs, () => {
          order.listed = true;
        });
      }
      if (server.conduct?.deploys !== false) timers.later(deployMs, () => deploy(order));
      return order;
    },
    cancel(order, by) {
      order.ending = true;
      timers.later(endMs, () => end(order, by));
    },
    lose: (order) => end(order),
    isTaken: (server) =>
      orders.some((order) => order.server.id === server.id && order.endedAt === undefined && order.type === "on-demand"),
    failures: () => failures,
    async close() {
      await Promise.all(booting);
      await Promise.all(orders.map((order) => order.machine?.stop()));
    },
  };
}

/** An order as `my_orders` shows it. One that has ended keeps little. */
export function showOrder(order: StandOrder, clock: WorldClock): unknown {
  const { createdAt, currency, endedAt, id, image, machine, outbid, price, server, type } = order;
  const rate = RATES[currency] ?? 1;
  const seconds = ((endedAt ?? clock.now()) - createdAt) / 1000;
  const common = {
    id,
    si: server.id,
    ct: Math.floor(createdAt / 1000),
    image,
    currency,
    price,
    creation_fee: CREATION_FEE_USD / rate,
    spend: (price * seconds) / 86_400,
    mrl: server.mrl ?? 240,
    owner: server.owner,
    online: true,
    reliability: 0.99,
    cuda_version: "12.4",
    gpu_array: [server.gpu.replace(/^\d+x NVIDIA /, "")],
    specs: {},
    ...(type === "spot" ? { spot: true } : {}),
  };
  if (endedAt !== undefined)
    return { ...common, mon_container: 2, expired: true, order_end: Math.floor(endedAt / 1000), tcp_ports: [] };
  if (machine === undefined || outbid) return { ...common, mon_container: outbid ? 0 : 1, expired: false, tcp_ports: [] };
  const extra = Object.entries(order.ports)
    .filter(([port, kind]) => kind === "tcp" && port !== "22" && server.conduct?.showsPorts !== false)
    .map(([port], index) => `${port}:${2_000 + index}`);
  const [web] = Object.entries(order.ports).filter(([, kind]) => kind === "http");
  return {
    ...common,
    mon_container: 2,
    expired: false,
    pub_cluster: [machine.host],
    tcp_ports: [...extra, `22:${machine.port}`],
    ...(web === undefined ? {} : { http_port: web[0], http_pub: `${id}.clorecloud.test` }),
  };
}
