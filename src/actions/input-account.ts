import * as z from "zod";
import { complain, quote } from "./input-values.ts";

/** The two inputs that main and post need to talk to the marketplace: who we are, and where it is. */

const LONGEST_TOKEN = 4096;

/** The marketplace's token. No message holds any of it. */
export function marketToken() {
  return z
    .string({
      error:
        "is empty; it takes the marketplace's API token, from a secret (secrets.COMPUTE_CLEAR_TOKEN or what you named it). " +
        "A secret that does not exist comes out empty, and runs for a fork's or Dependabot's pull request get no secrets at all.",
    })
    .refine((token) => !/^(?:gh[pousr]_|github_pat_)/i.test(token), {
      error: "looks like a GitHub token; it must be the marketplace's own API token, for it is sent to the marketplace.",
      abort: true,
    })
    .pipe(oneToken("API token"));
}

/** One token and nothing else, of `kind`. */
export function oneToken(kind: string) {
  return z
    .string()
    .regex(/^[\x21-\x7e]*$/, {
      error:
        `holds whitespace, control characters or letters outside ASCII; it takes one ${kind} and nothing else. ` +
        "Was the secret saved with more than the token in it?",
      abort: true,
    })
    .refine((token) => token.length <= LONGEST_TOKEN, {
      error: `is longer than any ${kind}; it takes up to ${LONGEST_TOKEN} characters.`,
    });
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);
}

const ADDRESS = "an address like 'https://supply-api.compute-desk.com'";

/** Base URL without a trailing slash. A refused one is quoted only where nothing in it can be a secret. */
export function baseUrl() {
  return z.string().transform((text, context) => {
    const refuse = (message: string) => {
      context.addIssue(message);
      return z.NEVER;
    };
    if (/[\s\p{Cc}\\]/u.test(text) || !URL.canParse(text)) return refuse(`cannot be read as a URL; it takes ${ADDRESS}.`);
    const url = new URL(text);
    if (url.username !== "" || url.password !== "")
      return refuse(`holds credentials; it takes ${ADDRESS}, and 'token' the token.`);
    if (/[?#]/.test(text)) return refuse(`holds a query or a fragment; it takes ${ADDRESS} with nothing behind the path.`);
    if (url.protocol === "http:" && !isLoopback(url.hostname)) {
      return refuse(`is ${quote(text)}, which would send the token in the clear; it takes https, and http only on loopback.`);
    }
    if (url.protocol !== "https:" && url.protocol !== "http:") return refuse(complain(text, ADDRESS));
    return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
  });
}
