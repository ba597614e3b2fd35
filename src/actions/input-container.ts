import * as z from "zod";
import type { PublishedPort } from "../lease/plan.ts";
import type { ProviderFacts } from "../lease/provider-facts.ts";
import { environment } from "./input-lines.ts";
import { type InputName, inputDefaults } from "./input-names.ts";
import type { ReportProblem, SoundValues } from "./input-schema.ts";
import type { Secrets } from "./input-secrets.ts";
import { complain, orList, quote } from "./input-values.ts";

/** The inputs that are for marketplaces which rent containers, and what does not go with these. */

const IMAGE = /^[a-z0-9][\w.-]*(?::\d{1,5})?(?:\/[\w.-]+)*(?::[\w.-]{1,128})?(?:@sha256:[0-9a-f]{64})?$/i;

export function imageName() {
  const allowed = "the name of a Docker image, like 'cloreai/jupyter:ubuntu24.04-v2'";
  return z
    .string({ error: ({ input }) => complain(input, allowed) })
    .refine((text) => text.length <= 300 && IMAGE.test(text), { error: ({ input }) => complain(input, allowed) });
}

const SSH_PORT = 22;
/** What an order is known by: see src/market/clore/orders.ts. */
const RESERVED = { first: 40_000, last: 64_999 };
const MOST_PORTS = 10;

/** Lines `8888/http` or `6006/tcp`. */
export function publishedPorts() {
  return z.string().transform((input, context): PublishedPort[] => {
    const ports = new Map<number, PublishedPort>();
    const refuse = (message: string) => context.addIssue(message);
    for (const word of input.split(/[,\n]/).map((one) => one.trim())) {
      if (word === "") continue;
      const [, digits, kind] = /^(\d{1,5})\/(tcp|http)$/.exec(word) ?? [];
      const port = Number(digits);
      if ((kind !== "tcp" && kind !== "http") || port < 1 || port > 65_535) {
        refuse(`names ${quote(word)}; it takes ports of the container with their kind, like '6006/tcp' or '8888/http'.`);
      } else if (port === SSH_PORT) {
        refuse("names port 22, which is published anyway, for SSH; leave it out.");
      } else if (port >= RESERVED.first && port <= RESERVED.last) {
        refuse(
          `names ${quote(word)}; ports from ${RESERVED.first} to ${RESERVED.last} are how an order is told from others: take another.`,
        );
      } else if (ports.has(port)) {
        refuse(`names port ${port} twice; it takes each once.`);
      } else {
        ports.set(port, { port, kind });
      }
    }
    const all = [...ports.values()];
    if (all.filter(({ kind }) => kind === "http").length > 1)
      refuse("names more than one http port; the marketplace takes one, and any number of tcp.");
    if (all.length > MOST_PORTS) refuse(`names ${all.length} ports; it takes at most ${MOST_PORTS}.`);
    return all;
  });
}

const LONGEST_VALUE = 240;

/** As `env`, but for what the marketplace is known to refuse without a word. */
export function containerEnvironment(env: Readonly<Record<string, string | undefined>>, secrets: Secrets) {
  return environment(env, secrets).superRefine((values, context) => {
    for (const [name, value] of Object.entries(values)) {
      if (/[^\x20-\x7e]|&/.test(value) || value.length > LONGEST_VALUE) {
        context.addIssue(
          `has for ${quote(name)} a value that the marketplace does not take; it takes up to ${LONGEST_VALUE} printable ASCII characters without '&'. Set others in 'run'.`,
        );
      }
    }
  });
}

const onlyContainer = ["image", "currency", "ports", "container-env"] as const;

type Given = Partial<Record<InputName, string>>;

/** What has no meaning at this marketplace. */
export function checkProvider(given: Given, values: SoundValues, facts: ProviderFacts | undefined, problem: ReportProblem): void {
  const { provider } = values;
  if (facts === undefined || provider === undefined) return;
  if (facts.rents === "vm") {
    for (const name of onlyContainer) {
      const standard = Object.entries(inputDefaults).find(([one]) => one === name)?.[1];
      if (given[name] !== undefined && given[name] !== standard) {
        problem(name, `does nothing with provider '${provider}', which rents whole machines; remove it.`);
      }
    }
    if (given["min-reliability"] !== undefined) {
      problem(
        "min-reliability",
        `does nothing with provider '${provider}', which does not tell how reliable its machines are; remove it.`,
      );
    }
    return;
  }
  const { currency, docker } = values;
  if (currency !== undefined && !facts.currencies.includes(currency)) {
    problem("currency", complain(currency, orList(facts.currencies.map((one) => `'${one}'`))));
  }
  if (docker === "require") {
    problem(
      "docker",
      `is 'require', but provider '${provider}' rents containers, in which docker does not run; set it to 'auto', put what the jobs need into 'image', or rent from 'compute-clear'.`,
    );
  }
}
