import { InputFailure } from "../lease/failure.ts";
import type { Plan } from "../lease/plan.ts";
import type { ProviderName } from "../lease/provider-names.ts";
import { type CheckUserScript, readCloudInit } from "./input-cloud-init.ts";
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

const providerApiUrls = {
  "compute-clear": "https://supply-api.compute-desk.com",
} as const satisfies Record<ProviderName, string>;

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
  checkCombinations(given, values, problem);
  const cloudInit = readCloudInit(values, surroundings, secrets, checkUserScript, problem);
  const identity = readRunnerIdentity(given, values, surroundings.run, problem);

  if (!parsed.success || problems.length > 0) throw new InputFailure(problems);
  return freeze(makePlan(parsed.data, cloudInit, identity));
}

function makePlan(values: InputValues, cloudInit: string | undefined, identity: RunnerIdentity | undefined): Plan {
  const workingDirectory = values["working-directory"];
  const maxPrice = values["max-price-per-gpu-hour"];
  const maxCost = values["max-cost"];
  const maxLifetime = values["max-lifetime"];
  const usualTimeout = values["gpu-count"] >= BARE_METAL_FROM ? 30 * MINUTE : 15 * MINUTE;
  return {
    provider: values.provider,
    token: values.token,
    apiUrl: values["api-url"] ?? providerApiUrls[values.provider],
    wish: {
      gpuTypes: values["gpu-type"],
      gpuCount: values["gpu-count"],
      contractType: values["contract-type"],
      regions: values.region ?? [],
      vendors: values.vendor ?? [],
      excludedVendors: values["exclude-vendor"] ?? [],
      ...(maxPrice === undefined ? {} : { maxPricePerGpuHour: maxPrice }),
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
    verifyGpu: values["verify-gpu"],
    hostKey: values["host-key"],
    ...(cloudInit === undefined ? {} : { cloudInit }),
    release: values.release,
    dryRun: values["dry-run"],
  };
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
