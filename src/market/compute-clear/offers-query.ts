import type { Wish } from "../../lease/plan.ts";

/**
 * The body of POST /get_offers for one GPU type: YAML, as the API documents it. It takes one vendor and one region, so these go
 * only when single. A text in JSON is a text in YAML as well, which saves every step the loading of a YAML writer for five lines.
 */
export function writeOffersQuery(wish: Wish, gpuType: string): string {
  const [vendor, ...otherVendors] = wish.vendors;
  const [region, ...otherRegions] = wish.regions;
  return [
    "compute:",
    `  gpu_type: ${JSON.stringify(gpuType)}`,
    `  gpu_count: ${wish.gpuCount}`,
    ...(wish.maxPricePerGpuHour === undefined ? [] : [`  max_price_per_gpu_hour: ${wish.maxPricePerGpuHour}`]),
    `  contract_type: ${JSON.stringify(wish.contractType)}`,
    ...(vendor !== undefined && otherVendors.length === 0 ? [`vendor: ${JSON.stringify(vendor)}`] : []),
    ...(region !== undefined && otherRegions.length === 0 ? [`region: ${JSON.stringify(region)}`] : []),
    "",
  ].join("\n");
}
