import type { WorldClock } from "./world-clock.ts";

/** A resource that was ever born. Moments are milliseconds since the epoch in the world's time, money is USD. */
export interface LedgerEntry {
  readonly id: string;
  readonly kind: string;
  /** Who bought it: the holder of a token, or `stranger` for what was there before. */
  readonly boughtBy: string;
  readonly offerId?: string;
  readonly name?: string;
  readonly pricePerHour: number;
  readonly bornAt: number;
  readonly deletedAt?: number;
  readonly deletedBy?: Deletion;
}

/** The request that led to a deletion: who sent it, and its number in the request log. */
export interface Deletion {
  readonly by: string;
  readonly request: number;
}

export type Birth = Omit<LedgerEntry, "bornAt" | "deletedAt" | "deletedBy">;

/**
 * What bills, from the moment that a purchase takes effect until the resource is deleted. Tests and the demo judge by this
 * alone, never by what the program under test says about itself.
 */
export interface Ledger {
  recordBirth(birth: Birth): void;
  /** Throws when there is no such living resource: the world would be wrong about itself. */
  recordDeletion(id: string, deletedBy?: Deletion): void;
  entries(): readonly LedgerEntry[];
  /** What bills now; with `boughtBy`, of that buyer only. */
  alive(boughtBy?: string): readonly LedgerEntry[];
  /** World seconds billed so far, over all resources or those of one buyer. */
  billedSeconds(boughtBy?: string): number;
  billedUsd(boughtBy?: string): number;
  /** Resources that somebody deleted who had not bought them. Must stay empty. */
  deletedThatWereNotOurs(): readonly LedgerEntry[];
}

export function openLedger(clock: WorldClock): Ledger {
  const entries = new Map<string, LedgerEntry>();
  const list = (boughtBy?: string) =>
    [...entries.values()].filter((entry) => boughtBy === undefined || entry.boughtBy === boughtBy);
  const secondsOf = (entry: LedgerEntry) => ((entry.deletedAt ?? clock.now()) - entry.bornAt) / 1000;
  return {
    recordBirth(birth) {
      if (entries.has(birth.id)) throw new Error(`Resource ${birth.id} was already born.`);
      entries.set(birth.id, { ...birth, bornAt: clock.now() });
    },
    recordDeletion(id, deletedBy) {
      const entry = entries.get(id);
      if (!entry || entry.deletedAt !== undefined) throw new Error(`Resource ${id} is not alive, so it cannot be deleted.`);
      entries.set(id, { ...entry, deletedAt: clock.now(), ...(deletedBy ? { deletedBy } : {}) });
    },
    entries: () => list(),
    alive: (boughtBy) => list(boughtBy).filter((entry) => entry.deletedAt === undefined),
    billedSeconds: (boughtBy) => list(boughtBy).reduce((sum, entry) => sum + secondsOf(entry), 0),
    billedUsd: (boughtBy) => list(boughtBy).reduce((sum, entry) => sum + (secondsOf(entry) / 3600) * entry.pricePerHour, 0),
    deletedThatWereNotOurs: () =>
      list().filter((entry) => entry.deletedBy !== undefined && entry.deletedBy.by !== entry.boughtBy),
  };
}
