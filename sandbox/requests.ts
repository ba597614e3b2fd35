import type { IncomingMessage } from "node:http";

/** A request as it came, whatever was thought of it. */
export interface RecordedRequest {
  /** 1 for the first. */
  readonly number: number;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  /** Milliseconds since the epoch, in the world's time. */
  readonly at: number;
}

const LARGEST_BODY = 1_000_000;

/** Reads a request to its end. Rejects when the client goes away first, or sends more than 1 MB. */
export async function readRequest(message: IncomingMessage, number: number, at: number): Promise<RecordedRequest> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > LARGEST_BODY) throw new Error(`The request body has more than ${LARGEST_BODY} bytes.`);
    chunks.push(bytes);
  }
  const url = new URL(message.url ?? "/", "http://stand.invalid");
  return {
    number,
    method: message.method ?? "GET",
    path: url.pathname,
    query: url.searchParams,
    headers: message.headers,
    body: Buffer.concat(chunks).toString("utf8"),
    at,
  };
}
