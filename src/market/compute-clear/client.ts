import type * as z from "zod";
import { MarketFailure, TokenFailure } from "../../lease/failure.ts";
import type { Http, HttpReply, HttpRequest } from "../http.ts";
import { hasApiForm, readReason } from "./replies.ts";

/** Sends one request and reads its answer with a schema. Answers that are not 2xx become failures. */
export async function ask<T extends z.ZodType>(http: Http, request: HttpRequest, schema: T): Promise<z.output<T>> {
  const reply = await http.send(request);
  if (reply.status >= 200 && reply.status < 300) return readAs(reply, schema, request);
  throw failureOf(reply, request);
}

/** The body by its schema; MarketFailure when it cannot be read. */
export function readAs<T extends z.ZodType>(reply: HttpReply, schema: T, request: HttpRequest): z.output<T> {
  const read = schema.safeParse(reply.json);
  if (read.success) return read.data;
  throw new MarketFailure(
    `Compute Clear answered ${nameOf(request)} with what cannot be read (HTTP ${reply.status}): ${readReason(undefined, reply.text)}`,
    "Perhaps a proxy answers in its place, or 'api-url' is wrong.",
    { cause: read.error },
  );
}

/** A 404 of the API itself, and not of a proxy in front of it. */
export function isAbsence(reply: HttpReply): boolean {
  return reply.status === 404 && hasApiForm(reply.json);
}

/** The failure that an answer other than 2xx stands for. */
export function failureOf(reply: HttpReply, request: HttpRequest): TokenFailure | MarketFailure {
  const reason = readReason(reply.json, reply.text);
  // A page of HTML with such a status is a proxy's; the API itself answers in JSON.
  if ((reply.status === 401 || reply.status === 403) && reply.json !== undefined) {
    return new TokenFailure(
      `Compute Clear does not accept the token (HTTP ${reply.status} to ${nameOf(request)}: ${reason})`,
      "Check the 'token' input: the secret may be missing, expired or of another marketplace. Runs of forks and of Dependabot get no secrets.",
    );
  }
  return new MarketFailure(
    `Compute Clear answered ${nameOf(request)} with HTTP ${reply.status}: ${reason}`,
    reply.status >= 500 || reply.status === 429
      ? "The marketplace has trouble; try again later."
      : "The marketplace did not take this request. Is 'api-url' right?",
    { retryAfterMs: reply.retryAfterMs },
  );
}

function nameOf(request: HttpRequest): string {
  return `${request.method} ${request.path.split("?")[0]}`;
}
