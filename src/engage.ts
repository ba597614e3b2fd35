import type { Crew, Slot } from "./crew.ts";
import type { GuardDeps } from "./guard.ts";
import type { Bell } from "./lease/bell.ts";
import type { Deadline } from "./lease/clock.ts";
import { deadlineAfter } from "./lease/clock.ts";
import { formatDuration } from "./lease/duration.ts";
import { describe, RunnerFailure } from "./lease/failure.ts";
import { plain } from "./lease/plain.ts";
import { startWaiting } from "./lease/waiting.ts";
import type { Rented } from "./story.ts";

/** How long GitHub is not asked whether a runner is online, which the machine's own log tells sooner. */
const ASK_EVERY = 10_000;
/** Configurations that one slot may be refused, or that may come to nothing on it, before the machine is no good. */
export const MOST_FAILURES = 3;
const BOOT_LOG_WITHIN = 10_000;

/**
 * Waits until the first runner of a machine is online, and gives it a fresh configuration where the one that came with the boot
 * script is too old or was refused. Throws RunnerFailure, after having shown the machine's boot log, when that does not happen by
 * the deadline.
 */
export async function engage(crew: Crew, bell: Bell, rented: Rented, deadline: Deadline, deps: GuardDeps): Promise<void> {
  const { clock, log } = deps;
  const { signal } = rented;
  const waiting = startWaiting(clock, log);
  let askAgain = deadlineAfter(clock, ASK_EVERY);
  try {
    for (;;) {
      if (crew.slots.some(isEngaged)) return;
      if (crew.broken !== undefined) throw new RunnerFailure(`The machine cannot run a runner: ${crew.broken}.`, NO_GOOD);
      const [first] = crew.slots;
      if (crew.unheard !== undefined) {
        // Another machine would be of no use to a job that this one has: whoever holds it says what became of it.
        if (first !== undefined && (await hadJob(first, deps, signal))) return;
        throw crew.unheard;
      }
      if (first?.state === "ended") {
        if (await hadJob(first, deps, signal)) return;
        crew.vacate(first, "idle");
      }
      if (first?.state === "vacant") {
        if (first.failures >= MOST_FAILURES) {
          throw new RunnerFailure(`The runner ended ${first.failures} times without having been given a job.`, NO_GOOD);
        }
        await crew.hire(first, signal);
      }
      if (first?.state === "starting" && askAgain.passed()) {
        askAgain = deadlineAfter(clock, ASK_EVERY);
        if (await isOnline(first, deps, signal)) return;
      }
      if (deadline.passed()) {
        throw new RunnerFailure(
          `No runner was online within ${formatDuration(waiting.elapsed())} after SSH worked ('provision-timeout').`,
          NO_GOOD,
        );
      }
      waiting.tell(
        first?.state === "starting" ? "the runner connects to GitHub." : "the machine makes itself ready for the runner.",
      );
      await bell.wait(Math.min(5_000, deadline.left()), signal);
    }
  } catch (error) {
    if (!signal.aborted) await showBootLog(crew, deps);
    throw error;
  }
}

const NO_GOOD =
  "Another offer can be tried. This machine is deleted; its time until now is billed. The boot log above says how far it came.";

function isEngaged({ state }: Slot): boolean {
  return state === "online" || state === "busy";
}

async function isOnline(slot: Slot, { github, log }: GuardDeps, signal: AbortSignal): Promise<boolean> {
  if (slot.registration === undefined) return false;
  try {
    const { state } = await github.registrations.status(slot.registration, signal);
    if (state !== "online") return false;
    if (slot.state === "starting") slot.state = "online";
    return true;
  } catch (error) {
    signal.throwIfAborted();
    log.debug(`GitHub did not say whether the runner is online: ${plain(describe(error))}`);
    return false;
  }
}

/** A runner application whose log says nothing of jobs may have run one all the same: GitHub knows by the runner's name. */
export async function hadJob(slot: Slot, { github, log }: GuardDeps, signal: AbortSignal): Promise<boolean> {
  if (slot.job !== undefined) return true;
  try {
    const { jobs } = await github.jobs.look({ signal });
    return jobs.some(({ runnerName }) => runnerName !== undefined && runnerName === slot.registration?.name);
  } catch (error) {
    signal.throwIfAborted();
    log.debug(`GitHub did not say whether the runner had a job: ${plain(describe(error))}`);
    return false;
  }
}

/** Costs a moment of a machine that is about to be deleted, and is all that tells why. */
async function showBootLog(crew: Crew, { clock, log, showMachineOutput }: GuardDeps): Promise<void> {
  const late = new AbortController();
  const over = new AbortController();
  clock.sleep(BOOT_LOG_WITHIN, over.signal).then(
    () => late.abort(new Error("the machine did not answer in time")),
    () => undefined, // the log was read in time
  );
  try {
    const lines = await crew.readBootLog(late.signal);
    await log.group("Boot log of the machine", async () => {
      const output = showMachineOutput();
      for (const line of lines) output.stdout(line);
      output.close();
    });
  } catch (error) {
    log.info(`The boot log could not be read: ${plain(describe(error))}`);
  } finally {
    over.abort();
  }
}
