import { type InputName, inputDefaults, type RawInputs } from "./input-names.ts";
import { isSecretInput, marketTokenIn, type Secrets, secretIn } from "./input-secrets.ts";

const scripts: readonly InputName[] = ["run", "cloud-init", "env", "upload-ignore"];

/** The text of an input, its default when blank, or undefined. Scripts keep their whitespace. */
export function textOf(name: InputName, raw: RawInputs): string | undefined {
  const trimmed = raw[name].trim();
  if (trimmed !== "") return scripts.includes(name) ? raw[name] : trimmed;
  return Object.entries(inputDefaults).find(([one]) => one === name)?.[1];
}

/** Why an input cannot even be looked at. Such a text is never quoted. */
export function whyNoText(name: InputName, text: string, secrets: Secrets): string | undefined {
  if (text.includes("\0")) return "holds a NUL character; it takes text without one.";
  if (name === "token") return undefined;
  // Tokens of GitHub are what the other secret inputs take; the credentials check tells them apart.
  const secret = isSecretInput(name) ? marketTokenIn(text, secrets) : secretIn(text, secrets);
  return secret && `holds ${secret.called}; ${secret.takes}, for ${secret.whyNot}`;
}
