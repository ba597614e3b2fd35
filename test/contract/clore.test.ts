import "../scale-this-process.ts";
import { server } from "../../sandbox/clore/servers.ts";
import { startClore } from "../../sandbox/clore/start-clore.ts";
import { systemClock } from "../../src/lease/clock.ts";
import { silentLog } from "../../src/lease/log.ts";
import { openClore } from "../../src/market/clore/market.ts";
import { defineMarketContract } from "./market-contract.ts";

const routes = {
  buy: "POST /create_order",
  erase: "POST /cancel_order",
  read: "GET /my_orders",
  search: "GET /marketplace",
} as const;

defineMarketContract("clore", async () => {
  const stand = await startClore({
    servers: [server(1, 48, { gpu: "1x NVIDIA H100 80GB HBM3" })],
    // Time is scaled in this very process, so a hiccup of the computer is, too.
    rates: { request: 300, order: 4_000 },
    deployMs: 1_000,
    endMs: 1_000,
    bootContainer: async () => ({ host: "127.0.0.1", port: 22, stop: async () => undefined }),
  });
  let closed = false;
  const container = { image: "cloreai/jupyter:ubuntu24.04-v2", currency: "USD-Blockchain", ports: [], env: {} };
  return {
    ledger: stand.ledger,
    waitsOutRates: true,
    open: (token = stand.token) => openClore({ token, apiUrl: stand.url, log: silentLog, clock: systemClock, container }),
    break: (request, fault, times) =>
      stand.faults.add({ on: routes[request], do: fault, ...(times === undefined ? {} : { times }) }),
    count: (request) => stand.requests.filter(({ method, path }) => `${method} ${path}` === routes[request]).length,
    async close() {
      if (!closed) await stand.close();
      closed = true;
    },
  };
});
