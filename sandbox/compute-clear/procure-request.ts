import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import publishedSchema from "./procure-offer.schema.json" with { type: "json" };
import type { Checked, Issue } from "./validation.ts";

/** A purchase as the API takes it. */
export interface ProcureRequest {
  readonly offer_id: string;
  readonly ssh_public_key: string;
  readonly cloud_init?: string | null;
  readonly cluster_name?: string | null;
  readonly resource_name?: string;
}

export interface ProcureRules {
  /** The published schema does not say what becomes of keys that it does not list. */
  readonly unknownKeys: "ignored" | "refused";
  /** `resource_name` stands in the page's prose and not in its schema, so it has a rule of its own. */
  readonly resourceName: "taken" | "refused";
}

// "Max 64KB" can be read as 64,000 or 65,536 and as characters or bytes; the stand-in takes the narrowest reading.
const LARGEST_CLOUD_INIT = 64_000;

const MESSAGES: Record<string, readonly [message: string, type: string]> = {
  required: ["Field required", "missing"],
  type: ["Input should be a valid string", "string_type"],
  format: ["Input should be a valid UUID", "uuid_parsing"],
  minLength: ["String should have at least 1 character", "string_too_short"],
};

function toIssue(error: ErrorObject): Issue {
  const [msg, type] = MESSAGES[error.keyword] ?? [error.message ?? "Invalid input", "value_error"];
  const missing: unknown = error.params["missingProperty"];
  const path = error.instancePath.split("/").slice(1);
  return { loc: ["body", ...path, ...(typeof missing === "string" ? [missing] : [])], msg, type };
}

/** A nullable key of the wrong type is reported three times: for either branch of its `anyOf`, and for the whole. One is enough. */
function isTelling(error: ErrorObject): boolean {
  return error.keyword !== "anyOf" && error.params["type"] !== "null";
}

/** Makes the reader of `POST /procure_offer` bodies; it checks against the published schema. */
export function createProcureReader(
  rules: ProcureRules,
): (body: string, contentType: string | undefined) => Checked<ProcureRequest> {
  const ajv = new Ajv2020({ allErrors: true });
  addFormats(ajv);
  const validate = ajv.compile<ProcureRequest>(publishedSchema);
  const listed = new Set([...Object.keys(publishedSchema.properties), "resource_name"]);

  return (body, contentType) => {
    if (!/^application\/json\b/i.test(contentType ?? ""))
      return { issues: [{ loc: ["body"], msg: "Input should be a valid dictionary", type: "model_attributes_type" }] };
    let request: unknown;
    try {
      request = JSON.parse(body);
    } catch (error) {
      return { issues: [{ loc: ["body", 0], msg: `JSON decode error: ${String(error)}`, type: "json_invalid" }] };
    }
    if (!validate(request)) return { issues: (validate.errors ?? []).filter(isTelling).map(toIssue) };
    const issues: Issue[] = [];
    for (const key of Object.keys(request)) {
      const isRefused =
        key === "resource_name" ? rules.resourceName === "refused" : rules.unknownKeys === "refused" && !listed.has(key);
      if (isRefused) issues.push({ loc: ["body", key], msg: "Extra inputs are not permitted", type: "extra_forbidden" });
    }
    const script = request.cloud_init;
    if (typeof script === "string" && !/^#(?:cloud-config|!\/)/.test(script))
      issues.push({
        loc: ["body", "cloud_init"],
        msg: "Value error, must start with '#cloud-config' or '#!/'",
        type: "value_error",
      });
    if (typeof script === "string" && Buffer.byteLength(script) > LARGEST_CLOUD_INIT)
      issues.push({ loc: ["body", "cloud_init"], msg: "Value error, must be at most 64KB", type: "value_error" });
    return issues.length > 0 ? { issues } : { value: request };
  };
}
