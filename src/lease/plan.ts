import type { ProviderName } from "./provider-names.ts";

/** What to rent. An absent field means that anything will do. */
export interface Wish {
  /** Families or canonical names, at least one. */
  readonly gpuTypes: readonly string[];
  readonly gpuCount: number;
  readonly contractType: "ondemand" | "spot";
  readonly regions: readonly string[];
  readonly vendors: readonly string[];
  readonly excludedVendors: readonly string[];
  /** USD. */
  readonly maxPricePerGpuHour?: number;
}

/** Bounds, all durations in milliseconds, money in USD. */
export interface Limits {
  readonly maxCost?: number;
  readonly maxLifetime: number;
  readonly maxAttempts: number;
  readonly waitForOffer: number;
  readonly provisionTimeout: number;
  readonly pollInterval: number;
  readonly cleanupTimeout: number;
}

export interface Transfer {
  readonly from: string;
  readonly to: string;
}

/** What the machine is to do in ssh mode. */
export interface Work {
  readonly run?: string;
  readonly shell: string;
  readonly workingDirectory?: string;
  readonly env: Readonly<Record<string, string>>;
  /** Local paths are absolute; remote ones are as written. */
  readonly uploads: readonly Transfer[];
  readonly uploadIgnore: readonly string[];
  readonly downloads: readonly Transfer[];
}

/** What the workflow author asked for: parsed, checked, frozen. Holds a secret (`token`), so it is never printed whole. */
export interface Plan {
  readonly provider: ProviderName;
  readonly token: string;
  /** Without a trailing slash. */
  readonly apiUrl: string;
  readonly wish: Wish;
  readonly limits: Limits;
  readonly work: Work;
  readonly verifyGpu: boolean;
  readonly hostKey: "strict" | "first-sight";
  /** The user's own `#cloud-config` or `#!` script. */
  readonly cloudInit?: string;
  readonly release: "post" | "after-run";
  readonly dryRun: boolean;
}

/** Where this step runs, from the variables that the runner sets. */
export interface RunContext {
  /** `owner/repo`. */
  readonly repository: string;
  readonly runId: string;
  readonly runAttempt: number;
  /** Directory for files that live as long as the job. */
  readonly tempDirectory: string;
  /** Directory that relative local paths start from. */
  readonly workspace: string;
}
