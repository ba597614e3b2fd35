import * as z from "zod";
import { formatDuration, parseDuration } from "../lease/duration.ts";
import { plain } from "../lease/plain.ts";

/**
 * Schemas of single inputs. Their messages follow the words `Input '<name>'`, and say the value and what is allowed.
 * They get trimmed text, and undefined where the input is blank.
 */

const LONGEST_QUOTE = 80;
const MOST_LISTED = 32;

/** A user's own text inside a sentence. */
export function quote(text: string): string {
  return `'${plain(text, LONGEST_QUOTE)}'`;
}

/** `is 'x'; it takes y.` */
export function complain(value: unknown, allowed: string): string {
  return value === undefined ? `is missing; it takes ${allowed}.` : `is ${quote(String(value))}; it takes ${allowed}.`;
}

function takes(allowed: string) {
  return { error: ({ input }: { readonly input?: unknown }) => complain(input, allowed) };
}

/** `a, b or c` */
export function orList(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

export function choice<const T extends string>(choices: readonly T[]) {
  return z.enum(choices, takes(orList(choices.map((one) => `'${one}'`))));
}

/** Booleans of YAML 1.2, as every other action takes them. */
export function flag() {
  return z
    .enum(["true", "True", "TRUE", "false", "False", "FALSE"], takes("'true' or 'false'"))
    .transform((text) => text.toLowerCase() === "true");
}

export function wholeNumber(least: number, most: number) {
  const allowed = takes(`a whole number from ${least} to ${most}`);
  return z
    .string(allowed)
    .regex(/^\d{1,9}$/, { ...allowed, abort: true })
    .transform(Number)
    .refine((value) => value >= least && value <= most, allowed);
}

/** USD. Six decimals are a millionth of a dollar; more is a slip of the pen. */
export function money() {
  const allowed = takes("an amount of USD above 0 without a currency sign, like '2.50', with at most 6 decimals");
  return z
    .string(allowed)
    .regex(/^\d{1,7}(\.\d{1,6})?$/, { ...allowed, abort: true })
    .transform(Number)
    .refine((value) => value > 0, allowed);
}

/** From 0 to 1. */
export function share() {
  const allowed = takes("a number from 0 to 1, like '0.98'");
  return z
    .string(allowed)
    .regex(/^(?:0(?:\.\d{1,6})?|1(?:\.0{1,6})?|\.\d{1,6})$/, { ...allowed, abort: true })
    .transform(Number);
}

/** Milliseconds. `because` follows the bounds in the refusal. */
export function duration(least: number, most: number, because = "") {
  const allowed = `a duration from ${formatDuration(least)} to ${formatDuration(most)}, written like '90s', '15m' or '2h'${because}`;
  return z.string(takes(allowed)).transform((text, context) => {
    const value = parseDuration(text);
    if (value !== undefined && value >= least && value <= most) return value;
    context.addIssue(complain(text, allowed));
    return z.NEVER;
  });
}

/** One line without control characters, such as a path or a command. */
export function line(what: string) {
  return z
    .string(takes(what))
    .refine((text) => !/\p{Cc}/u.test(text), takes(`${what}, on one line and without control characters`));
}

/**
 * Comma- or newline-separated words, each once whatever its case. `read` turns one into a value, or into undefined when it
 * is not among what is `allowed`.
 */
export function list<T extends string>(allowed: string, read: (word: string) => T | undefined, most = MOST_LISTED) {
  return z.string(takes(allowed)).transform((text, context) => {
    const words = new Map<string, T>();
    const before = context.issues.length;
    for (const word of text
      .split(/[,\n]/)
      .map((one) => one.trim())
      .filter((one) => one !== "")) {
      const value = read(word);
      if (value === undefined) context.addIssue(`names ${quote(word)}; it takes ${allowed}.`);
      else if (!words.has(value.toLowerCase())) words.set(value.toLowerCase(), value);
    }
    if (words.size === 0 && context.issues.length === before) context.addIssue(complain(text, allowed));
    if (words.size > most) context.addIssue(`names ${words.size} things; it takes at most ${most}.`);
    return [...words.values()];
  });
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}$/;

/** Names as marketplaces write them: of vendors, of GPUs. */
export function names(what: string) {
  return list(`${what} (letters, digits, spaces, '.', '_' and '-')`, (word) => (NAME.test(word) ? word : undefined));
}

/** One of the words, in any case, comes out as it is written here. */
export function wordsOf<const T extends string>(words: readonly T[]) {
  return list(orList(words), (word) => words.find((one) => one.toLowerCase() === word.toLowerCase()));
}

export function gpuTypes() {
  return names("GPU types like 'H100' or 'nvidia-h100-sxm5-80gb'").refine(
    (types) => !types.some((type) => type.toLowerCase() === "any"),
    {
      error: "names 'any', which would buy whatever is cheapest; it takes GPU types like 'H100' or 'nvidia-h100-sxm5-80gb'.",
    },
  );
}
