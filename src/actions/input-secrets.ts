import type { InputName, RawInputs } from "./input-names.ts";

/** What must stand in no input but its own, and never reach the machine. */

const secretInputs = ["token", "github-token", "github-app-private-key", "run-token"] as const;
type SecretInput = (typeof secretInputs)[number];

/** The secrets of this step as they were given, trimmed. */
export type Secrets = Readonly<Partial<Record<SecretInput, string>>>;

// Shorter ones could be found in every second word.
const SHORTEST_TO_SEARCH_FOR = 8;
/** A line of a private key has 64 characters, its last one fewer. */
const SHORTEST_KEY_LINE = 32;

export function readSecrets(raw: RawInputs): Secrets {
  return Object.fromEntries(secretInputs.map((name) => [name, raw[name].trim()]));
}

export function isSecretInput(name: InputName): name is SecretInput {
  return secretInputs.some((one) => one === name);
}

/** A secret that was found, in words that hold none of it. The last two end a refusal: `…; <takes>, for <whyNot>`. */
export interface FoundSecret {
  readonly called: string;
  readonly takes: string;
  readonly whyNot: string;
}

const MARKET_TOKEN: FoundSecret = {
  called: "the marketplace token",
  takes: "only the input 'token' takes it",
  whyNot: "it must never reach the machine or a log.",
};
const GITHUB_TOKEN: FoundSecret = {
  called: "a GitHub token",
  takes: "it takes text without one",
  whyNot: "no such token reaches the machine. Check out on the runner and use 'upload', or in the GPU job of mode 'runner'.",
};
const APP_KEY: FoundSecret = {
  called: "the App's private key",
  takes: "only the input 'github-app-private-key' takes it",
  whyNot: "it must never reach the machine or a log.",
};

/** The first secret that stands somewhere in the text: one of these, or anything of the form of a GitHub token. */
export function secretIn(text: string, secrets: Secrets): FoundSecret | undefined {
  if (holds(text, secrets.token)) return MARKET_TOKEN;
  if (holdsGitHubToken(text) || holds(text, secrets["github-token"]) || holds(text, secrets["run-token"])) return GITHUB_TOKEN;
  return holdsKey(text, secrets["github-app-private-key"]) ? APP_KEY : undefined;
}

/** The marketplace's token stands in the text. */
export function marketTokenIn(text: string, { token }: Secrets): FoundSecret | undefined {
  return holds(text, token) ? MARKET_TOKEN : undefined;
}

function holds(text: string, secret: string | undefined): boolean {
  return secret !== undefined && secret.length >= SHORTEST_TO_SEARCH_FOR && text.includes(secret);
}

function holdsGitHubToken(text: string): boolean {
  return /\b(?:gh[pousr]_|github_pat_)[A-Za-z0-9_]{16}/.test(text);
}

/** Any whole line of the key, however its lines are broken in either. */
function holdsKey(text: string, key: string | undefined): boolean {
  const lines = (key ?? "").split(/\s+|\\n/).filter((line) => line.length >= SHORTEST_KEY_LINE);
  return lines.some((line) => text.includes(line));
}
