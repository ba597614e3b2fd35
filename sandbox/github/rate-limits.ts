import type { Reply } from "../reply.ts";
import type { WorldClock } from "../world-clock.ts";
import type { TokenGrant } from "./tokens.ts";

const HOUR = 3_600_000;
const DOCUMENTATION = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api";

/** Windows of an hour that begin with the first request that counts. https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api */
export interface RateLimits {
  /** The refusal of a request that may not be made now. */
  refuse(grant: TokenGrant): Reply | undefined;
  spend(grant: TokenGrant): void;
  headers(grant: TokenGrant): Record<string, string>;
  /** The next requests with this token are refused for being too many at once. */
  strikeSecondary(token: string, strike: SecondaryStrike): void;
  /** Leaves so many requests to the current window of this grant. */
  leave(grant: TokenGrant, remaining: number): void;
  /** Requests of a token that counted, over all windows. */
  counted(token: string): number;
}

export interface SecondaryStrike {
  /** 1 unless told. */
  readonly times?: number;
  /** Seconds; no such header where it is absent. */
  readonly retryAfter?: number;
  /** 403 unless told. */
  readonly status?: 403 | 429;
}

interface Window {
  used: number;
  readonly endsAt: number;
}

export function keepRateLimits(clock: WorldClock): RateLimits {
  const windows = new Map<string, Window>();
  const counts = new Map<string, number>();
  const strikes = new Map<string, { left: number; readonly strike: SecondaryStrike }>();
  const windowOf = (grant: TokenGrant): Window => {
    const pool = grant.pool ?? grant.token;
    const known = windows.get(pool);
    if (known && clock.now() < known.endsAt) return known;
    const fresh = { used: 0, endsAt: clock.now() + HOUR };
    windows.set(pool, fresh);
    return fresh;
  };
  const headers = (grant: TokenGrant) => {
    const { used, endsAt } = windowOf(grant);
    return {
      "x-ratelimit-limit": String(grant.limit),
      "x-ratelimit-remaining": String(Math.max(0, grant.limit - used)),
      "x-ratelimit-used": String(used),
      "x-ratelimit-reset": String(Math.ceil(endsAt / 1000)),
      "x-ratelimit-resource": "core",
    };
  };
  const refuseSecondary = (token: string): Reply | undefined => {
    const entry = strikes.get(token);
    if (!entry || entry.left <= 0) return undefined;
    entry.left -= 1;
    const { retryAfter, status = 403 } = entry.strike;
    return {
      status,
      body: {
        message: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
        documentation_url: `${DOCUMENTATION}#about-secondary-rate-limits`,
      },
      ...(retryAfter === undefined ? {} : { headers: { "retry-after": String(retryAfter) } }),
    };
  };
  return {
    refuse(grant) {
      const secondary = refuseSecondary(grant.token);
      if (secondary) return secondary;
      if (windowOf(grant).used < grant.limit) return undefined;
      return {
        status: 403,
        body: { message: "API rate limit exceeded for installation.", documentation_url: DOCUMENTATION, status: "403" },
      };
    },
    spend(grant) {
      windowOf(grant).used += 1;
      counts.set(grant.token, (counts.get(grant.token) ?? 0) + 1);
    },
    headers,
    strikeSecondary: (token, strike) => void strikes.set(token, { left: strike.times ?? 1, strike }),
    leave(grant, remaining) {
      windowOf(grant).used = grant.limit - remaining;
    },
    counted: (token) => counts.get(token) ?? 0,
  };
}
