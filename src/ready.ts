import type { Address } from "./lease/address.ts";
import type { Clock, Deadline } from "./lease/clock.ts";
import { formatDuration } from "./lease/duration.ts";
import { describe, NotReadyFailure, TokenFailure } from "./lease/failure.ts";
import type { Journal } from "./lease/journal.ts";
import type { Log } from "./lease/log.ts";
import type { Outputs } from "./lease/outputs.ts";
import { plain } from "./lease/plain.ts";
import { startWaiting } from "./lease/waiting.ts";
import type { Market } from "./market/provider.ts";

export interface ReadyDeps {
  readonly market: Market;
  readonly clock: Clock;
  readonly log: Log;
  readonly journal: Journal;
  readonly signal: AbortSignal;
  readonly outputs: (values: Outputs) => void;
}

/** A machine that is born can take this many refusals of the token for a hiccup, and no more. */
const REFUSALS = 3;

/**
 * Waits until the marketplace says that a bought machine is ready and tells its address; at least one address is returned.
 * Throws NotReadyFailure when it failed, or is not ready by the deadline.
 */
export async function waitUntilReady(
  attempt: number,
  pollInterval: number,
  deadline: Deadline,
  deps: ReadyDeps,
): Promise<readonly [Address, ...Address[]]> {
  const { market, clock, log, journal, outputs, signal } = deps;
  const waiting = startWaiting(clock, log);
  let refusals = 0;
  for (;;) {
    try {
      const progress = await market.progress(journal.attempt(attempt), signal);
      refusals = 0;
      const [first, ...others] = progress.addresses;
      if (progress.phase === "ready" && first !== undefined) {
        if (progress.endpoints !== undefined) outputs({ endpoints: JSON.stringify(progress.endpoints) });
        return [first, ...others];
      }
      if (progress.phase === "failed" || progress.phase === "expired") {
        throw new NotReadyFailure(`The marketplace reports: ${progress.detail}`, "Whatever exists of it is deleted.");
      }
      waiting.tell(progress.phase === "ready" ? "ready, but without an address yet." : `${progress.detail}.`);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof NotReadyFailure) throw error;
      refusals = error instanceof TokenFailure ? refusals + 1 : 0;
      if (refusals >= REFUSALS) throw error;
      waiting.tell(`the marketplace did not tell (${plain(describe(error), 160)}); asking again.`);
    }
    if (deadline.passed()) {
      throw new NotReadyFailure(
        `The machine was not ready within ${formatDuration(waiting.elapsed())} ('provision-timeout').`,
        "It is deleted. If this vendor is slow, raise 'provision-timeout'; if it never delivers, name it in 'exclude-vendor'.",
      );
    }
    await clock.sleep(Math.min(market.pace(pollInterval), deadline.left()), signal);
  }
}
