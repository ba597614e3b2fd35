import type { Clock } from "./clock.ts";
import type { JournalRecord } from "./journal.ts";
import { unproved } from "./journal.ts";

/** Sleeps until the last open attempt of a lease is over. */
export async function waitForExpiry(record: JournalRecord, clock: Clock): Promise<void> {
  const ends = unproved(record).map((attempt) => attempt.expiresAt);
  await clock.sleep(Math.max(0, ...ends) - clock.now());
}
