/** The marketplaces that can be asked for, as the `provider` input writes them. */
export const providerNames = ["compute-clear"] as const;

export type ProviderName = (typeof providerNames)[number];
