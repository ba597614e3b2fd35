import { createPublicKey, randomBytes, verify } from "node:crypto";
import * as z from "zod";
import type { Reply } from "../reply.ts";
import type { WorldClock } from "../world-clock.ts";
import { notFound, unauthorized } from "./replies.ts";
import type { Permissions, TokenGrant, Tokens } from "./tokens.ts";

export interface AppOptions {
  readonly id: number | string;
  /** PEM of the key with which its assertions are checked. */
  readonly publicKey: string;
  /** Repositories (`owner/name`) and organisations; the stand's own unless told. */
  readonly installedIn?: readonly string[];
  /** Of its installation tokens; administration and self-hosted runners of an organisation (write), actions (read) unless told. */
  readonly permissions?: Permissions;
  /** World milliseconds; an hour unless told. */
  readonly tokenLifetimeMs?: number;
}

/** A GitHub App with one installation. */
export interface App {
  /** The answer that refuses an assertion; undefined when it is right. */
  refuse(assertion: string | undefined): Reply | undefined;
  /** Its installation in a repository or an organisation. */
  installation(place: string): Reply;
  makeToken(installationId: string): Reply;
}

const INSTALLATION = 987_654;
const HOUR = 3_600_000;
/** https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app */
const LONGEST_ASSERTION = 600;
const claims = z.object({ iat: z.number().int(), exp: z.number().int(), iss: z.union([z.string(), z.number()]) });

function decodePart(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
  } catch {
    // No JSON: no assertion that could be right.
    return undefined;
  }
}

export function openApp(options: AppOptions, places: readonly string[], tokens: Tokens, clock: WorldClock): App {
  const key = createPublicKey(options.publicKey);
  const installedIn = (options.installedIn ?? places).map((place) => place.toLowerCase());
  return {
    refuse(assertion = "") {
      const [head = "", body = "", signature = ""] = assertion.split(".");
      const algorithm = z.object({ alg: z.literal("RS256") }).safeParse(decodePart(head));
      const signed = Buffer.from(`${head}.${body}`);
      if (!algorithm.success || !verify("RSA-SHA256", signed, key, Buffer.from(signature, "base64url")))
        return unauthorized("A JSON web token could not be decoded");
      const parsed = claims.safeParse(decodePart(body));
      if (!parsed.success) return unauthorized("Missing 'issuer' claim ('iss') in assertion");
      const { iat, exp, iss } = parsed.data;
      const now = clock.now() / 1000;
      if (String(iss) !== String(options.id)) return unauthorized("Integration must generate a public key");
      if (exp <= now)
        return unauthorized(
          "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
        );
      if (exp - now > LONGEST_ASSERTION) return unauthorized("'Expiration time' claim ('exp') is too far in the future");
      if (iat > now + 60)
        return unauthorized("'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued");
      return undefined;
    },
    installation(place) {
      if (!installedIn.includes(place.toLowerCase())) return notFound;
      return {
        status: 200,
        body: { id: INSTALLATION, app_id: options.id, target_type: place.includes("/") ? "User" : "Organization" },
      };
    },
    makeToken(installationId) {
      if (installationId !== String(INSTALLATION)) return notFound;
      const grant: TokenGrant = {
        token: `ghs_${randomBytes(18).toString("hex")}`,
        permissions: options.permissions ?? {
          actions: "read",
          administration: "write",
          organization_self_hosted_runners: "write",
        },
        limit: 5_000,
        pool: `installation ${INSTALLATION}`,
        expiresAt: clock.now() + (options.tokenLifetimeMs ?? HOUR),
      };
      tokens.add(grant);
      const expiresAt = new Date(grant.expiresAt ?? 0).toISOString().replace(/\.\d+Z$/, "Z");
      const { token, permissions } = grant;
      return { status: 201, body: { token, expires_at: expiresAt, permissions, repository_selection: "all" } };
    },
  };
}
