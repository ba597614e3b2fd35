import { isAbsolute, resolve, sep } from "node:path";
import * as z from "zod";
import type { Transfer } from "../lease/plan.ts";
import { type Secrets, secretIn } from "./input-secrets.ts";
import { orList, quote } from "./input-values.ts";

/** Schemas of the inputs that are written line by line. Problems name the line, counted from 1. */

interface Line {
  readonly number: number;
  readonly text: string;
}

function linesOf(input: string): readonly Line[] {
  return input
    .split(/\r?\n/)
    .map((text, index) => ({ number: index + 1, text }))
    .filter(({ text }) => text.trim() !== "");
}

/** Where local paths start: `~` is `home`, relative ones lie in `workspace`. */
export interface LocalRoots {
  readonly workspace: string;
  readonly home: string;
}

export function resolveLocal(path: string, roots: LocalRoots): string {
  return path === "~" || path.startsWith("~/") ? resolve(roots.home, path.slice(2)) : resolve(roots.workspace, path);
}

const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const LONGEST_ENV_NAME = 128;
// Names that are too long to be one are not quoted: a line of a secret can look like a name.
const LONGEST_QUOTED_NAME = 40;
/** What the runner keeps for actions: tokens of the run, and the inputs and state of this step. */
const RUNNERS_OWN = /^(?:GITHUB_TOKEN|GH_TOKEN|ACTIONS_.*|INPUT_.*|STATE_.*)$/i;

/**
 * `NAME=value`, or bare `NAME` for the value in `env`. A value is never quoted, for it may be a secret; neither is a line
 * that has no name.
 */
export function environment(env: Readonly<Record<string, string | undefined>>, secrets: Secrets) {
  return z.string().transform((input, context) => {
    const values = new Map<string, string>();
    for (const { number, text } of linesOf(input)) {
      const equals = text.indexOf("=");
      // A space before '=' is not cut off: who writes one expects another value than the one that a shell would set.
      const name = equals < 0 ? text.trim() : text.slice(0, equals).trimStart();
      const called = name.length <= LONGEST_QUOTED_NAME ? quote(name) : "a long name";
      const problem = (why: string) => context.addIssue(`has in line ${number} ${why}`);
      if (!ENV_NAME.test(name) || name.length > LONGEST_ENV_NAME) {
        problem(
          "no name of a variable; it takes lines NAME=value or NAME, with letters, digits and '_', and no space around '='.",
        );
        continue;
      }
      if (equals < 0 && RUNNERS_OWN.test(name)) {
        problem(
          `${called}, which belongs to this workflow run; it takes names of other variables, for no such token reaches the machine.`,
        );
        continue;
      }
      const value = equals >= 0 ? text.slice(equals + 1) : Object.hasOwn(env, name) ? env[name] : undefined;
      const secret = secretIn(value ?? "", secrets);
      if (value === undefined) {
        problem(`${called}, which is not set in this step; it takes NAME=value, or names that the step's 'env:' sets.`);
      } else if (values.has(name)) {
        problem(`${called} for the second time; it takes each name once.`);
      } else if (secret !== undefined) {
        problem(`${called} with ${secret.called} in its value; it takes anything but that, for ${secret.whyNot}`);
      } else {
        values.set(name, value);
      }
    }
    return Object.fromEntries(values);
  });
}

/** Splits `from -> to` lines, and reports those that are something else. */
function readTransfers(
  input: string,
  shape: string,
  refuse: (message: string) => void,
): readonly (Transfer & { readonly line: number })[] {
  return linesOf(input).flatMap(({ number, text }) => {
    const [from, to, ...more] = ` ${text.trim()} `.split(" -> ").map((part) => part.trim());
    if (!from || !to || more.length > 0 || /\p{Cc}/u.test(text)) {
      refuse(`has in line ${number} ${quote(text)}; it takes lines '${shape}', with one ' -> ' and a path on either side.`);
      return [];
    }
    return [{ from, to, line: number }];
  });
}

/** `local -> remote` lines; `exists` is asked for the absolute local path. */
export function uploads(roots: LocalRoots, exists: (path: string) => boolean) {
  return z.string().transform((input, context): Transfer[] =>
    readTransfers(input, "local -> remote", (message) => context.addIssue(message)).map(({ from, to, line }) => {
      const local = resolveLocal(from, roots);
      if (!exists(local)) {
        const cure = /[*?[\]{}]/.test(from)
          ? "patterns are not expanded here: name the directory, and what is to stay behind in 'upload-ignore'."
          : `it takes a file or directory that is there when this step starts, and looked for ${quote(local)}.`;
        context.addIssue(`has in line ${line} the local path ${quote(from)}, which does not exist; ${cure}`);
      }
      return { from: local, to };
    }),
  );
}

/** `remote -> local` lines. */
export function downloads(roots: LocalRoots) {
  const inWorkspace = (path: string) => path === roots.workspace || path.startsWith(roots.workspace + sep);
  return z.string().transform((input, context): Transfer[] =>
    readTransfers(input, "remote -> local", (message) => context.addIssue(message)).map(({ from, to, line }) => {
      const local = resolveLocal(to, roots);
      if (!isAbsolute(to) && !/^~(?:\/|$)/.test(to) && !inWorkspace(local)) {
        context.addIssue(
          `has in line ${line} the local path ${quote(to)}, which leaves the workspace; it takes paths within, or absolute ones.`,
        );
      }
      // Resolving takes the slash away that says "into this directory".
      return { from, to: to.endsWith("/") && !local.endsWith(sep) ? `${local}${sep}` : local };
    }),
  );
}

/** One pattern a line, in gitignore syntax: a comma is part of a pattern, and so is a leading space. */
export function patterns() {
  return z.string().transform((input) => linesOf(input).map(({ text }) => text.trimEnd()));
}

const shells = ["bash", "sh", "python"];

export function shellCommand() {
  return z.string().refine((text) => shells.includes(text) || (text.includes("{0}") && !/\p{Cc}/u.test(text)), {
    error: ({ input }) =>
      `is ${quote(String(input))}; it takes ${orList(shells.map((one) => `'${one}'`))}, or a command with {0} where the script's path goes.`,
  });
}
