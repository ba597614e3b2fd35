import { crowd, server } from "./clore/servers.ts";
import type { WorldOptions } from "./world.ts";

/** What the marketplace of a demo is, where it is not Compute Clear with its usual stock. */
export function demoMarket(provider: "compute-clear" | "clore"): Pick<WorldOptions, "clore"> {
  if (provider === "compute-clear") return {};
  const pair = server(28_730, 9.6, { gpu: "2x NVIDIA GeForce RTX 4090" });
  return { clore: { servers: [server(28_726, 3.92), server(28_727, 4.4, { country: "US" }), pair, ...crowd(2_200)] } };
}
