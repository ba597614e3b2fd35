import * as z from "zod";
import { plain } from "../../lease/plain.ts";
import { amount, listOf, maybe, objectOf, rows, some, text } from "../tolerant.ts";

/**
 * What Compute Clear answers, read with tolerance: its documents leave envelopes, states and many fields open, so unknown
 * fields are ignored, unknown states are kept as text, and an optional field of another type counts as absent.
 */

/** Times without a zone are UTC, as the API's own are. */
const moment = z
  .string()
  .transform((written) => Date.parse(/(Z|[+-]\d\d:?\d\d)$/i.test(written) ? written : `${written}Z`))
  .pipe(z.number());
/** Ids become path segments, shell words and journal entries. */
const id = text.pipe(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/));
export const offersReply = listOf(
  rows(
    z.object({
      offer_id: id,
      gpu_type: maybe(text),
      gpu_family: maybe(text),
      gpu_count: maybe(amount),
      vendor: maybe(text),
      region: maybe(text),
      gpu_price_per_hour: maybe(amount),
      total_price_per_hour: maybe(amount),
      storage_price_per_hour: maybe(amount),
      contract_type: maybe(text),
      type: maybe(text),
      deployment_type: maybe(text),
      node_count: maybe(amount),
      expires_at: maybe(moment),
    }),
  ),
  ["offers"],
);

export const offerReply = objectOf(
  z.object({
    status: maybe(text),
    gpu_count: maybe(amount),
    gpu_price_per_hour: maybe(amount),
    total_price_per_hour: maybe(amount),
  }),
);

/** Ids come as plain strings or inside objects. */
const idOrHolder = z.union([
  id,
  z.object({ resource_id: maybe(id), id: maybe(id) }).transform((holder, context) => {
    const found = holder.resource_id ?? holder.id;
    if (found === undefined) context.addIssue("holds no id");
    return found ?? z.NEVER;
  }),
]);

export const procureReply = objectOf(
  z.object({
    status: text,
    resource_ids: some(idOrHolder),
    resources: some(idOrHolder),
    error: maybe(text),
    message: maybe(text),
  }),
);

const instance = z.object({
  external_ip: maybe(text),
  ip: maybe(text),
  public_ip: maybe(text),
  ssh_command: maybe(text),
  ssh_port: maybe(amount),
  status: maybe(text),
  resource_id: maybe(id),
  access: maybe(z.object({ external_ip: maybe(text), ssh_command: maybe(text), ssh_port: maybe(amount) })),
});

export type InstanceReply = z.output<typeof instance>;

export const statusReply = objectOf(
  z.object({
    status: maybe(text),
    procurement_status: maybe(text),
    instances: some(instance),
    resource_ids: some(idOrHolder),
    resources: some(idOrHolder),
    progress: maybe(text),
    progress_message: maybe(text),
    failure_reason: maybe(text),
    error: maybe(text),
    status_message: maybe(text),
  }),
);

const linkedResource = z.object({
  resource_id: maybe(id),
  id: maybe(id),
  resource_type: maybe(text),
  status: maybe(text),
  linked_until: maybe(text),
});

const resource = z
  .object({
    resource_id: maybe(id),
    id: maybe(id),
    resource_type: maybe(text),
    name: maybe(text),
    status: maybe(text),
    access: maybe(instance),
    linked_resources: some(linkedResource),
    offer_history: some(z.object({ offer_id: id })),
    pricing_total_hourly: maybe(amount),
    created_at: maybe(moment),
  })
  .transform((row, context) => {
    const found = row.resource_id ?? row.id;
    if (found === undefined) context.addIssue("holds no id");
    return { ...row, resource_id: found ?? z.NEVER };
  });

export type ResourceReply = z.output<typeof resource>;

export const resourceReply = objectOf(resource);
/** Every row has to be readable: a list that was read in part would not show that nothing is alive. */
export const resourcesReply = listOf(z.array(resource), ["resources"]);

/** `{"H100": ["nvidia-h100-sxm5-80gb", …]}`, perhaps wrapped. */
export const gpusReply = z.preprocess(
  (value) => {
    const wrapped = z
      .object({ gpus: z.record(z.string(), z.unknown()) })
      .or(z.object({ data: z.record(z.string(), z.unknown()) }))
      .safeParse(value);
    return wrapped.success ? Object.values(wrapped.data)[0] : value;
  },
  z.record(z.string(), some(text)),
);

/** A list of names, or of objects that hold one. */
const named = z.union([
  text,
  z
    .object({ name: maybe(text), id: maybe(text), vendor: maybe(text), region: maybe(text), contract_type: maybe(text) })
    .transform((holder) => holder.name ?? holder.id ?? holder.vendor ?? holder.region ?? holder.contract_type ?? ""),
]);
export const namesReply = (key: string) => listOf(rows(named), [key]);

const errorBody = z.object({
  detail: maybe(z.union([text, some(z.object({ loc: some(text), msg: text }))])),
  error: maybe(text),
  message: maybe(text),
});

/** The API's own form of an error has a `detail` (FastAPI); a proxy's page has none. */
export function hasApiForm(json: unknown): boolean {
  return z.object({ detail: z.unknown() }).safeParse(json).success && errorBody.safeParse(json).data?.detail !== undefined;
}

/** The reason in an error's body, harmless and short. */
export function readReason(json: unknown, raw: string): string {
  const body = errorBody.safeParse(json).data;
  if (typeof body?.detail === "string") return plain(body.detail);
  if (body?.detail !== undefined) return plain(body.detail.map((one) => `${one.loc.join(".")}: ${one.msg}`).join("; "));
  return plain(body?.error ?? body?.message ?? raw) || "(empty answer)";
}

/** True when a 422 names the field. */
export function refusesField(json: unknown, field: string): boolean {
  const detail = errorBody.safeParse(json).data?.detail;
  if (detail === undefined) return false;
  return typeof detail === "string" ? detail.includes(field) : detail.some((one) => one.loc.includes(field));
}
