import { startComputeClear } from "../../sandbox/compute-clear/start-compute-clear.ts";
import { silentLog } from "../../src/lease/log.ts";
import { openComputeClear } from "../../src/market/compute-clear/market.ts";
import { defineMarketContract } from "./market-contract.ts";

const routes = {
  buy: "POST /procure_offer",
  erase: "DELETE /resources/:id",
  read: "GET /resources/:id",
  search: "POST /get_offers",
} as const;

defineMarketContract("compute-clear", async () => {
  const stand = await startComputeClear({
    provisionMs: 50,
    deleteMs: 50,
    bootMachine: async () => ({ host: "127.0.0.1", port: 22, stop: async () => undefined }),
  });
  let closed = false;
  return {
    ledger: stand.ledger,
    open: (token = stand.token) => openComputeClear({ token, apiUrl: stand.url, log: silentLog }),
    break: (request, fault, times) =>
      stand.faults.add({ on: routes[request], do: fault, ...(times === undefined ? {} : { times }) }),
    count: (request) =>
      stand.requests.filter(({ method, path }) =>
        request === "buy" ? path === "/procure_offer" : method === "DELETE" && path.startsWith("/resources/"),
      ).length,
    async close() {
      if (!closed) await stand.close();
      closed = true;
    },
  };
});
