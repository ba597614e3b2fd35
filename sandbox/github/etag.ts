import { createHash } from "node:crypto";
import type { Reply } from "../reply.ts";
import type { RecordedRequest } from "../requests.ts";

/** The answer with its ETag, which is another one for each token; 304 without a body where the client has it already. */
export function answerConditionally(request: RecordedRequest, token: string, reply: Reply): Reply {
  if (request.method !== "GET" || reply.status !== 200 || reply.body instanceof Uint8Array) return reply;
  const hash = createHash("sha256").update(token).update("\0").update(JSON.stringify(reply.body)).digest("hex");
  const etag = `W/"${hash}"`;
  const known = (request.headers["if-none-match"] ?? "").split(",").map((one) => one.trim());
  const headers = { ...reply.headers, etag, "cache-control": "private, max-age=60, s-maxage=60", vary: "Accept, Authorization" };
  return known.includes(etag) ? { status: 304, body: "", headers } : { ...reply, headers };
}
