import type { Crew, Slot } from "./crew.ts";
import { hadJob, MOST_FAILURES } from "./engage.ts";
import { type JobsView, viewJobs } from "./gpu-jobs.ts";
import type { GuardDeps } from "./guard.ts";
import { type Decision, decide } from "./hold-decision.ts";
import type { Bell } from "./lease/bell.ts";
import { formatDuration } from "./lease/duration.ts";
import { describe, GitHubTokenFailure, MachineLostFailure, RunnerFailure, WorkflowFailure } from "./lease/failure.ts";
import { plain } from "./lease/plain.ts";
import { watchMachine } from "./machine-watch.ts";
import type { RunJob } from "./runner/contract.ts";
import type { Rented } from "./story.ts";

/** Milliseconds between two looks at the run's jobs. The end of a runner is looked at at once, whatever these say. */
const LOOK_EVERY = { windUp: 2_000, idle: 15_000, linger: 5_000, vacancy: 20_000, work: 120_000, longest: 900_000 };
/** How long GitHub's list may call a job running whose runner has ended. */
const BEHIND = 20_000;

/**
 * The story of a guard that has a machine: hold it until the jobs with our labels are over. Runners that have ended are replaced
 * while jobs are queued. Throws MachineLostFailure when the machine vanishes, WorkflowFailure when a queued job does not start
 * for `idle-timeout`, RunnerFailure when no runner works any more, and the signal's reason.
 */
export async function hold(crew: Crew, bell: Bell, rented: Rented, deps: GuardDeps): Promise<void> {
  const watch = watchMachine(crew, bell, rented, deps);
  try {
    await holdOn(crew, bell, rented, () => watch.lost ?? crew.broken, deps);
  } finally {
    watch.end();
  }
}

async function holdOn(crew: Crew, bell: Bell, rented: Rented, whyLost: () => string | undefined, deps: GuardDeps): Promise<void> {
  const { clock, github, guarding, log } = deps;
  const { signal } = rented;
  const since = startSince(deps);
  /** Runners that ended before GitHub called their job completed, by name, and when that was noticed. */
  const brokenOff = new Map<string, number>();
  // With a single runner, what was seen before the purchase is enough: its own log tells the rest.
  let view = viewJobs(github.jobs.known(), guarding.labels, deps.context);
  if (guarding.runners > 1) view = await lookAt(view);
  let nextLook = Number.POSITIVE_INFINITY;
  let pause = 0;
  let last: Decision["kind"] | undefined;
  for (;;) {
    const lost = whyLost();
    if (lost !== undefined) throw blameMachine(lost, jobsOn(crew));
    const ended = crew.slots.filter(({ state }) => state === "ended");
    for (const slot of ended) crew.vacate(slot, await judgeEnd(slot));
    const isDue = ended.length > 0 || clock.ticks() >= nextLook;
    if (isDue) view = await lookAt(view);
    const decision = awaitBrokenOff(view, decide(view, crew.slots));
    const waited = since(decision.kind);
    switch (decision.kind) {
      case "end":
        log.info("All jobs of this label are over, and the rest of the run is, too.");
        return;
      case "linger":
        if (waited === 0)
          log.info(
            `No job of this label is left; the run goes on, so another is waited for (${formatDuration(guarding.linger)}).`,
          );
        if (waited >= guarding.linger) return;
        break;
      case "idle":
        if (waited >= guarding.idleTimeout) throw blameQueue(view, guarding.idleTimeout);
        break;
      case "hire":
        await hireAll(decision.slots);
        break;
    }
    const left =
      decision.kind === "linger" ? guarding.linger - waited : decision.kind === "idle" ? guarding.idleTimeout - waited : Infinity;
    if (isDue || decision.kind !== last) {
      pause = pauseFor(decision, pause);
      nextLook = clock.ticks() + Math.min(github.jobs.pause(pause), left);
    }
    last = decision.kind;
    await bell.wait(Math.max(250, Math.min(nextLook - clock.ticks(), left)), signal);
  }

  async function judgeEnd(slot: Slot): Promise<Parameters<Crew["vacate"]>[1]> {
    if (slot.job !== undefined && crew.toldResults.has(slot.job)) return "finished";
    if (!(await hadJob(slot, deps, signal))) return "idle";
    if (slot.registration !== undefined) brokenOff.set(slot.registration.name, clock.ticks());
    return "broken-off";
  }

  /** GitHub's list may be behind by some seconds; after that, a runner has ended in the middle of its job. */
  function awaitBrokenOff({ running }: JobsView, decision: Decision): Decision {
    for (const [name, since] of brokenOff) {
      const job = running.find(({ runnerName }) => runnerName === name);
      if (job === undefined) brokenOff.delete(name);
      else if (clock.ticks() - since >= BEHIND) throw blameMachine("its runner ended in the middle of the job.", [job.name]);
    }
    return brokenOff.size > 0 ? { kind: "wind-up" } : decision;
  }

  /** Trouble of GitHub's ends no hold: the runners' own ends are known without it. */
  async function lookAt(before: JobsView): Promise<JobsView> {
    try {
      return viewJobs(await github.jobs.look({ signal, thorough: true }), guarding.labels, deps.context);
    } catch (error) {
      signal.throwIfAborted();
      sayBlind(error);
      // What was seen last is old: jobs that a runner has told the end of are over, and without a token nothing more is known.
      const isOpen = ({ name }: RunJob) => !(error instanceof GitHubTokenFailure) && !crew.toldResults.has(name);
      const nothingElse = error instanceof GitHubTokenFailure || before.nothingElse;
      return { ...before, queued: before.queued.filter(isOpen), held: before.held.filter(isOpen), running: [], nothingElse };
    }
  }

  function sayBlind(error: unknown): void {
    const sentence = `${plain(describe(error))} The machine is held by what its runners tell.`;
    if (error instanceof GitHubTokenFailure) log.warn(`${sentence} ${plain(error.hint)}`, "GitHub does not answer this token");
    else log.info(sentence);
  }

  async function hireAll(slots: readonly Slot[]): Promise<void> {
    for (const slot of slots) {
      if (slot.failures >= MOST_FAILURES) {
        throw new RunnerFailure(
          `Runners on this machine ended ${slot.failures} times without having been given a job, and jobs are still queued.`,
          "The machine is deleted; its time until now is billed.",
        );
      }
      try {
        await crew.hire(slot, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof GitHubTokenFailure) {
          // Other runners may still have jobs, whose results are worth waiting for.
          if (!crew.slots.some(({ state }) => state === "busy")) throw error;
          sayBlind(error);
          return;
        }
        log.info(`No runner could be started: ${plain(describe(error))} It is tried again.`);
        return;
      }
    }
  }

  function pauseFor(decision: Decision, before: number): number {
    if (decision.kind === "linger") return LOOK_EVERY.linger;
    if (decision.kind === "wind-up") return LOOK_EVERY.windUp;
    if (decision.kind !== "work") return LOOK_EVERY.idle;
    // A job that is queued meanwhile can start only where a slot is free; else there is nothing that looking could change.
    if (crew.slots.some(({ state }) => state === "vacant")) return LOOK_EVERY.vacancy;
    return before < LOOK_EVERY.work ? LOOK_EVERY.work : Math.min(before * 2, LOOK_EVERY.longest);
  }
}

