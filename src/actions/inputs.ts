import { InputFailure } from "../lease/failure.ts";
import type { ContainerWish, Plan } from "../lease/plan.ts";
import type { ProviderFacts, Providers } from "../lease/provider-facts.ts";
import { type CheckUserScript, checkContainerScript, readCloudInit } from "./input-cloud-init.ts";
import { checkCombinations } from "./input-combinations.ts";
import { makeGuarding, type RunnerIdentity, readRunnerIdentity } from "./input-guarding.ts";
import { type InputName, inputNames, type RawInputs } from "./input-names.ts";
import { type InputValues, inputSchema, type ReportProblem, type Surroundings } from "./input-schema.ts";
import { readSecrets } from "./input-secrets.ts";
import { textOf, whyNoText } from "./input-texts.ts";

export type { CheckUserScript } from "./input-cloud-init.ts";
export type { RawInputs } from "./input-names.ts";
export type { MachineSurroundings, Surroundings } from "./input-schema.ts";
export { parseReleaseInputs, type ReleaseInputs } from "./release-inputs.ts";

const MINUTE = 60_000;
// From 8 GPUs on a machine is bare metal, and boots accordingly.
const BARE_METAL_FROM = 8;

/**
 * Everything that the inputs ask for, checked and frozen. Throws one InputFailure that holds every problem found: each names
 * the input, its value (never a secret, nor the value of an environment variable) and what is allowed.
 */
export function parseInputs(raw: RawInputs, surroundings: Surroundings, checkUserScript: CheckUserScript): Plan {
  const problems: string[] = [];
  const problem: ReportProblem = (name, what) => {
    problems.push(`Input '${name}' ${what}`);
  };

  const secrets = readSecrets(raw);
  const given: Partial<Record<InputName, string>> = {};
  const refused = new Set<PropertyKey>();
  for (const name of inputNames) {
    const text = textOf(name, raw);
    if (text === undefined) continue;
    given[name] = text;
    const why = whyNoText(name, text, secrets);
    if (why === undefined) continue;
    problem(name, why);
    refused.add(name);
  }
  const accepted = () => Object.fromEntries(Object.entries(given).filter(([name]) => !refused.has(name)));

  const schema = inputSchema(surroundings, secrets);
  const parsed = schema.safeParse(accepted());
  const issues = (parsed.error?.issues ?? []).filter(({ path }) => !refused.has(path[0] ?? ""));
  for (const { path, message } of issues) {
    const name = inputNames.find((one) => one === path[0]);
    if (name === undefined) continue;
    problem(name, message);
    refused.add(name);
  }

  const values = schema.partial().parse(accepted());
  const facts = factsOf(values.provider, surroundings.providers);
  checkCombinations(given, values, facts, problem);
  const check = facts?.rents === "container" ? checkContainerScript : checkUserScript;
  const cloudInit = readCloudInit(values, surroundings, secrets, check, problem);
  const identity = readRunnerIdentity(given, values, surroundings.run, problem);

  if (!parsed.success || facts === undefined || problems.length > 0) throw new InputFailure(problems);
  return freeze(makePlan(parsed.data, facts, cloudInit, identity));
}

function factsOf(provider: string | undefined, providers: Providers): ProviderFacts | undefined {
  return Object.entries(providers).find(([name]) => name === provider)?.[1];
}

function makePlan(
  values: InputValues,
  facts: ProviderFacts,
  cloudInit: string | undefined,
  identity: RunnerIdentity | undefined,
): Plan {
  const workingDirectory = values["working-directory"];
  const maxPrice = values["max-price-per-gpu-hour"];
  const maxCost = values["max-cost"];
  const minReliability = values["min-reliability"];
  const maxLifetime = values["max-lifetime"];
  const usualTimeout = values["gpu-count"] >= BARE_METAL_FROM ? 30 * MINUTE : 15 * MINUTE;
  return {
    provider: values.provider,
    token: values.token,
    apiUrl: values["api-url"] ?? facts.apiUrl,
    wish: {
      gpuTypes: values["gpu-type"],
      gpuCount: values["gpu-count"],
      contractType: values["contract-type"],
      regions: values.region ?? [],
      vendors: values.vendor ?? [],
      excludedVendors: values["exclude-vendor"] ?? [],
      ...(maxPrice === undefined ? {} : { maxPricePerGpuHour: maxPrice }),
      ...(minReliability === undefined ? {} : { minReliability }),
      lifetime: maxLifetime,
    },
    limits: {
      ...(maxCost === undefined ? {} : { maxCost }),
      maxLifetime,
      maxAttempts: values["max-attempts"],
      waitForOffer: values["wait-for-offer"],
      provisionTimeout: values["provision-timeout"] ?? Math.min(usualTimeout, maxLifetime),
      pollInterval: values["poll-interval"],
      cleanupTimeout: values["cleanup-timeout"],
    },
    work: {
      ...(values.run === undefined ? {} : { run: values.run }),
      shell: values.shell,
      ...(workingDirectory === undefined ? {} : { workingDirectory }),
      env: values.env ?? {},
      uploads: values.upload ?? [],
      uploadIgnore: values["upload-ignore"] ?? [],
      downloads: values.download ?? [],
    },
    ...(identity === undefined ? {} : { guarding: makeGuarding(values, identity) }),
    ...(facts.rents === "vm" ? {} : { container: makeContainer(values) }),
    verifyGpu: values["verify-gpu"],
    // A container runs no cloud-init, so nothing brings our host key there.
    hostKey: facts.rents === "vm" ? values["host-key"] : "first-sight",
    ...(cloudInit === undefined ? {} : { cloudInit }),
    release: values.release,
    dryRun: values["dry-run"],
  };
}

function makeContainer({ currency, image, ports, "container-env": env }: InputValues): ContainerWish {
  return { image, currency, ports: ports ?? [], env: env ?? {} };
}

/** Every secret of a plan, to be masked. */
export function secretsOf({ token, guarding }: Pick<Plan, "token" | "guarding">): readonly string[] {
  if (guarding === undefined) return [token];
  const { credentials, runToken } = guarding;
  return [token, runToken, credentials.kind === "token" ? credentials.token : credentials.privateKey];
}

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(freeze);
  return value;
}
