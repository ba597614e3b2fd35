/** How the marketplace behaves about a server; absent fields mean that all goes well. */
export interface ServerConduct {
  /**
   * What an order is answered with.
   * - `code-1-but-made`: HTTP 500 with code 1, and the order exists all the same
   * - `code-1`: the same, and it does not
   * - `taken`: somebody else rents the server right before
   * - `offline`: code 6
   */
  readonly order?: "code-1-but-made" | "code-1" | "taken" | "offline";
  /** An order is listed only so many real milliseconds after it was made. */
  readonly listedAfterMs?: number;
  /** It is never deployed. */
  readonly deploys?: false;
  /** The extra ports of an order are not shown: `22` alone is. */
  readonly showsPorts?: false;
  /** What a cancellation is answered with; the order ends all the same. */
  readonly cancellation?: "order_not_active";
}

/** A server of some host. Prices are per day, by currency. */
export interface ServerEntry {
  readonly id: number;
  readonly owner: number;
  /** `1x NVIDIA GeForce RTX 4090` */
  readonly gpu: string;
  readonly onDemand: Readonly<Record<string, number>>;
  readonly spot?: Readonly<Record<string, number>>;
  readonly country: string;
  /** Hours. */
  readonly mrl?: number;
  readonly reliability?: number;
  readonly rented?: boolean;
  readonly coins?: readonly string[];
  readonly gigaspot?: boolean;
  readonly conduct?: ServerConduct;
}

export const COINS = ["USD-Blockchain", "CLORE-Blockchain", "bitcoin"];
/** USD for one. */
export const RATES: Readonly<Record<string, number>> = { "USD-Blockchain": 1, "CLORE-Blockchain": 0.004, bitcoin: 91_000 };

/** The same price in every currency. */
export function prices(usdPerDay: number): Readonly<Record<string, number>> {
  return Object.fromEntries(COINS.map((coin) => [coin, usdPerDay / (RATES[coin] ?? 1)]));
}

/** A server with one RTX 4090 for `usdPerDay`, and what differs. */
export function server(id: number, usdPerDay: number, different: Partial<ServerEntry> = {}): ServerEntry {
  return {
    id,
    owner: 9,
    gpu: "1x NVIDIA GeForce RTX 4090",
    onDemand: prices(usdPerDay),
    spot: prices(usdPerDay / 2),
    country: "DE",
    mrl: 240,
    reliability: 0.998,
    ...different,
  };
}

const CARDS = [
  "NVIDIA GeForce RTX 3080",
  "NVIDIA GeForce RTX 3060 Ti",
  "NVIDIA RTX A4000",
  "NVIDIA GeForce RTX 5090",
  "NVIDIA CMP 90HX",
];
const COUNTRIES = ["US", "DE", "FI", "SG", "BR", "CA", "KR", "UA"];

/** Servers of other hosts, most of them rented, so that a reply has the size of a real one. */
export function crowd(count: number): readonly ServerEntry[] {
  return Array.from({ length: count }, (_, index) => ({
    id: 500_000 + index,
    owner: 100 + (index % 300),
    gpu: `${1 + (index % 8)}x ${CARDS[index % CARDS.length]}`,
    onDemand: prices(1 + (index % 50) / 5),
    spot: prices(0.5 + (index % 50) / 10),
    country: COUNTRIES[index % COUNTRIES.length] ?? "US",
    mrl: 24 + (index % 20) * 24,
    reliability: 0.9 + (index % 100) / 1000,
    rented: index % 3 !== 0,
    ...(index % 17 === 0 ? { gigaspot: true } : {}),
  }));
}

export function gpusOf(gpu: string): { readonly name: string; readonly count: number } {
  const [, count = "1", name = gpu] = /^(\d+)x (.*)$/.exec(gpu) ?? [];
  return { name, count: Number(count) };
}

/** A server as `/marketplace` shows it, in the shape that live replies have. */
export function showServer(entry: ServerEntry, rented: boolean): unknown {
  const { name, count } = gpusOf(entry.gpu);
  const usd = entry.onDemand["USD-Blockchain"] ?? 0;
  return {
    id: entry.id,
    owner: entry.owner,
    mrl: entry.mrl ?? 240,
    price: {
      on_demand: entry.onDemand,
      ...(entry.spot ? { spot: entry.spot } : {}),
      usd: { on_demand_btc: usd, on_demand_clore: usd, on_demand_usd: usd, spot: usd / 2 },
    },
    rented,
    specs: {
      mb: "ROMED8-2T",
      cpu: "AMD EPYC 7443 24-Core Processor",
      cpus: "24/48",
      ram: 128.7,
      disk: "Samsung SSD 980 PRO 2TB 1843.0GB",
      disk_speed: 2100.5,
      gpu: entry.gpu,
      gpuram: 23,
      pcie_rev: 4,
      pcie_width: 16,
      pl: [450],
      stock_pl: [450],
      net: { cc: entry.country, down: 812.4, up: 640.9 },
    },
    reliability: entry.reliability ?? 0.99,
    allowed_coins: entry.coins ?? COINS,
    cuda_version: "12.4",
    gpu_array: Array.from({ length: count }, () => ` ${name.replace("NVIDIA ", "")}`),
    rating: { avg: 4.8, cnt: 12 },
    ...(entry.gigaspot ? { gigaspot: true } : {}),
  };
}
