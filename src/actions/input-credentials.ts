import { createPrivateKey } from "node:crypto";
import * as z from "zod";
import { oneToken } from "./input-account.ts";
import { complain } from "./input-values.ts";

/** Schemas of the inputs that say who may create runners. No message holds any of a token or a key. */

export function secretToken() {
  return oneToken("GitHub token");
}

/** The App's number, or its client ID. */
export function appId() {
  return z.string().regex(/^(?:[1-9]\d{0,11}|Iv[A-Za-z0-9.]{6,60})$/, {
    error: ({ input }) => complain(input, "the App ID, a number, or the client ID that begins with 'Iv'"),
  });
}

const PEM = /^-----BEGIN ((?:RSA )?PRIVATE KEY)-----([A-Za-z0-9+/=\s]+)-----END \1-----$/;
const LONGEST_KEY = 20_000;
const NO_KEY =
  "is not the private key of an App; it takes the whole .pem file that GitHub made for it, " +
  "from '-----BEGIN RSA PRIVATE KEY-----' to '-----END RSA PRIVATE KEY-----'.";

/**
 * An RSA key in PEM form with lines of 64 characters. Secrets are often saved on one line, with `\n` written out or with spaces
 * where lines ended.
 */
export function privateKey() {
  return z.string().transform((text, context) => {
    const refuse = (message: string) => {
      context.addIssue(message);
      return z.NEVER;
    };
    if (text.length > LONGEST_KEY) return refuse(`has ${text.length} characters; a private key has up to ${LONGEST_KEY}.`);
    const match = PEM.exec(text.replaceAll("\\r", "").replaceAll("\\n", "\n").trim());
    if (match === null) return refuse(NO_KEY);
    const [, kind = "", body = ""] = match;
    const lines = body.replace(/\s+/g, "").match(/.{1,64}/g) ?? [];
    const key = [`-----BEGIN ${kind}-----`, ...lines, `-----END ${kind}-----`, ""].join("\n");
    try {
      if (createPrivateKey(key).asymmetricKeyType === "rsa") return key;
    } catch {
      // What OpenSSL says about a key that it cannot read helps nobody, and could quote it.
      return refuse("cannot be read as a private key. Was it cut off, or changed, when the secret was saved?");
    }
    return refuse("is not an RSA key; it takes the key that GitHub made for the App.");
  });
}
