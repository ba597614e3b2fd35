import { getInput } from "@actions/core";
import * as z from "zod";
import { InputFailure } from "../lease/failure.ts";
import type { Providers } from "../lease/provider-facts.ts";
import { baseUrl, marketToken } from "./input-account.ts";
import { secretToken } from "./input-credentials.ts";
import { choice, flag, wholeNumber } from "./input-values.ts";

/** Every input of the sweep, with the default that stands in sweep/action.yml. */
export const sweepDefaults = {
  provider: "compute-clear",
  token: "",
  "api-url": "",
  "github-token": "",
  "dry-run": "false",
  "max-deletions": "20",
  "all-repositories": "false",
} as const;

export type SweepInputName = keyof typeof sweepDefaults;

/** What a sweep was asked for. Holds secrets. */
export interface SweepPlan {
  readonly provider: string;
  readonly token: string;
  readonly apiUrl: string;
  readonly gitHubToken?: string;
  readonly dryRun: boolean;
  readonly maxDeletions: number;
  readonly allRepositories: boolean;
}

export function readSweepInputs(): Readonly<Record<SweepInputName, string>> {
  const names: readonly SweepInputName[] = [
    "provider",
    "token",
    "api-url",
    "github-token",
    "dry-run",
    "max-deletions",
    "all-repositories",
  ];
  const read = Object.fromEntries(names.map((name) => [name, getInput(name)]));
  return z.record(z.enum(names), z.string()).parse(read);
}

/** Throws one InputFailure with a sentence for each input that is not right. */
export function parseSweepInputs(raw: Readonly<Record<SweepInputName, string>>, providers: Providers): SweepPlan {
  const given = Object.fromEntries(
    Object.entries(sweepDefaults).map(([name, standard]) => {
      const text =
        Object.entries(raw)
          .find(([one]) => one === name)?.[1]
          .trim() ?? "";
      return [name, text || standard || undefined];
    }),
  );
  const schema = z.object({
    provider: choice(Object.keys(providers)),
    token: marketToken(),
    "api-url": baseUrl().optional(),
    "github-token": secretToken().optional(),
    "dry-run": flag(),
    "max-deletions": wholeNumber(0, 1_000),
    "all-repositories": flag(),
  } satisfies Record<SweepInputName, z.ZodType>);
  const parsed = schema.safeParse(given);
  const problems = (parsed.error?.issues ?? []).map(({ message, path }) => `Input '${String(path[0])}' ${message}`);
  const facts = Object.entries(providers).find(([name]) => name === given["provider"])?.[1];
  if (facts?.keepsNames === false) {
    problems.push(
      `Input 'provider' is '${given["provider"]}', which keeps no names of machines, so that a sweep cannot tell whose they are; it takes a marketplace that does.`,
    );
  }
  if (!parsed.success || facts === undefined || problems.length > 0) throw new InputFailure(problems);
  const { data } = parsed;
  return {
    provider: data.provider,
    token: data.token,
    apiUrl: data["api-url"] ?? facts.apiUrl,
    ...(data["github-token"] === undefined ? {} : { gitHubToken: data["github-token"] }),
    dryRun: data["dry-run"],
    maxDeletions: data["max-deletions"],
    allRepositories: data["all-repositories"],
  };
}
