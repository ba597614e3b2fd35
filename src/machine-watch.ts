import type { Crew } from "./crew.ts";
import type { GuardDeps } from "./guard.ts";
import type { Bell } from "./lease/bell.ts";
import { deadlineAfter } from "./lease/clock.ts";
import { describe } from "./lease/failure.ts";
import { plain } from "./lease/plain.ts";
import type { Rented } from "./story.ts";

/** Milliseconds for which a lost connection is tried to be made again, before the machine counts as gone. */
const RECONNECT_WITHIN = 25_000;
/** A machine that GitHub hears of, and we do not, is tried so often. */
const MOST_RECONNECTIONS = 4;

export interface MachineWatch {
  /** Why the machine counts as lost, once it does. */
  readonly lost: string | undefined;
  end(): void;
}

/**
 * Notices, while runners work, that the machine is gone: the marketplace says so, or the connection is lost and cannot be made
 * again, and GitHub does not hear of its runners either. Rings the bell then.
 */
export function watchMachine(crew: Crew, bell: Bell, rented: Rented, deps: GuardDeps): MachineWatch {
  const over = new AbortController();
  const signal = AbortSignal.any([rented.signal, over.signal]);
  let lost: string | undefined;
  const lose = (why: string) => {
    lost ??= why;
    bell.ring();
  };
  const watches = [watchMarket(rented.attempt, lose, signal, deps), keepConnected(crew, lose, rented, signal, deps)];
  for (const watch of watches) {
    watch.catch((error: unknown) => {
      if (!signal.aborted) lose(plain(describe(error)));
    });
  }
  return {
    get lost() {
      return lost;
    },
    end: () => over.abort(),
  };
}

async function watchMarket(
  attempt: number,
  lose: (why: string) => void,
  signal: AbortSignal,
  { clock, journal, log, market, plan }: GuardDeps,
): Promise<void> {
  let absent = 0;
  for (;;) {
    await clock.sleep(market.pace(plan.limits.pollInterval), signal);
    try {
      const { phase, detail } = await market.progress(journal.attempt(attempt), signal);
      if (phase === "failed") return lose(`the marketplace reports: ${plain(detail)}`);
      const [id] = journal.attempt(attempt).resourceIds;
      if (id === undefined) continue;
      const { state } = await market.read(id, signal);
      if (state === "deleted") return lose(`the marketplace reports ${id} as deleted`);
      absent = state === "absent" ? absent + 1 : 0;
      if (absent >= 2) return lose(`the marketplace does not know ${id} any more`);
    } catch (error) {
      // What the marketplace does not tell now is asked again at the next turn.
      if (!signal.aborted) log.debug(`The machine's state could not be read: ${plain(describe(error))}`);
    }
  }
}

async function keepConnected(
  crew: Crew,
  lose: (why: string) => void,
  rented: Rented,
  signal: AbortSignal,
  deps: GuardDeps,
): Promise<void> {
  const { clock, log } = deps;
  for (let tries = 0; ; ) {
    await clock.sleep(1_000, signal);
    if (crew.unheard === undefined) {
      tries = 0;
      continue;
    }
    const why = plain(describe(crew.unheard));
    log.info(`${why} Connecting again.`);
    try {
      const machine = await rented.reconnect(deadlineAfter(clock, RECONNECT_WITHIN));
      crew.listen(deps.runners.open(machine));
    } catch (error) {
      signal.throwIfAborted();
      tries += 1;
      const alive = tries < MOST_RECONNECTIONS && (await isHeardByGitHub(crew, signal, deps));
      if (!alive) return lose(plain(describe(error)));
      log.info("SSH cannot be reached, but GitHub hears of the runners; they go on.");
    }
  }
}

async function isHeardByGitHub(crew: Crew, signal: AbortSignal, { github, log }: GuardDeps): Promise<boolean> {
  for (const { registration, state } of crew.slots) {
    if (registration === undefined || state === "ended" || state === "vacant") continue;
    try {
      if ((await github.registrations.status(registration, signal)).state === "online") return true;
    } catch (error) {
      signal.throwIfAborted();
      log.debug(`GitHub did not say whether the runner is online: ${plain(describe(error))}`);
    }
  }
  return false;
}
