import { holdsGitHubToken, holdsToken } from "./input-account.ts";
import { type InputName, inputDefaults, type RawInputs } from "./input-names.ts";

const scripts: readonly InputName[] = ["run", "cloud-init", "env", "upload-ignore"];

/** The text of an input, its default when blank, or undefined. Scripts keep their whitespace. */
export function textOf(name: InputName, raw: RawInputs): string | undefined {
  const trimmed = raw[name].trim();
  if (trimmed !== "") return scripts.includes(name) ? raw[name] : trimmed;
  return Object.entries(inputDefaults).find(([one]) => one === name)?.[1];
}

/** Why an input cannot even be looked at. Such a text is never quoted. */
export function whyNoText(name: InputName, text: string, token: string): string | undefined {
  if (text.includes("\0")) return "holds a NUL character; it takes text without one.";
  if (name === "token") return undefined;
  if (holdsToken(text, token)) {
    return "holds the marketplace token; only the input 'token' takes it, for it must never reach the machine or a log.";
  }
  if (holdsGitHubToken(text)) {
    return "holds a GitHub token; it takes text without one, for no such token reaches the machine. Check out on the runner and use 'upload'.";
  }
  return undefined;
}
