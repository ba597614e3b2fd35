import * as z from "zod";
import { scriptFaults } from "../faults.ts";
import { openLedger } from "../ledger.ts";
import type { MarketStand } from "../market-stand.ts";
import type { Reply } from "../reply.ts";
import type { RecordedRequest } from "../requests.ts";
import { serve } from "../serve.ts";
import { trackTimers } from "../timers.ts";
import { startWorldClock, type WorldClock } from "../world-clock.ts";
import { type BootedContainer, CREATION_FEE_USD, openOrderBook, type StandOrder, showOrder } from "./orders.ts";
import { COINS, server as oneServer, RATES, type ServerEntry, showServer } from "./servers.ts";

export interface CloreOptions {
  readonly bootContainer: (order: StandOrder) => Promise<BootedContainer>;
  readonly token?: string;
  readonly servers?: readonly ServerEntry[];
  /** In each currency, as USD; 100 unless told. */
  readonly balanceUsd?: number;
  /** Replies come under `data`. */
  readonly envelope?: "bare" | "data";
  /** World milliseconds between two requests and two orders of one key; 1,000 and 5,000. `false`: not enforced. */
  readonly rates?: { readonly request: number; readonly order: number } | false;
  /** Real milliseconds. */
  readonly deployMs?: number;
  readonly endMs?: number;
  /** Orders that have ended are not listed any more. */
  readonly forgetsEnded?: boolean;
  readonly clock?: WorldClock;
}

export interface CloreStand extends MarketStand {
  readonly orders: readonly StandOrder[];
  /** Somebody bids more for a server: the spot order on it is without it from then on. */
  outbid(serverId: number): void;
  /** Who sent a request: the first segment of the path, `lease-1`, where the base URL had one, else `ours`. */
  senderOf(request: RecordedRequest): string;
}

const orderBody = z.object({
  currency: z.string(),
  image: z.string().min(1),
  renting_server: z.int(),
  type: z.enum(["on-demand", "spot"]),
  spotprice: z.number().positive().optional(),
  ports: z.record(z.string(), z.enum(["tcp", "http"])).default({}),
  env: z.record(z.string(), z.string()).optional(),
  ssh_key: z.string().max(3072).default(""),
  command: z.string().optional(),
  required_price: z.number().optional(),
  autossh_entrypoint: z.boolean().optional(),
});

const refusal = (error: string): Reply => ({ status: 200, body: { code: 6, error } });
const badInput: Reply = { status: 400, body: { code: 2 } };
const databaseError: Reply = { status: 500, body: { code: 1 } };
const tooMany: Reply = { status: 429, body: { code: 5 } };

/** Real milliseconds by which requests may come nearer to one another than they were sent. */
const HICCUP = 40;

