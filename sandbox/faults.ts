import type { ServerResponse } from "node:http";
import { encodeReply, htmlReply, type Reply } from "./reply.ts";
import type { RecordedRequest } from "./requests.ts";
import { parseRoute, type Route } from "./route.ts";

/**
 * What goes wrong with a request. `before` and `after` are relative to its effect. All `ms` are real milliseconds.
 * - `reset-…`: the connection is cut without an answer
 * - `hang-…`: the connection stays open without an answer
 * - `status`, `html`: this answer instead of the true one; the request has its effect only with `effect: true`
 * - `malformed`: the request has its effect, the answer is cut off in the middle
 * - `late-effect`: no answer (`connection` says how), and the effect comes `ms` later
 * - `slow`: the effect comes at once, the answer `ms` later
 */
export type Fault =
  | { readonly kind: "reset-before" | "reset-after" | "hang-before" | "hang-after" | "malformed" }
  | {
      readonly kind: "status";
      readonly status: number;
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
      readonly effect?: boolean;
    }
  | { readonly kind: "html"; readonly status: number; readonly effect?: boolean }
  | { readonly kind: "late-effect"; readonly ms: number; readonly connection?: "reset" | "hang" }
  | { readonly kind: "slow"; readonly ms: number };

export interface FaultRule {
  /** A route, such as `POST /procure_offer` or `DELETE /resources/:id`. */
  readonly on: string;
  /** The first request of this route that it strikes, counted from when the rule was added; 1 unless told. */
  readonly nth?: number;
  /** How many requests in a row it strikes; 1 unless told, `Infinity` for all. */
  readonly times?: number;
  readonly do: Fault;
}

/** A fault that struck, and the number of the request that it struck. */
export interface Strike {
  readonly on: string;
  readonly kind: Fault["kind"];
  readonly request: number;
}

export interface Faults {
  add(rule: FaultRule): void;
  clear(): void;
  /** What struck so far: a test that relies on a fault shows with this that it happened. */
  strikes(): readonly Strike[];
  /** The fault for this request, if any; counts the request. */
  strike(request: RecordedRequest): Fault | undefined;
}

export function scriptFaults(): Faults {
  let rules: { readonly rule: FaultRule; readonly route: Route; seen: number }[] = [];
  const strikes: Strike[] = [];
  return {
    add(rule) {
      rules.push({ rule, route: parseRoute(rule.on), seen: 0 });
    },
    clear() {
      rules = [];
    },
    strikes: () => strikes,
    strike(request) {
      let struck: FaultRule | undefined;
      for (const entry of rules) {
        if (!entry.route.match(request.method, request.path)) continue;
        entry.seen += 1;
        const first = entry.rule.nth ?? 1;
        if (entry.seen >= first && entry.seen < first + (entry.rule.times ?? 1)) struck ??= entry.rule;
      }
      if (struck) strikes.push({ on: struck.on, kind: struck.do.kind, request: request.number });
      return struck?.do;
    },
  };
}

/** Answers through a fault. `effect` does what the request asks for and gives the true answer; `later` runs work after a delay. */
export function answerThrough(
  fault: Fault | undefined,
  effect: () => Reply,
  response: ServerResponse,
  later: (ms: number, work: () => void) => void,
): void {
  const send = (reply: Reply, cut = false) => {
    const { text, headers } = encodeReply(reply);
    response.writeHead(reply.status, headers);
    response.end(cut ? text.slice(0, Math.ceil(text.length / 2)) : text);
  };
  const reset = () => response.socket?.resetAndDestroy();
  switch (fault?.kind) {
    case undefined:
      send(effect());
      break;
    case "reset-before":
      reset();
      break;
    case "reset-after":
      effect();
      reset();
      break;
    case "hang-before":
      break;
    case "hang-after":
      effect();
      break;
    case "malformed":
      send(effect(), true);
      break;
    case "status":
      if (fault.effect) effect();
      send({
        status: fault.status,
        body: fault.body ?? { detail: `fault ${fault.status}` },
        ...(fault.headers ? { headers: fault.headers } : {}),
      });
      break;
    case "html":
      if (fault.effect) effect();
      send(htmlReply(fault.status));
      break;
    case "late-effect":
      if (fault.connection !== "hang") reset();
      later(fault.ms, effect);
      break;
    case "slow": {
      const reply = effect();
      later(fault.ms, () => send(reply));
      break;
    }
  }
}
