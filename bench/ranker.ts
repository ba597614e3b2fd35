import { crowd, server, showServer } from "../sandbox/clore/servers.ts";
import type { Wish } from "../src/lease/plan.ts";
import { marketplaceReply, readServers } from "../src/market/clore/replies.ts";
import { isRentable, rateOf, toListing, wantsFree } from "../src/market/clore/servers.ts";
import { rankOffers } from "../src/market/rank.ts";

/** A process of its own: what it measures is the first time, as in a step. Sends milliseconds and bytes of heap to its parent. */
const wish: Wish = {
  gpuTypes: ["RTX 4090", "RTX 3080", "RTX 5090"],
  gpuCount: 1,
  contractType: "ondemand",
  regions: [],
  vendors: [],
  excludedVendors: [],
  maxPricePerGpuHour: 1,
};
const currency = "USD-Blockchain";

const servers = [server(28_726, 3.92), ...crowd(2_200)].map((entry) => showServer(entry, false));
const text = JSON.stringify({ servers, my_servers: [], code: 0 });
const json: unknown = JSON.parse(text);

globalThis.gc?.();
const before = process.memoryUsage().heapUsed;
const began = performance.now();
const rows = marketplaceReply.parse(json);
const read = readServers(rows, wantsFree(wish.gpuTypes));
const money = { currency, rate: rateOf(currency, rows) ?? 1, creationFee: 0.1 };
const offers = read
  .filter((one) => isRentable(one, currency, wish.contractType))
  .flatMap((one) => toListing(one, wish, money)?.offer ?? []);
const { fitting } = rankOffers(offers, wish, Date.now());
const ms = performance.now() - began;
// Nothing was collected meanwhile unless it had to be: this is an upper bound.
const bytes = process.memoryUsage().heapUsed - before;
process.send?.({ servers: rows.length, fitting: fitting.length, replyBytes: text.length, ms, bytes });
