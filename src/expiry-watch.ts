import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import type { JournalRecord } from "./lease/journal.ts";
import { encodeJournal } from "./lease/journal.ts";
import type { Log } from "./lease/log.ts";

/** Tells post, as its only argument, that it was started to wait for the end of the lease. */
export const AT_EXPIRY = "at-expiry";

/** What the watch needs of our environment: later steps can read another process's variables, so no input goes this way. */
const INHERITED = /^(PATH|HOME|TMPDIR|RUNNER_.*|GITHUB_ACTIONS|NODE_EXTRA_CA_CERTS|SSL_CERT_.*|(https?|no)_proxy)$/i;

/**
 * Starts a detached copy of post that sleeps until the lease is over and then deletes the machine, for between main and the real
 * post nothing of ours runs, and `max-lifetime` and `max-cost` must hold there as well. The runner ends it with the job. Token and
 * journal go over its standard input.
 */
export function leaveWatch(record: JournalRecord, token: string, log: Log): void {
  // The bundle is CommonJS made of ES modules, so its own place is known by how it was started: `node …/dist/main/index.js`.
  const post = join(dirname(process.argv[1] ?? ""), "..", "post", "index.js");
  const tell = (error: Error) =>
    log.warn(`The lease's end could not be watched (${error.message}); the machine is deleted when the job ends.`);
  const watch = spawn(process.execPath, [post, AT_EXPIRY], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => INHERITED.test(name))),
  });
  watch.on("error", tell);
  watch.stdin.on("error", tell);
  watch.stdin.end(JSON.stringify({ INPUT_TOKEN: token, STATE_lease: encodeJournal(record) }));
  watch.unref();
}
