import type * as z from "zod";
import type { Clock } from "../../lease/clock.ts";
import { MarketFailure, TokenFailure } from "../../lease/failure.ts";
import type { Log } from "../../lease/log.ts";
import { plain } from "../../lease/plain.ts";
import { type HttpReply, openHttp, UnreachableFailure } from "../http.ts";
import { type Pacing, startPacing } from "./pacing.ts";
import { readVerdict, type Verdict } from "./replies.ts";

/** `code` of an answer: https://docs.clore.ai/dev/reference/error-codes */
export const CODE = { fine: 0, database: 1, badInput: 2, badToken: 3, badEndpoint: 4, tooMany: 5, application: 6 } as const;

/** Times that a read is sent again after trouble of the marketplace's, and the pauses before, in milliseconds. */
const REPEATS = [2_000, 4_000];
/** Milliseconds for which a read is held up by the rate before it is given up; whoever polls asks again later. */
const HELD_UP_WITHIN = 180_000;

export interface Answer {
  readonly reply: HttpReply;
  readonly verdict: Verdict;
}

/** The API as one lease uses it: each request in its turn, and again where only the rate was in the way. */
export interface Client {
  readonly pacing: Pacing;
  /** Reads with a schema. Throws MarketFailure, TokenFailure, and the signal's reason. */
  read<T extends z.ZodType>(path: string, schema: T, signal?: AbortSignal): Promise<z.output<T>>;
  /** Asks for the end of an order. Sent again only where the rate was in the way. Throws as `read` does. */
  cancel(body: unknown, signal?: AbortSignal): Promise<Answer>;
  /**
   * Sends one order; where the rate was in the way, nothing was bought, and it is sent again in its turn. The signal ends only the
   * waiting: what has left is waited for. Throws UnreachableFailure.
   */
  order(body: unknown, signal?: AbortSignal): Promise<Answer>;
  close(): Promise<void>;
}

export function openClient(options: { token: string; apiUrl: string; clock: Clock; log: Log }): Client {
  const { clock, log } = options;
  const http = openHttp({
    baseUrl: options.apiUrl,
    secret: options.token,
    authorise: (secret) => ({ auth: secret }),
    log,
    repeats: false,
  });
  const pacing = startPacing(clock);

  /** One request, repeated while all that is wrong is the rate. */
  async function send(
    kind: "cancel" | "order" | "read",
    path: string,
    body: unknown,
    signal: AbortSignal | undefined,
    within = Number.POSITIVE_INFINITY,
  ): Promise<Answer> {
    const began = pacing.heldUp();
    const message = body === undefined ? {} : { body: { type: "application/json", text: JSON.stringify(body) } };
    const method = body === undefined ? "GET" : "POST";
    const type = { cancel: "erase", order: "purchase", read: "query" } as const;
    for (;;) {
      const answered = async () =>
        http.send({ kind: type[kind], method, path, ...message, ...(kind === "order" ? {} : { signal }) });
      const reply = await pacing.inTurn(kind, answered, signal);
      const verdict = readVerdict(reply.json);
      if (verdict.code !== CODE.tooMany && reply.status !== 429) {
        pacing.forgive();
        return { reply, verdict };
      }
      if (pacing.heldUp() - began > within) return { reply, verdict };
      log.debug(`Clore asks for fewer requests (${method} ${path}, HTTP ${reply.status}).`);
      await pacing.backOff(reply.retryAfterMs, signal);
    }
  }

  return {
    pacing,
    async read(path, schema, signal) {
      for (let tries = 0; ; tries += 1) {
        const pause = REPEATS[tries];
        try {
          const { reply, verdict } = await send("read", path, undefined, signal, HELD_UP_WITHIN);
          const isFine = reply.status >= 200 && reply.status < 300 && (verdict.code ?? CODE.fine) === CODE.fine;
          if (isFine) return readAs(reply, schema, path);
          const failure = failureOf(reply, verdict, `GET ${path.split("?")[0]}`);
          if (pause === undefined || !isTrouble(reply, verdict)) throw failure;
        } catch (error) {
          if (pause === undefined || !(error instanceof UnreachableFailure)) throw error;
        }
        await clock.sleep(pause, signal);
      }
    },
    cancel: (body, signal) => send("cancel", "/cancel_order", body, signal),
    order: (body, signal) => send("order", "/create_order", body, signal),
    close: () => http.close(),
  };
}

/** The marketplace's own trouble, which may be over in a moment. */
function isTrouble({ status }: HttpReply, { code }: Verdict): boolean {
  return code === CODE.database || (code === undefined && status >= 500);
}

function readAs<T extends z.ZodType>(reply: HttpReply, schema: T, path: string): z.output<T> {
  const read = schema.safeParse(reply.json);
  if (read.success) return read.data;
  throw new MarketFailure(
    `Clore answered GET ${path.split("?")[0]} with what cannot be read (HTTP ${reply.status}): ${plain(reply.text, 160) || "(empty answer)"}`,
    "Perhaps a proxy answers in its place, or 'api-url' is wrong.",
    { cause: read.error },
  );
}

/** The failure that an answer other than a good one stands for. */
export function failureOf(reply: HttpReply, verdict: Verdict, request: string): TokenFailure | MarketFailure {
  const { code } = verdict;
  const reason = code === undefined ? plain(reply.text, 160) || "(empty answer)" : verdict.reason;
  const refusesToken = code === CODE.badToken || ((reply.status === 401 || reply.status === 403) && reply.json !== undefined);
  if (refusesToken) {
    return new TokenFailure(
      `Clore does not accept the token (HTTP ${reply.status} to ${request}: ${reason})`,
      "Check the 'token' input: the secret may be missing, expired or of another marketplace. Runs of forks and of Dependabot get no secrets.",
    );
  }
  return new MarketFailure(`Clore answered ${request} with HTTP ${reply.status}: ${reason}`, adviseOn(reply, code), {
    retryAfterMs: reply.retryAfterMs,
  });
}

function adviseOn({ status, text }: HttpReply, code: number | undefined): string {
  if (code === CODE.tooMany || status === 429)
    return "Too many jobs use this key at the same time: fewer at once would be faster.";
  if (/error code: 10\d\d/.test(text)) return "Cloudflare, which stands before Clore, does not let this runner's address in.";
  return code === CODE.database || status >= 500
    ? "The marketplace has trouble; try again later."
    : "The marketplace did not take this request. Is 'api-url' right?";
}