/** Starts a stand-in for Clore's API on a free port of loopback. */
export async function startClore(options: CloreOptions): Promise<CloreStand> {
  const clock = options.clock ?? startWorldClock();
  const token = options.token ?? "sandbox-clore-0000000000";
  const servers = options.servers ?? [oneServer(28_726, 3.92), oneServer(28_727, 4.4), oneServer(28_728, 9.6)];
  const ledger = openLedger(clock);
  const timers = trackTimers();
  const faults = scriptFaults();
  const senders = new Map<number, string>();
  const book = openOrderBook({
    clock,
    ledger,
    timers,
    deployMs: options.deployMs ?? 300,
    endMs: options.endMs ?? 200,
    bootContainer: options.bootContainer,
  });
  const takenByOthers = new Set<number>();
  const outbids = new Set<number>();
  const rates = options.rates ?? { request: 1_000, order: 5_000 };
  // Where minutes take seconds, a hiccup of this computer takes seconds, too.
  const slack = HICCUP * (clock.scale - 1);
  let lastRequest = Number.NEGATIVE_INFINITY;
  let lastOrder = Number.NEGATIVE_INFINITY;

  const fine = (body: Record<string, unknown>): Reply => ({
    status: 200,
    body: options.envelope === "data" ? { code: 0, data: body } : { ...body, code: 0 },
  });
  const isRented = (entry: ServerEntry) => entry.rented === true || takenByOthers.has(entry.id) || book.isTaken(entry);
  const balance = (coin: string) => (options.balanceUsd ?? 100) / (RATES[coin] ?? 1);

  function createOrder(request: RecordedRequest): Reply {
    const read = orderBody.safeParse(parseJson(request.body));
    if (!read.success) return badInput;
    const wish = read.data;
    if (Object.values(wish.ports).filter((kind) => kind === "http").length > 1) return badInput;
    if (Object.values(wish.env ?? {}).some((value) => value.includes("&"))) return databaseError;
    const entry = servers.find(({ id }) => id === wish.renting_server);
    if (entry === undefined) return refusal("server-dont-exist");
    const { order: conduct } = entry.conduct ?? {};
    if (conduct === "taken") takenByOthers.add(entry.id);
    if (conduct === "offline") return refusal("server-offline");
    if (conduct === "code-1") return databaseError;
    if (entry.gigaspot) return refusal("machine-is-on-gigaspot");
    if (isRented(entry)) return refusal("server-already-rented");
    const asked = wish.type === "spot" ? entry.spot?.[wish.currency] : entry.onDemand[wish.currency];
    if (asked === undefined || !(entry.coins ?? COINS).includes(wish.currency)) return refusal("currency-not-allowed");
    if (wish.type === "spot" && (wish.spotprice ?? 0) < asked) return refusal("too_low_price");
    if (wish.type === "on-demand" && wish.required_price !== undefined && wish.required_price < asked) return databaseError;
    const price = wish.type === "spot" ? (wish.spotprice ?? asked) : asked;
    if (balance(wish.currency) < CREATION_FEE_USD / (RATES[wish.currency] ?? 1)) return refusal("not_enough_balance");
    const { currency, image, ports, ssh_key: sshKey, type } = wish;
    book.make(entry, { currency, image, ports, sshKey, type, price }, senders.get(request.number) ?? "ours");
    return conduct === "code-1-but-made" ? databaseError : { status: 200, body: { code: 0 } };
  }

  function cancelOrder(request: RecordedRequest): Reply {
    const read = z.object({ id: z.int() }).safeParse(parseJson(request.body));
    if (!read.success) return badInput;
    const order = book.orders.find(({ id }) => id === read.data.id);
    if (order === undefined) return refusal("you_dont_own_this_order");
    if (order.endedAt !== undefined || order.ending) return refusal("order_not_active");
    book.cancel(order, { by: senders.get(request.number) ?? "ours", request: request.number });
    return order.server.conduct?.cancellation === undefined ? { status: 200, body: { code: 0 } } : refusal("order_not_active");
  }

  function showSpotMarket(request: RecordedRequest): Reply {
    const entry = servers.find(({ id }) => String(id) === request.query.get("market"));
    if (entry === undefined) return fine({ exists: false });
    const ours = book.orders.filter(
      (order) => order.server.id === entry.id && order.type === "spot" && order.endedAt === undefined,
    );
    const others = outbids.has(entry.id) ? [{ offer_id: 1, bid: 1e9, active: true, my: false }] : [];
    const offers = ours.map(({ id, price }) => ({ offer_id: id, bid: price, active: !outbids.has(entry.id), my: true }));
    return fine({
      exists: true,
      market: {
        offers: [...others, ...offers],
        server: { min_pricing: entry.spot ?? {}, mrl: entry.mrl ?? 240, visibility: "public", online: true },
        currency_rates_in_usd: RATES,
      },
    });
  }

  const handlers: Readonly<Record<string, (request: RecordedRequest) => Reply>> = {
    "GET /marketplace": () => fine({ servers: servers.map((entry) => showServer(entry, isRented(entry))), my_servers: [] }),
    "GET /spot_marketplace": showSpotMarket,
    "GET /wallets": () =>
      fine({
        wallets: COINS.map((name) => ({ name, deposit: `address-of-${name}`, balance: balance(name), withdrawal_fee: 0.1 })),
      }),
    "GET /renter_fees": () => {
      const creation = Object.fromEntries(COINS.map((coin) => [coin, CREATION_FEE_USD / (RATES[coin] ?? 1)]));
      return fine({ renter_fees: { on_demand: { base: {} }, spot: {} }, creation_fees: { on_demand: creation, spot: creation } });
    },
    "GET /my_orders": (request) => {
      const wantsEnded = request.query.get("return_completed") === "true" && options.forgetsEnded !== true;
      const shown = book.orders.filter(({ endedAt, listed }) => listed && (endedAt === undefined || wantsEnded));
      return fine({ orders: shown.map((order) => showOrder(order, clock)), limit: 100 });
    },
    "POST /create_order": createOrder,
    "POST /cancel_order": cancelOrder,
  };

  /** Counted when a request arrives, whenever it takes effect. */
  const isTooMany = (request: RecordedRequest): boolean => {
    if (rates === false) return false;
    const isOrder = request.path === "/create_order";
    if (request.at - lastRequest < rates.request - slack) return true;
    if (isOrder && request.at - lastOrder < rates.order - slack) return true;
    lastRequest = request.at;
    if (isOrder) lastOrder = request.at;
    return false;
  };

  const answer = (request: RecordedRequest, limited: boolean): Reply => {
    if (!request.headers["user-agent"]) return { status: 403, body: "error code: 1010" };
    if (request.headers["auth"] !== token) return { status: 401, body: { code: 3 } };
    const handler = handlers[`${request.method} ${request.path}`];
    if (handler === undefined) return { status: 404, body: { code: 4 } };
    return limited ? tooMany : handler(request);
  };

  const limited = new Set<number>();
  const server = await serve({
    clock,
    faults,
    timers,
    admit(request) {
      const [, lease, path = request.path] = /^\/(lease-\d+)(\/.*)$/.exec(request.path) ?? [];
      const admitted = { ...request, path };
      if (lease !== undefined) senders.set(request.number, lease);
      if (isTooMany(admitted)) limited.add(request.number);
      return admitted;
    },
    answer: (request) => answer(request, limited.has(request.number)),
  });

  return {
    url: server.url,
    watch: server.watch,
    token,
    faults,
    ledger,
    clock,
    requests: server.requests,
    orders: book.orders,
    senderOf: ({ number }) => senders.get(number) ?? "ours",
    bootFailures: () => book.failures(),
    reclaim(orderId) {
      const order = book.orders.find(({ id }) => String(id) === orderId);
      if (order !== undefined) book.lose(order);
    },
    outbid(serverId) {
      outbids.add(serverId);
      for (const order of book.orders.filter((one) => one.server.id === serverId)) {
        order.outbid = true;
        void order.machine?.stop();
      }
    },
    async close() {
      timers.clear();
      await server.close();
      await book.close();
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // answered as bad input
  }
}
