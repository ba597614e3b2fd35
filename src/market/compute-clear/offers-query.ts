import { stringify } from "yaml";
import type { Wish } from "../../lease/plan.ts";

/**
 * The body of POST /get_offers for one GPU type: YAML, as the API documents it. It takes one vendor and one region, so these go
 * only when single.
 */
export function writeOffersQuery(wish: Wish, gpuType: string): string {
  const [vendor, ...otherVendors] = wish.vendors;
  const [region, ...otherRegions] = wish.regions;
  return stringify({
    compute: {
      gpu_type: gpuType,
      gpu_count: wish.gpuCount,
      ...(wish.maxPricePerGpuHour === undefined ? {} : { max_price_per_gpu_hour: wish.maxPricePerGpuHour }),
      contract_type: wish.contractType,
    },
    ...(vendor !== undefined && otherVendors.length === 0 ? { vendor } : {}),
    ...(region !== undefined && otherRegions.length === 0 ? { region } : {}),
  });
}
