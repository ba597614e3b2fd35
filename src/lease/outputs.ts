/** Names of the action's outputs, as action.yml lists them. */
export const outputNames = [
  "ip",
  "instances",
  "ssh-port",
  "ssh-user",
  "ssh-command",
  "ssh-config-path",
  "ssh-key-path",
  "runner-label",
  "resource-id",
  "offer-id",
  "vendor",
  "region",
  "gpu-type",
  "gpu-count",
  "price-per-hour",
  "expires-at",
  "exit-code",
  "endpoints",
  "attempts",
  "cost",
] as const;

export type Outputs = { readonly [name in (typeof outputNames)[number]]?: string | number };
