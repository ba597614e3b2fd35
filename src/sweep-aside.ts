import { describe } from "./lease/failure.ts";
import { silentLog } from "./lease/log.ts";
import { plain } from "./lease/plain.ts";
import { reap } from "./reap.ts";
import type { StoryDeps } from "./story.ts";

/** So few that it never costs a lease its time. */
const MOST_DELETIONS = 3;

/**
 * While a machine is made there is nothing to do: deletes what lost runs of this repository have left, if any is long over. Never
 * fails a step, and ends when the signal fires; what is not proved by then is the next one's to find.
 */
export async function sweepAside({ clock, context, log, market }: StoryDeps, signal: AbortSignal): Promise<void> {
  if (!market.traits.keepsNames) return;
  const { repository } = context;
  const order = { repository, allRepositories: false, maxDeletions: MOST_DELETIONS, dryRun: false, onePage: true };
  try {
    await reap(order, { market, clock, log: { ...silentLog, debug: log.debug }, signal }, async ({ deleted, unproved }) => {
      for (const { id, name } of deleted) {
        log.notice(`${plain(name)} (${id}) was left behind by an earlier run, long over; it is deleted.`, "Left behind");
      }
      if (unproved.length > 0) log.info(`Of earlier runs ${unproved.length} machines are left that could not be deleted yet.`);
    });
  } catch (error) {
    if (!signal.aborted) log.debug(`What earlier runs have left could not be swept: ${plain(describe(error))}`);
  }
}
