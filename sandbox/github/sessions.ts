import { randomUUID } from "node:crypto";
import type { Timers } from "../timers.ts";
import type { WorldClock } from "../world-clock.ts";
import type { Conclusion } from "./job.ts";
import type { RunnerMessage, RunnerState, Runners } from "./runners.ts";

export interface SessionOptions {
  readonly clock: WorldClock;
  readonly timers: Timers;
  readonly runners: Runners;
  /** World milliseconds for which a configuration is good; for ever unless told. */
  readonly jitLifetimeMs?: number;
  /** Real milliseconds after which a session that is not heard of counts as lost. */
  readonly sessionTimeoutMs: number;
  /** Real milliseconds after which the job of a lost runner fails. */
  readonly lostJobMs: number;
  /** Something of a runner or a job is another than before. */
  changed(): void;
}

/** Connections of runner applications. */
export interface Sessions {
  /** The session's id, or why there is none. */
  open(credential: string | undefined): { readonly id: string } | { readonly refusal: string };
  find(id: string): Session | undefined;
  close(id: string): void;
}

export interface Session {
  readonly runner: RunnerState;
  /** Somebody waits for a message: the session is alive for as long. */
  beginWaiting(): void;
  endWaiting(): void;
  takeMessage(): RunnerMessage | undefined;
  log(jobId: number, lines: readonly string[]): void;
  complete(jobId: number, conclusion: Conclusion): void;
}

export function keepSessions(options: SessionOptions): Sessions {
  const { clock, timers, runners, changed } = options;
  const sessions = new Map<string, Session>();

  const lose = (runner: RunnerState) => {
    if (runner.gone !== undefined || runner.status === "offline") return;
    runner.status = "offline";
    changed();
    timers.later(options.lostJobMs, () => {
      if (runner.status === "online" || runner.work === undefined || runner.work.job.status === "completed") return;
      runners.finish(runner, "failure");
      changed();
    });
  };

  const newSession = (runner: RunnerState): Session => {
    let waiting = 0;
    let heard = 0;
    const hear = () => {
      heard += 1;
      const now = heard;
      if (runner.status === "offline" && runner.gone === undefined) {
        runner.status = "online";
        changed();
      }
      timers.later(options.sessionTimeoutMs, () => {
        if (heard === now && waiting === 0) lose(runner);
      });
    };
    hear();
    return {
      runner,
      beginWaiting() {
        waiting += 1;
        hear();
      },
      endWaiting() {
        waiting -= 1;
        hear();
      },
      takeMessage: () => runner.inbox.shift(),
      log(jobId, lines) {
        hear();
        if (runner.work?.job.id === jobId) runner.work.job.output += lines.map((line) => `${line}\n`).join("");
        changed();
      },
      complete(jobId, conclusion) {
        hear();
        if (runner.work?.job.id !== jobId) return;
        runners.finish(runner, conclusion);
        changed();
      },
    };
  };

  return {
    open(credential) {
      const runner = runners.all().find((one) => one.credential === credential);
      if (!runner || runner.gone !== undefined) return { refusal: "The runner registration has been deleted from the server." };
      if (runner.hasConnected) return { refusal: "The runner configuration was used before." };
      if (clock.now() - runner.mintedAt > (options.jitLifetimeMs ?? Number.POSITIVE_INFINITY))
        return { refusal: "The runner configuration has expired." };
      runner.hasConnected = true;
      const id = randomUUID();
      sessions.set(id, newSession(runner));
      return { id };
    },
    find: (id) => sessions.get(id),
    close(id) {
      const session = sessions.get(id);
      sessions.delete(id);
      if (session) lose(session.runner);
    },
  };
}
