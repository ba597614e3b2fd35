import type { Dispatcher } from "undici";
import { EnvHttpProxyAgent, interceptors } from "undici";
import { describe, MarketFailure } from "../lease/failure.ts";
import type { Log } from "../lease/log.ts";
import { plain } from "../lease/plain.ts";

/**
 * What kind of request it is, which decides how long its answer may take and whether it is sent again by itself.
 * The one place that says so. A purchase is in no row that repeats; a deletion is repeated by the release story,
 * which looks at the machine between two requests.
 */
const KINDS = {
  read: { answerWithin: 20_000, repeats: 2, endAfter: 70_000 },
  query: { answerWithin: 60_000, repeats: 2, endAfter: 190_000 },
  erase: { answerWithin: 20_000, repeats: 0, endAfter: 25_000 },
  // Vendor provisioning happens inside this request and "can take minutes"; the story looks the purchase up meanwhile, and
  // nothing but the end of the process ends it.
  purchase: { answerWithin: 1_800_000, repeats: 0, endAfter: undefined },
} as const;

const REPEATED_STATUSES = [429, 500, 502, 503, 504];
const REPEATED_ERRORS = [
  "EAI_AGAIN",
  "ECONNREFUSED",
  "ECONNRESET",
  "ENETDOWN",
  "ENETUNREACH",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  "UND_ERR_SOCKET",
];

/** System calls of making a connection: when one of these fails, no byte of the request has left. */
const BEFORE_SENDING = new Set(["connect", "getaddrinfo"]);
/** The same, where no system call is told: a connection that took too long, a certificate that was not accepted. */
const NEVER_LEFT = new Set([
  "UND_ERR_CONNECT_TIMEOUT",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

const LARGEST_REPLY = 64 * 1024 * 1024;

export interface HttpRequest {
  readonly kind: keyof typeof KINDS;
  readonly method: "GET" | "POST" | "DELETE";
  /** Path below the base URL, with query; segments already encoded. */
  readonly path: string;
  readonly body?: { readonly type: string; readonly text: string };
  readonly signal?: AbortSignal | undefined;
}

/** An answer as it came. `json` is undefined where the body is none. */
export interface HttpReply {
  readonly status: number;
  readonly json: unknown;
  readonly text: string;
  /** Milliseconds that the server asks to wait (Retry-After). */
  readonly retryAfterMs?: number;
}

/** Thrown when no answer came. `neverLeft`: the request certainly had no effect. */
export class UnreachableFailure extends MarketFailure {
  readonly neverLeft: boolean;

  constructor(message: string, neverLeft: boolean, cause: unknown) {
    super(message, "Check the network of the runner, HTTPS_PROXY and NO_PROXY, and the 'api-url' input.", { cause });
    this.neverLeft = neverLeft;
  }
}

export interface Http {
  /** Throws UnreachableFailure when no answer came, and the signal's reason when it fired. Statuses are for the caller. */
  send(request: HttpRequest): Promise<HttpReply>;
  close(): Promise<void>;
}

/** Shorter ones could be part of every second word, and are no API tokens. */
const SHORTEST_SECRET = 8;

/**
 * Connections to one API. HTTPS_PROXY, HTTP_PROXY and NO_PROXY are honoured. The secret goes with every request, as `authorise`
 * writes it into headers, and is taken out of every answer: some services repeat it in their errors.
 */
export function openHttp(options: {
  baseUrl: string;
  secret: string;
  authorise: (secret: string) => Readonly<Record<string, string>>;
  log: Log;
  /** `false`: nothing is sent again by itself, for whoever keeps to a rate does that. */
  repeats?: boolean;
}): Http {
  const headers = options.authorise(options.secret);
  const redact = (text: string) => (options.secret.length < SHORTEST_SECRET ? text : text.replaceAll(options.secret, "***"));
  const base = new URL(options.baseUrl);
  const agent = new EnvHttpProxyAgent({ connect: { timeout: 10_000 }, maxResponseSize: LARGEST_REPLY });
  const dispatchers = new Map<number, Dispatcher>([[0, agent]]);
  const dispatcherFor = (repeats: number): Dispatcher => {
    const known = dispatchers.get(repeats);
    if (known) return known;
    const made = agent.compose(
      interceptors.retry({
        maxRetries: repeats,
        minTimeout: 500,
        maxTimeout: 20_000,
        methods: ["GET", "POST"],
        statusCodes: REPEATED_STATUSES,
        errorCodes: REPEATED_ERRORS,
        throwOnError: false,
      }),
    );
    dispatchers.set(repeats, made);
    return made;
  };

  return {
    async send({ kind, method, path, body, signal }) {
      signal?.throwIfAborted();
      const { answerWithin, repeats, endAfter } = KINDS[kind];
      const dispatcher = dispatcherFor(options.repeats === false ? 0 : repeats);
      const ends = [signal, endAfter === undefined ? undefined : AbortSignal.timeout(endAfter)].filter(
        (one) => one !== undefined,
      );
      const started = performance.now();
      const told = () => `${method} ${path.split("?")[0]} after ${Math.round(performance.now() - started)} ms`;
      try {
        const answer = await dispatcher.request({
          origin: base.origin,
          path: `${base.pathname.replace(/\/$/, "")}${path}`,
          method,
          headers: {
            accept: "application/json",
            "user-agent": "gpu-provision",
            ...headers,
            ...(body ? { "content-type": body.type } : {}),
          },
          body: body ? body.text : null,
          headersTimeout: answerWithin,
          bodyTimeout: answerWithin,
          ...(ends.length > 0 ? { signal: AbortSignal.any(ends) } : {}),
        });
        const text = redact(await answer.body.text());
        options.log.debug(`${told()}: ${answer.statusCode}`);
        const retryAfterMs = readRetryAfter(answer.headers["retry-after"]);
        return {
          status: answer.statusCode,
          json: parseJson(text),
          text,
          ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        };
      } catch (error) {
        signal?.throwIfAborted();
        options.log.debug(`${told()}: ${plain(describe(error))}`);
        throw new UnreachableFailure(
          `No answer from ${base.host} to ${method} ${path.split("?")[0]}: ${plain(describe(error))}`,
          hasNeverLeft(error),
          error,
        );
      }
    },
    close: () => agent.destroy(),
  };
}

/** One code can stand for a connection that was never made and for one that broke: the system call tells them apart. */
function hasNeverLeft(error: unknown): boolean {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.every(hasNeverLeft);
  if (!(error instanceof Error) || !("code" in error)) return false;
  if ("syscall" in error && BEFORE_SENDING.has(String(error.syscall))) return true;
  return NEVER_LEFT.has(String(error.code));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Proxies answer with HTML; the caller sees that there is no JSON and decides by the status.
    return undefined;
  }
}

function readRetryAfter(header: string | string[] | undefined): number | undefined {
  const value = Array.isArray(header) ? header[0] : header;
  if (value === undefined) return undefined;
  const seconds = Number(value);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) && ms >= 0 ? ms : undefined;
}
