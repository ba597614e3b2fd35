import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import type { JournalRecord } from "./lease/journal.ts";
import { encodeJournal } from "./lease/journal.ts";
import type { Log } from "./lease/log.ts";

/** Tells post, as its only argument, that it was started to wait for the end of the lease. */
export const AT_EXPIRY = "at-expiry";

/**
 * Starts a detached copy of post that sleeps until the lease is over and then deletes the machine, for between main and the real
 * post nothing of ours runs, and `max-lifetime` and `max-cost` must hold there as well. The runner ends it with the job.
 */
export function leaveWatch(record: JournalRecord, log: Log): void {
  // The bundle is CommonJS made of ES modules, so its own place is known by how it was started: `node …/dist/main/index.js`.
  const post = join(dirname(process.argv[1] ?? ""), "..", "post", "index.js");
  const watch = spawn(process.execPath, [post, AT_EXPIRY], {
    detached: true,
    stdio: "ignore",
    env: { ...process.env, STATE_lease: encodeJournal(record) },
  });
  watch.on("error", (error) =>
    log.warn(`The lease's end could not be watched (${error.message}); the machine is deleted when the job ends.`),
  );
  watch.unref();
}
