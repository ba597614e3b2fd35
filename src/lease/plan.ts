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
  /** 0 to 1. */
  readonly minReliability?: number;
  /** Milliseconds that it has to be rentable for. */
  readonly lifetime?: number;
}

/** A port of a container that the outside is to reach. */
export interface PublishedPort {
  readonly port: number;
  readonly kind: "tcp" | "http";
}

/** What runs on a marketplace that rents containers. `env` may hold secrets. */
export interface ContainerWish {
  readonly image: string;
  readonly currency: string;
  readonly ports: readonly PublishedPort[];
  readonly env: Readonly<Record<string, string>>;
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

/** Where runners are registered. */
export type RunnerScope =
  | { readonly kind: "repository"; readonly owner: string; readonly repository: string }
  | { readonly kind: "organisation"; readonly owner: string };

/** Who creates and deletes runner records. Both hold secrets. */
export type RunnerCredentials =
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "app"; readonly appId: string; readonly privateKey: string };

/** What the machine is to do in runner mode. Durations are milliseconds. Holds secrets. */
export interface Guarding {
  /** What the GPU jobs name in `runs-on`, and all that the runners carry; at least one. */
  readonly labels: readonly string[];
  readonly scope: RunnerScope;
  readonly groupId: number;
  /** `latest`, or a version like `2.336.0`. */
  readonly version: string;
  /** Runners on the machine; they share its GPUs evenly. */
  readonly runners: number;
  readonly docker: "auto" | "require" | "none";
  readonly credentials: RunnerCredentials;
  /** Sees the run's jobs and cancels the run. */
  readonly runToken: string;
  /** The matrix that this job is of, and its place in it, from 0; a matrix of one where there is none. */
  readonly matrix: { readonly index: number; readonly total: number };
  readonly waitForJob: number;
  readonly requireJob: boolean;
  readonly hold: boolean;
  readonly mirror: boolean;
  readonly idleTimeout: number;
  readonly linger: number;
  readonly cancelGrace: number;
  readonly cancelRunOnFailure: boolean;
}

/** What the workflow author asked for: parsed, checked, frozen. Holds a secret (`token`), so it is never printed whole. */
export interface Plan {
  readonly provider: string;
  readonly token: string;
  /** Without a trailing slash. */
  readonly apiUrl: string;
  readonly wish: Wish;
  readonly limits: Limits;
  readonly work: Work;
  /** Runner mode; absent in ssh mode. */
  readonly guarding?: Guarding;
  /** Only where the marketplace rents containers. */
  readonly container?: ContainerWish;
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
  /** Base URL of GitHub's API, without a trailing slash. */
  readonly gitHubApiUrl: string;
  /** What GitHub calls the runner that this job runs on. */
  readonly runnerName: string;
  /** The action as workflows name it, `org/gpu-provision`; empty when it is used from a local folder. */
  readonly actionRepository: string;
  /** Directory that relative local paths start from. */
  readonly workspace: string;
}
