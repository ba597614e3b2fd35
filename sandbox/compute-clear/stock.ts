/** A part that is made with a machine. `follows`: deleted with it. `outlives`: bills on until it is deleted itself. */
export interface StockPart {
  readonly type: string;
  readonly pricePerHour: number;
  readonly fate: "follows" | "outlives";
}

/** How the marketplace behaves about an entry of its stock; absent fields mean that all goes well. */
export interface Conduct {
  /**
   * - `fails`: HTTP 200 with `status: "failed"`, nothing is born
   * - `fails-half-born`: the same, but a machine is left that bills
   * - `expired`: 410, `taken`: 409; nothing is born
   */
  readonly sale?: "fails" | "fails-half-born" | "expired" | "taken";
  /** `never`: stays at provisioning for good. `fails`: ends as failed, and the remains bill. */
  readonly provisioning?: "never" | "fails";
  /** `answers-500`: no deletion is ever taken. `accepted-but-runs`: taken with 200, and nothing comes of it. */
  readonly deletion?: "answers-500" | "accepted-but-runs" | { readonly answers500: number };
  /** `html-404`: a proxy answers for `GET /resources/:id`, which says nothing about the machine. */
  readonly resourceReads?: "html-404";
}

/** Something that the marketplace can sell, again and again. Prices are USD. */
export interface StockEntry {
  readonly vendor: string;
  /** `US`, `EU`, `APAC` or `Other`. */
  readonly region: string;
  readonly vendorRegion: string;
  /** Canonical name: `nvidia-h100-sxm5-80gb`. */
  readonly gpuType: string;
  /** Family: `H100`. */
  readonly gpuFamily: string;
  readonly gpuCount: number;
  readonly pricePerGpuHour: number;
  /** Of the storage beyond the boot disk; it bills besides the GPUs. */
  readonly storagePricePerHour?: number;
  readonly contractType: "ondemand" | "spot";
  /** `vm` unless told. */
  readonly kind?: "vm" | "cluster";
  /** What `nvidia-smi` shows on the machine; the GPUs that were sold unless told. */
  readonly gpus?: { readonly name: string; readonly count: number };
  readonly parts?: readonly StockPart[];
  readonly conduct?: Conduct;
}

const entry = (
  vendor: string,
  [region, vendorRegion]: readonly [string, string],
  [gpuType, gpuFamily, name]: readonly [string, string, string],
  gpuCount: number,
  pricePerGpuHour: number,
  contractType: StockEntry["contractType"] = "ondemand",
): StockEntry => ({
  vendor,
  region,
  vendorRegion,
  gpuType,
  gpuFamily,
  gpuCount,
  pricePerGpuHour,
  contractType,
  gpus: { name, count: gpuCount },
});

const H100_SXM = ["nvidia-h100-sxm5-80gb", "H100", "NVIDIA H100 80GB HBM3"] as const;
const H100_PCIE = ["nvidia-h100-pcie-80gb", "H100", "NVIDIA H100 PCIe"] as const;
const L40S = ["nvidia-l40s-pcie-48gb", "L40S", "NVIDIA L40S"] as const;
const A100 = ["nvidia-a100-sxm4-80gb", "A100", "NVIDIA A100-SXM4-80GB"] as const;

/** A market of three vendors in which prices, regions, counts and contracts differ enough to choose from. */
export const defaultStock: readonly StockEntry[] = [
  entry("nebius", ["EU", "eu-north1"], H100_SXM, 1, 2.95),
  entry("nebius", ["EU", "eu-north1"], H100_SXM, 8, 2.85),
  entry("nebius", ["EU", "eu-north1"], L40S, 1, 1.55),
  entry("nebius", ["EU", "eu-west1"], H100_SXM, 1, 1.5, "spot"),
  entry("hyperstack", ["US", "us-1"], H100_PCIE, 1, 2.4),
  entry("hyperstack", ["US", "us-1"], A100, 1, 1.35),
  entry("scaleway", ["EU", "fr-par-2"], H100_PCIE, 1, 2.73),
  entry("scaleway", ["EU", "fr-par-2"], L40S, 2, 1.4),
];
