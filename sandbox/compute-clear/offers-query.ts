import { parse } from "yaml";
import * as z from "zod";
import type { Checked } from "./validation.ts";

const schema = z.object({
  compute: z.object({
    gpu_type: z.string().min(1),
    gpu_count: z.int().positive().default(1),
    max_price_per_gpu_hour: z.number().optional(),
    contract_type: z.enum(["ondemand", "spot"]).optional(),
  }),
  vendor: z.string().optional(),
  region: z.enum(["US", "EU", "APAC", "Other"]).optional(),
});

/** What `POST /get_offers` asks for; keys that are not listed here are ignored. */
export type OffersQuery = z.infer<typeof schema>;

/** Reads the YAML body of `POST /get_offers`. JSON under its own content type is refused: the page says "not JSON". */
export function readOffersQuery(body: string, contentType: string | undefined): Checked<OffersQuery> {
  if (!/\byaml\b/i.test(contentType ?? ""))
    return { issues: [{ loc: ["header", "content-type"], msg: "Content-Type must be application/yaml", type: "value_error" }] };
  let document: unknown;
  try {
    document = parse(body);
  } catch (error) {
    return { issues: [{ loc: ["body"], msg: `Invalid YAML: ${String(error)}`, type: "value_error" }] };
  }
  const result = schema.safeParse(document);
  if (result.success) return { value: result.data };
  return {
    issues: result.error.issues.map((issue) => ({
      loc: ["body", ...issue.path.map(String)],
      msg: issue.message,
      type: issue.code,
    })),
  };
}
