import * as z from "zod";
import { plain } from "../../lease/plain.ts";
import { amount, listOf, maybe, objectOf, some, text } from "../tolerant.ts";

/**
 * What Clore answers, read with tolerance: bodies come bare or under `data`, numbers as numbers or text, and an optional field of
 * another type counts as absent. https://docs.clore.ai and what public clients have captured.
 */

const identity = z.union([z.number().int().nonnegative(), z.string().regex(/^\d{1,15}$/)]).transform(String);
const flag = z.union([z.boolean(), z.literal(0).transform(() => false), z.literal(1).transform(() => true)]);
/** Amounts by currency; what is no amount is left out. */
const amounts = z
  .record(z.string(), z.unknown())
  .transform(
    (all) => new Map(Object.entries(all).flatMap(([coin, value]) => (typeof value === "number" ? [[coin, value]] : []))),
  );

/** `code` says how a request ended, whatever the HTTP status is; `error` and the rest stand beside it. */
const verdict = z.object({
  code: maybe(z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)])),
  error: maybe(text),
  message: maybe(text),
});

export interface Verdict {
  /** Undefined where the answer has none: then it is not the API's own. */
  readonly code: number | undefined;
  /** In lower case, with `_` between its words: the API writes some of them so and some with `-`. */
  readonly error: string | undefined;
  /** For people. */
  readonly reason: string;
}

export function readVerdict(json: unknown): Verdict {
  const bare = verdict.safeParse(json).data;
  const read = bare?.code === undefined ? objectOf(verdict).safeParse(json).data : bare;
  const error = read?.error?.toLowerCase().replaceAll("-", "_");
  const words = [read?.code === undefined ? undefined : `code ${read.code}`, read?.error, read?.message];
  const reason = plain(words.filter((word) => word !== undefined).join(", "), 200);
  return { code: read?.code, error, reason: reason || "no reason that can be read" };
}

/** As `maybe`, and faster where there are thousands. */
const quickly = <T extends z.ZodType>(schema: T) => schema.optional().catch(undefined);

const server = z.object({
  id: z.int().nonnegative().or(identity).transform(String),
  owner: quickly(z.int().or(identity).transform(String)),
  mrl: quickly(z.number()),
  rented: quickly(flag),
  reliability: quickly(z.number()),
  allowed_coins: quickly(z.array(z.string())),
  gpu_array: quickly(z.array(z.string())),
  gigaspot: quickly(flag),
  price: z.object({ on_demand: quickly(amounts), spot: quickly(amounts), usd: quickly(amounts) }),
  specs: z.object({ gpu: quickly(z.string()), net: quickly(z.object({ cc: quickly(z.string()) })) }),
});

export type ServerReply = z.output<typeof server>;

/** Thousands of rows, of which few are of interest: each is glanced at, and read when it is wanted. */
export const marketplaceReply = listOf(z.array(z.unknown()), ["servers"]);

const glance = z.object({
  rented: z.unknown(),
  gpu_array: z.array(z.string()).optional().catch(undefined),
  specs: z.object({ gpu: z.string().optional().catch(undefined) }),
});
export type Glance = z.output<typeof glance>;

/** The servers that can be read, of those that are wanted at a glance: some hosts' rows are odd. */
export function readServers(
  rows: readonly unknown[],
  isWanted: (glance: Glance) => boolean = () => true,
): readonly ServerReply[] {
  return rows.flatMap((row) => {
    const seen = glance.safeParse(row);
    if (!seen.success || !isWanted(seen.data)) return [];
    const read = server.safeParse(row);
    return read.success ? [read.data] : [];
  });
}

/** `container` and `outside` port, as written; some write the two the other way round. */
export interface PortPair {
  readonly container: number;
  readonly outside: number;
}

const ports = z
  .union([
    z.array(z.unknown()).transform((list) => list.map(String)),
    z
      .record(z.string(), z.unknown())
      .transform((map) => Object.entries(map).map(([inside, outside]) => `${inside}:${String(outside)}`)),
  ])
  .transform((list) =>
    list.flatMap((entry): PortPair[] => {
      const [, container, outside] = /^(\d{1,5})(?:\/tcp)?:(?:tcp\/)?(\d{1,5})(?:\/tcp)?$/.exec(entry.trim()) ?? [];
      return container === undefined || outside === undefined ? [] : [{ container: Number(container), outside: Number(outside) }];
    }),
  );

const order = z
  .object({
    id: maybe(identity),
    order_id: maybe(identity),
    si: maybe(identity),
    renting_server: maybe(identity),
    server_id: maybe(identity),
    /** Seconds since the epoch. */
    ct: maybe(amount),
    currency: maybe(text),
    price: maybe(amount),
    creation_fee: maybe(amount),
    spend: maybe(amount),
    mon_container: maybe(amount),
    pub_cluster: maybe(z.union([z.string().transform((one) => [one]), z.array(z.string())])),
    tcp_ports: maybe(ports),
    http_port: maybe(text),
    http_pub: maybe(text),
    ssh_command: maybe(text),
    spot: maybe(flag),
    expired: maybe(flag),
    status: maybe(text),
  })
  .transform(({ order_id, renting_server, server_id, id = order_id, si = renting_server ?? server_id, ...rest }, context) => {
    if (id === undefined) context.addIssue("names no order");
    return { ...rest, id: id ?? z.NEVER, server: si };
  });

export type OrderReply = z.output<typeof order>;

/** Every row has to be readable: a list that was read in part would not show that nothing is alive. */
const orders = listOf(z.array(order), ["orders"]);
const limited = objectOf(z.object({ limit: maybe(amount) }));

/** `isWhole` is false for a list that is as long as the marketplace lets it be: what is not in it may still exist. */
export const ordersReply = z.unknown().transform((json, context) => {
  const read = orders.safeParse(json);
  if (!read.success) {
    context.addIssue("is no list of orders");
    return z.NEVER;
  }
  const limit = limited.safeParse(json).data?.limit;
  return { orders: read.data, isWhole: limit === undefined || read.data.length < limit };
});

export const walletsReply = listOf(some(z.object({ name: z.string(), balance: amount })), ["wallets"]);

export const spotReply = objectOf(
  z.object({
    market: z.object({
      offers: some(z.object({ bid: maybe(amount), active: maybe(flag), my: maybe(flag) })),
      server: maybe(z.object({ min_pricing: maybe(z.union([amounts, amount])), online: maybe(flag) })),
      currency_rates_in_usd: maybe(amounts),
    }),
  }),
);
export type SpotReply = z.output<typeof spotReply>["market"];

/** What creating an order costs, by kind of order and currency. */
export const feesReply = objectOf(
  z.object({
    creation_fees: z.object({ on_demand: maybe(z.union([amounts, amount])), spot: maybe(z.union([amounts, amount])) }),
  }),
);
