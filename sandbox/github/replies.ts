import type { Reply } from "../reply.ts";
import type { RecordedRequest } from "../requests.ts";

const DOCUMENTATION = "https://docs.github.com/rest";

const refusal = (status: number, message: string): Reply => ({
  status,
  body: { message, documentation_url: DOCUMENTATION, status: String(status) },
});

export const notFound = refusal(404, "Not Found");
export const badCredentials = refusal(401, "Bad credentials");
export const requiresAuthentication = refusal(401, "Requires authentication");
export const notAccessible = refusal(403, "Resource not accessible by integration");

export function conflict(message: string): Reply {
  return refusal(409, message);
}

export function unprocessable(message: string): Reply {
  return refusal(422, message);
}

export function unauthorized(message: string): Reply {
  return refusal(401, message);
}

function pageNumber(text: string | null, otherwise: number, most: number): number {
  const value = Number(text ?? otherwise);
  return Number.isInteger(value) && value >= 1 ? Math.min(value, most) : otherwise;
}

/** One page of a list, with the Link header. `here` is the address that the client used, without the query. */
export function paginate<T>(
  request: RecordedRequest,
  here: string,
  all: readonly T[],
): { readonly page: readonly T[]; readonly headers: Record<string, string> } {
  const size = pageNumber(request.query.get("per_page"), 30, 100);
  const current = pageNumber(request.query.get("page"), 1, Number.MAX_SAFE_INTEGER);
  const last = Math.max(1, Math.ceil(all.length / size));
  const link = (page: number, relation: string) => {
    const query = new URLSearchParams(request.query);
    query.set("page", String(page));
    return `<${here}?${query}>; rel="${relation}"`;
  };
  const links = [
    ...(current > 1 ? [link(current - 1, "prev")] : []),
    ...(current < last ? [link(current + 1, "next"), link(last, "last")] : []),
    ...(current > 1 ? [link(1, "first")] : []),
  ];
  return {
    page: all.slice((current - 1) * size, current * size),
    headers: links.length > 0 ? { link: links.join(", ") } : {},
  };
}
