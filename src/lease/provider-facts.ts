/** What the rest of the action has to know of a marketplace before it talks to it. */
export interface ProviderFacts {
  /** Base URL of its API, without a trailing slash. */
  readonly apiUrl: string;
  /** `vm`: a whole machine that runs a cloud-init script. `container`: a Docker container with SSH, which cannot. */
  readonly rents: "vm" | "container";
  /** Machines carry the name of their lease, so that a sweep can tell whose they are. */
  readonly keepsNames: boolean;
  /** What it can be paid with, as the `currency` input writes it; empty where there is no choice. */
  readonly currencies: readonly string[];
}

/** By the names that the `provider` input takes. */
export type Providers = Readonly<Record<string, ProviderFacts>>;
