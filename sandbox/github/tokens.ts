import type { WorldClock } from "../world-clock.ts";

export type Access = "read" | "write";

/** What a token may do; a permission that is not named is `none`. Names as in the API. */
export interface Permissions {
  readonly actions?: Access;
  readonly administration?: Access;
  readonly contents?: Access;
  readonly organization_self_hosted_runners?: Access;
}

export interface TokenGrant {
  readonly token: string;
  readonly permissions: Permissions;
  /** Requests an hour, shared by all tokens of the same pool. */
  readonly limit: number;
  /** The token itself unless told. */
  readonly pool?: string;
  /** `owner/name`, in lower case; all unless told. */
  readonly repositories?: readonly string[];
  /** Milliseconds since the epoch, in the world's time; never unless told. */
  readonly expiresAt?: number;
}

/** What a request without a token may do. */
export const ANONYMOUS: TokenGrant = { token: "", permissions: {}, limit: 60 };

export interface Tokens {
  add(grant: TokenGrant): void;
  revoke(token: string): void;
  /** The grant of a living token. */
  find(token: string): TokenGrant | undefined;
}

export function keepTokens(clock: WorldClock, first: readonly TokenGrant[]): Tokens {
  const grants = new Map(first.map((grant) => [grant.token, grant]));
  return {
    add: (grant) => void grants.set(grant.token, grant),
    revoke: (token) => void grants.delete(token),
    find(token) {
      const grant = grants.get(token);
      return grant && (grant.expiresAt === undefined || clock.now() < grant.expiresAt) ? grant : undefined;
    },
  };
}

/** The secret of an authorization header; undefined without one. */
export function readAuthorization(header: string | undefined): string | undefined {
  return /^(?:bearer|token) (\S+)$/i.exec(header ?? "")?.[1];
}

export function allows(granted: Access | undefined, needed: Access): boolean {
  return granted === "write" || granted === needed;
}
