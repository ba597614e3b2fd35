import type { Crew } from "./crew.ts";
import type { GuardDeps } from "./guard.ts";
import type { Bell } from "./lease/bell.ts";

/** How long a cancelled step waits for the runners to end; the runner kills it 10 s after the signal, and the DELETE must go. */
const CANCELLED_JOBS_END_WITHIN = 6_000;

/**
 * Cancelled jobs get a moment for their last steps: until their runners have ended, or 6 s, whichever is first. With
 * `cancel-grace`, whoever is not done by then goes on, and post deletes the machine later.
 */
export async function seeJobsOff(crew: Crew, bell: Bell, { clock, guarding, journal, log }: GuardDeps): Promise<void> {
  const busy = () => crew.slots.some(({ state }) => state === "busy");
  const over = new AbortController();
  const until = clock.ticks() + CANCELLED_JOBS_END_WITHIN;
  if (busy()) log.info("Waiting a moment for the cancelled jobs to end.");
  while (busy() && crew.unheard === undefined && clock.ticks() < until) {
    await bell.wait(Math.max(1, until - clock.ticks()), over.signal);
  }
  if (busy() && guarding.cancelGrace > 0) journal.noteGuard({ graceUntil: clock.now() + guarding.cancelGrace });
}
