import { randomUUID } from "node:crypto";
import type { Market } from "../src/market/provider.ts";

/** A marketplace that sells one kind of machine at once, and deletes at once. */
export function playMarket(): Market {
  const id = randomUUID();
  let lives = false;
  return {
    name: "compute-clear",
    traits: { rents: "vm", keepsNames: true, spread: 0, showsWithin: 180_000 },
    pace: (wanted) => wanted,
    heldUp: () => 0,
    byHand: { toDelete: () => "", toList: () => "" },
    search: async () => [
      { id, gpuType: "nvidia-h100-pcie-80gb", gpuFamily: "H100", gpuCount: 1, vendor: "played", region: "EU", pricePerHour: 2 },
    ],
    explain: async () => [],
    standing: async () => ({ state: "available" }),
    async buy() {
      lives = true;
      return { kind: "accepted", resourceIds: [id] };
    },
    progress: async () => ({
      phase: lives ? "ready" : "none",
      detail: "played",
      addresses: [{ host: "127.0.0.1", port: 22, user: "root" }],
    }),
    holdings: async () => ({ soldToAnother: false, ours: lives ? [{ id, status: "running" }] : [], deleted: [], doubtful: [] }),
    async *census() {
      yield lives ? [{ id }] : [];
    },
    read: async () =>
      lives
        ? { state: "alive", status: "running", isAnothers: () => false, fromOffer: () => true, linked: [] }
        : { state: "deleted", linked: [] },
    async erase() {
      lives = false;
      return "accepted";
    },
    close: async () => undefined,
  };
}
