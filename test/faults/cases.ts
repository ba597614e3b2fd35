import { createHash } from "node:crypto";
import type { Fault } from "../../sandbox/faults.ts";
import type { Moment } from "../../sandbox/serve.ts";
import { type Life, lives, SCALE } from "./lives.ts";

/** A boundary of a life: the nth request of a route, of the marketplace or of GitHub. */
export interface Boundary {
  readonly api: "market" | "github";
  /** `POST /procure_offer`, with `:id` for what is no word. */
  readonly route: string;
  readonly nth: number;
}

/**
 * What happens to the process: `kill` is SIGKILL, `cancel` SIGINT with the runner's graces, both followed by post; `shutdown` is SIGTERM
 * and no post ever.
 */
export type Blow = "kill" | "cancel" | "shutdown";
export type Disturbance = { readonly blow: Blow; readonly at: Moment } | { readonly fault: Fault };

const MINUTE = 60_000;
const blows = (["kill", "cancel", "shutdown"] as const).flatMap((blow) =>
  (["arrived", "took-effect", "answered"] as const).map((at) => [`${blow} when it ${at}`, { blow, at }] as const),
);

/** Every disturbance by its name, which stands in the id of a case. */
export const disturbances: Readonly<Record<string, Disturbance>> = {
  ...Object.fromEntries(blows),
  "cut before": { fault: { kind: "reset-before" } },
  "cut after": { fault: { kind: "reset-after" } },
  "silence before": { fault: { kind: "hang-before" } },
  "silence after": { fault: { kind: "hang-after" } },
  "minutes late": { fault: { kind: "late-effect", ms: (2 * MINUTE) / SCALE } },
  "500": { fault: { kind: "status", status: 500 } },
  "500 after": { fault: { kind: "status", status: 500, effect: true } },
  "429": { fault: { kind: "status", status: 429, headers: { "retry-after": "3" } } },
  "502 as HTML": { fault: { kind: "html", status: 502 } },
  "502 as HTML after": { fault: { kind: "html", status: 502, effect: true } },
  "half an answer": { fault: { kind: "malformed" } },
};

export interface Case extends Boundary {
  readonly life: Life;
  readonly disturbance: string;
}

/** One line that says which case it is, and replays it: `npm run test:faults -- --only '<id>'`. */
export function writeCase({ api, disturbance, life, nth, route }: Case): string {
  return `${life} | ${api} ${route} #${nth} | ${disturbance}`;
}

export function readCase(id: string): Case {
  const [, life = "", api = "", route = "", nth = "", disturbance = ""] =
    /^(.+?) \| (market|github) (\S+ \S+) #(\d+) \| (.+)$/.exec(id) ?? [];
  const known = lives.find((one) => one === life);
  if (known === undefined || (api !== "market" && api !== "github") || disturbances[disturbance] === undefined) {
    throw new Error(
      `'${id}' is no case. A case looks like: compute-clear ssh | market POST /procure_offer #1 | kill when it arrived`,
    );
  }
  return { life: known, api, route, nth: Number(nth), disturbance };
}

/** Every disturbance at every boundary of a life. */
export function casesOf(life: Life, boundaries: readonly Boundary[]): readonly Case[] {
  return boundaries.flatMap((boundary) => Object.keys(disturbances).map((disturbance) => ({ life, ...boundary, disturbance })));
}

/** A part of all cases, always the same one, spread over lives, boundaries and disturbances. */
export function spread(cases: readonly Case[], most: number): readonly Case[] {
  const placeOf = (one: Case) => createHash("sha256").update(writeCase(one)).digest("hex");
  const mixed = cases.map((one) => ({ one, place: placeOf(one) })).sort((left, right) => (left.place < right.place ? -1 : 1));
  return mixed.slice(0, most).map(({ one }) => one);
}

/** Ids in a path by a word that stands for them, so that a route is the same in every life. */
export function routeOf(method: string, path: string): string {
  const segments = path.split("/").map((segment) => (/\d/.test(segment) ? ":id" : segment));
  return `${method} ${segments.join("/")}`;
}