/** Milliseconds for which the same kind of decision has been made without a break. */
function startSince({ clock }: Pick<GuardDeps, "clock">): (kind: Decision["kind"]) => number {
  let current: Decision["kind"] | undefined;
  let began = 0;
  return (kind) => {
    const now = clock.ticks();
    if (kind !== current) began = now;
    current = kind;
    return now - began;
  };
}

function jobsOn({ slots, toldResults }: Crew): readonly string[] {
  return slots.flatMap(({ job }) => (job === undefined || toldResults.has(job) ? [] : [job]));
}

function blameMachine(why: string, jobs: readonly string[]): MachineLostFailure {
  const names = jobs.map((job) => `'${plain(job, 100)}'`).join(", ");
  const under = jobs.length === 0 ? "" : ` under ${jobs.length > 1 ? "jobs" : "job"} ${names}`;
  return new MachineLostFailure(
    `The machine vanished${under}: ${why}`,
    "Whatever is left of it is deleted; its time until now is billed. A spot machine can be taken back at any time; " +
      "'Re-run failed jobs' starts this guard and the jobs on another one.",
  );
}

function blameQueue({ queued, held }: JobsView, idleTimeout: number): WorkflowFailure {
  const [job] = [...queued, ...held];
  const name = `Job '${plain(job?.name ?? "", 100)}'`;
  if (queued.length > 0) {
    return new WorkflowFailure(
      `${name} is queued and a runner for it is online, but GitHub did not bring them together within ${formatDuration(idleTimeout)} ('idle-timeout').`,
      "The machine is deleted; its time until now is billed. Look whether the runner group ('runner-group-id') admits this repository and workflow.",
    );
  }
  return new WorkflowFailure(
    `${name} still is ${plain(job?.status ?? "not queued")} after ${formatDuration(idleTimeout)} ('idle-timeout').`,
    "The machine is deleted; its time until now is billed. Let the job get its approval or its turn before the guard starts ('needs:'), or raise 'idle-timeout'.",
  );
}
