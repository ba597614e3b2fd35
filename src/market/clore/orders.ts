import { createHash } from "node:crypto";
import type { Address } from "../../lease/address.ts";
import { plain } from "../../lease/plain.ts";
import type { OrderReply } from "./replies.ts";

/**
 * Whose an order is. Clore keeps no names and answers a purchase without an id, and the jobs of a matrix share one key and want the
 * same server. So each order asks for two container ports beside SSH that nobody else asks for; they are made from the lease's name,
 * and `my_orders` shows them. Ports of this range are not taken for anything else.
 */
export const MARK_PORTS = { first: 40_000, last: 64_999 } as const;

/** The two container ports by which an order is known as this lease's. */
export function markOf(leaseName: string): readonly [number, number] {
  const digest = createHash("sha256").update(leaseName).digest();
  const size = MARK_PORTS.last - MARK_PORTS.first + 1;
  const one = digest.readUInt32BE(0) % size;
  const other = (one + 1 + (digest.readUInt32BE(4) % (size - 1))) % size;
  return [MARK_PORTS.first + one, MARK_PORTS.first + other];
}

/** Machines' clocks need not agree; an order that is older than the request by more than this is not its effect. */
const SKEW = 60_000;
const ENDED = /cancel|expire|fail|finish|ended/i;

export function hasEnded({ expired, status }: OrderReply): boolean {
  return expired === true || ENDED.test(status ?? "");
}

export function hasMark({ tcp_ports = [] }: OrderReply, leaseName: string): boolean {
  const shown = new Set(tcp_ports.flatMap(({ container, outside }) => [container, outside]));
  return markOf(leaseName).every((port) => shown.has(port));
}

/** It carries the mark of some lease, and not of this one. */
export function isAnothers(order: OrderReply, leaseName: string): boolean {
  if (hasMark(order, leaseName)) return false;
  const marks = (order.tcp_ports ?? []).filter(({ container }) => container >= MARK_PORTS.first && container <= MARK_PORTS.last);
  return marks.length > 0;
}

/** What is known of a purchase beside the order itself. */
export interface Claim {
  readonly offerId: string;
  readonly leaseName: string;
  /** Orders that were shown to be ours before: a mark that is published later can still show that they are not. */
  readonly orderIds: readonly string[];
  /** Milliseconds since the epoch. */
  readonly sent?: number;
  /** Set where the marketplace has said yes to us: the orders that were there before. A server has one renter at a time. */
  readonly before?: ReadonlySet<string>;
}

/**
 * `unclear`: on our server and of our time, but nothing shows whose it is; that may come with its ports. An order without any ports
 * yet is ours where the marketplace has taken ours on this server, which nobody else can have rented then.
 */
export function ownerOf(order: OrderReply, claim: Claim): "ours" | "another" | "unclear" {
  if (hasMark(order, claim.leaseName)) return "ours";
  if (isAnothers(order, claim.leaseName)) return "another";
  if (claim.orderIds.includes(order.id)) return "ours";
  if (order.server !== claim.offerId) return "another";
  if (order.ct !== undefined && claim.sent !== undefined && order.ct * 1000 < claim.sent - SKEW) return "another";
  if (claim.before?.has(order.id)) return "another";
  const isUnpublished = (order.tcp_ports ?? []).length === 0;
  return isUnpublished && claim.before !== undefined ? "ours" : "unclear";
}

const SSH_PORT = 22;

/** Where its SSH is reached from outside, once it is published. */
export function sshOf({ pub_cluster, ssh_command, tcp_ports = [] }: OrderReply): Address | undefined {
  const [, user = "root", named] = /(?:^|\s)([a-z_][\w.-]*)@([A-Za-z0-9.:-]+)/.exec(ssh_command ?? "") ?? [];
  const [, port] = /(?:^|\s)-p\s*(\d{1,5})(?:\s|$)/.exec(ssh_command ?? "") ?? [];
  const host = pub_cluster?.find((one) => one.trim() !== "")?.trim() ?? named;
  const inside = tcp_ports.find(({ container }) => container === SSH_PORT)?.outside;
  // Some write the port outside first.
  const outside =
    inside ?? tcp_ports.find((pair) => pair.outside === SSH_PORT)?.container ?? (port === undefined ? undefined : Number(port));
  return host === undefined || outside === undefined ? undefined : { host, port: outside, user };
}

/** The published ports beside SSH and the mark, as the outside reaches them. */
export function endpointsOf({ http_port, http_pub, pub_cluster, tcp_ports = [] }: OrderReply): Readonly<Record<string, string>> {
  const [host] = pub_cluster ?? [];
  const isTheirs = (port: number) => port !== SSH_PORT && (port < MARK_PORTS.first || port > MARK_PORTS.last);
  const tcp = tcp_ports
    .filter(({ container }) => host !== undefined && isTheirs(container))
    .map(({ container, outside }) => [`${container}/tcp`, `${host}:${outside}`]);
  const web = http_pub?.trim() ?? "";
  const http = http_port === undefined || web === "" ? [] : [[`${http_port}/http`, web.includes("://") ? web : `https://${web}`]];
  return Object.fromEntries([...tcp, ...http].map(([port = "", where = ""]) => [plain(port, 40), plain(where, 200)]));
}

/** What an order has cost: hours at its price, its creation fee among them. Undefined where it does not tell. */
export function billOf({
  price,
  spend,
  creation_fee = 0,
  currency = "",
}: OrderReply): { hours: number; text: string } | undefined {
  if (price === undefined || price <= 0 || spend === undefined) return undefined;
  const coins = spend + creation_fee;
  return { hours: (coins / price) * 24, text: plain(`${Number(coins.toPrecision(6))} ${currency}`, 80) };
}

export function describeOrder({ id, mon_container, spot }: OrderReply): string {
  const state = mon_container === undefined ? "is being made" : mon_container >= 2 ? "is deployed" : "is being deployed";
  return `${spot === true ? "spot " : ""}order ${id} ${state}`;
}
