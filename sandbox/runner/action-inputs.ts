import { parse } from "yaml";
import * as z from "zod";

const manifestSchema = z.object({
  inputs: z
    .record(z.string(), z.object({ default: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional() }).nullable())
    .nullish(),
});

/** What the default of an input may refer to. */
export interface DefaultsContext {
  readonly githubToken: string;
  readonly jobStatus: "success" | "failure" | "cancelled";
  readonly jobTotal: number;
  /** From 0; the first of the matrix unless told. */
  readonly jobIndex?: number;
}

/**
 * The defaults of all inputs of an action.yml, `""` for those without, as the runner hands them over. Only the four expressions
 * of the context are evaluated; any other throws.
 */
export function readInputDefaults(actionYml: string, context: DefaultsContext): Record<string, string> {
  const values: Readonly<Record<string, string>> = {
    "github.token": context.githubToken,
    "job.status": context.jobStatus,
    "strategy.job-total": String(context.jobTotal),
    "strategy.job-index": String(context.jobIndex ?? 0),
  };
  const evaluate = (text: string) =>
    text.replace(/\$\{\{\s*(.*?)\s*\}\}/g, (_whole, expression: string) => {
      const value = values[expression];
      if (value === undefined)
        throw new Error(`The expression '${expression}' in action.yml is not one that the sandbox evaluates.`);
      return value;
    });
  const { inputs } = manifestSchema.parse(parse(actionYml));
  return Object.fromEntries(Object.entries(inputs ?? {}).map(([name, input]) => [name, evaluate(String(input?.default ?? ""))]));
}

/** INPUT_* variables: the name in upper case, spaces as underscores, dashes kept. */
export function inputVariables(inputs: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [`INPUT_${name.replaceAll(" ", "_").toUpperCase()}`, value]),
  );
}
