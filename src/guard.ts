import { awaitJob } from "./await-job.ts";
import { type Crew, openCrew } from "./crew.ts";
import { engage } from "./engage.ts";
import { viewJobs } from "./gpu-jobs.ts";
import { learnResults } from "./held-jobs.ts";
import { hold } from "./hold.ts";
import { hangBell } from "./lease/bell.ts";
import { formatDuration } from "./lease/duration.ts";
import { HeldJobFailure, MachineLostFailure, WorkflowFailure } from "./lease/failure.ts";
import { plain } from "./lease/plain.ts";
import type { Guarding } from "./lease/plan.ts";
import type { CloudInitPart } from "./machine/cloud-init-parts.ts";
import type { Machine } from "./machine/machine.ts";
import { provision } from "./provision.ts";
import { recordsIn, register, unregister } from "./registered.ts";
import type { BootSettings, MachineRunners, RunJob, RunnerApplication, RunnerService } from "./runner/contract.ts";
import { seeJobsOff } from "./see-jobs-off.ts";
import type { Purpose, StoryDeps } from "./story.ts";

/** Everything that the story of a guard touches the world with. */
export interface GuardDeps extends StoryDeps {
  readonly guarding: Guarding;
  readonly github: RunnerService;
  /** The runners' side of a machine. */
  readonly runners: {
    compose(settings: BootSettings): CloudInitPart;
    open(machine: Machine): MachineRunners;
  };
}

/**
 * The story of a guard job: wait, with nothing bought, until a GPU job is queued; rent a machine that registers itself as a runner
 * for it; hold the machine until the jobs with this label are over; let it go, and end as these jobs ended.
 */
export async function guard(deps: GuardDeps): Promise<void> {
  const { guarding, journal, log, outputs, plan } = deps;
  outputs({ "runner-label": guarding.labels.join(",") });
  if (plan.dryRun) return provision(deps, nothing);
  // Saved before anything can fail: post cancels the run whose GPU jobs would wait for a machine that does not come.
  journal.noteGuard({ stranded: guarding.cancelRunOnFailure });
  const application = await log.group("GPU jobs", async () => {
    const found = await deps.github.resolveApplication(guarding.version, deps.signal);
    log.info(`Runner application ${plain(found.version, 20)}.`);
    const awaited = await awaitJob(deps);
    if ("queued" in awaited) {
      const names = awaited.queued.slice(0, 5).map(({ name }) => `'${plain(name, 100)}'`);
      const more = awaited.queued.length > 5 ? ` and ${awaited.queued.length - 5} more` : "";
      log.info(`Queued for ${guarding.labels.join(", ")}: ${names.join(", ")}${more}.`);
      return found;
    }
    journal.noteGuard({ stranded: false });
    refuseWhenRequired(awaited.reason, guarding);
    log.notice(`${awaited.reason} Nothing was bought.`, "No GPU job");
    return undefined;
  });
  if (application === undefined) return;
  const toldResults = new Map<string, string>();
  await provision(deps, guardPurpose(application, toldResults, deps));
  if (!guarding.hold) return journal.noteGuard({ stranded: false });
  const { unserved, failed } = await log.group("Results", () => learnResults(toldResults, deps));
  journal.noteGuard({ stranded: guarding.cancelRunOnFailure && unserved.length > 0 });
  for (const record of recordsIn(journal)) await unregister(record, deps, deps.signal);
  if (unserved.length > 0) throw blameLateness(unserved, guarding);
  if (failed.length > 0 && guarding.mirror) throw blameJobs(failed);
}

const nothing: Purpose = {
  equip: async () => [],
  engage: async () => undefined,
  use: async () => undefined,
  handsOver: false,
  provesInMain: true,
};

/** Runner mode: the machine is for the jobs with our labels. */
function guardPurpose(application: RunnerApplication, toldResults: Map<string, string>, deps: GuardDeps): Purpose {
  const { clock, guarding, journal, plan } = deps;
  let crew: Crew | undefined;
  let carried: { registration: Awaited<ReturnType<typeof register>>; nameOf: () => string } | undefined;
  const bell = hangBell(clock);
  return {
    async equip({ name, lifetime }, signal) {
      crew?.dismiss();
      if (carried !== undefined) await refuseWhenServed(deps, signal);
      // What an earlier attempt has registered must not come online any more: its machine is being deleted.
      for (const record of recordsIn(journal)) await unregister(record, deps, signal);
      const nameOf = countNames(name);
      const registration = await register(nameOf(), deps, signal);
      carried = { registration, nameOf };
      return [
        deps.runners.compose({
          application,
          runners: guarding.runners,
          gpuCount: plan.wish.gpuCount,
          docker: guarding.docker,
          lifetime,
          ...(plan.verifyGpu ? { expectedGpus: { count: plan.wish.gpuCount } } : {}),
          configuration: registration.configuration,
          mintedAt: clock.now(),
        }),
      ];
    },
    async engage(rented, deadline) {
      if (carried === undefined) return;
      crew = openCrew(carried.registration, carried.nameOf, toldResults, bell, deps);
      crew.listen(deps.runners.open(rented.machine));
      await unlessCancelled(crew, engage(crew, bell, rented, deadline, deps));
    },
    async use(rented) {
      if (crew === undefined || !guarding.hold) return;
      journal.note(rented.attempt, { workStarted: clock.now() });
      try {
        await unlessCancelled(crew, hold(crew, bell, rented, deps));
      } finally {
        journal.note(rented.attempt, { workEnded: clock.now() });
        crew.dismiss();
      }
    },
    handsOver: !guarding.hold,
    provesInMain: false,
  };

  async function unlessCancelled(runners: Crew, work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (deps.signal.aborted) await seeJobsOff(runners, bell, deps);
      throw error;
    }
  }
}

/** The machine that failed may have taken the job, whose fate is its own: another machine would have nothing to do. */
async function refuseWhenServed({ context, github, guarding }: GuardDeps, signal: AbortSignal): Promise<void> {
  const { queued, held, running, completed } = viewJobs(await github.jobs.look({ signal }), guarding.labels, context);
  if (queued.length > 0 || held.length > 0) return;
  const jobs = [...running, ...completed].map(({ name }) => `'${plain(name, 100)}'`).slice(0, 3);
  throw new MachineLostFailure(
    `No job of this label is queued any more: ${jobs.join(", ")} went to the machine that failed.`,
    "No other machine is bought. 'Re-run failed jobs' starts this guard and the jobs on another one, once GitHub has given the job up.",
  );
}

/** Names for the runners of one lease: its own name without the expiry, numbered. */
function countNames(leaseName: string): () => string {
  const base = leaseName.replace(/-[^-]*$/, "");
  let number = 0;
  return () => {
    number += 1;
    return `${base}-${number}`;
  };
}

function refuseWhenRequired(reason: string, { requireJob, waitForJob }: Guarding): void {
  if (!requireJob) return;
  throw new WorkflowFailure(
    reason,
    `Nothing was bought. 'require-job' asks for a job; is its 'runs-on' this step's label, and does it start within ${formatDuration(waitForJob)} ('wait-for-job')?`,
  );
}

function blameJobs(failed: readonly RunJob[]): HeldJobFailure {
  const [first] = failed;
  const more = failed.length > 1 ? `, and so did not ${failed.length - 1} more` : "";
  return new HeldJobFailure(
    `Job '${plain(first?.name ?? "", 100)}' did not succeed (${plain(first?.conclusion ?? first?.status ?? "", 20)})${more}.`,
    'The machine is deleted. Use "Re-run failed jobs", which starts this guard as well; re-running the single job starts no machine. ' +
      "('mirror: false' lets the guard end green all the same.)",
  );
}

function blameLateness(unserved: readonly RunJob[], { linger }: Guarding): WorkflowFailure {
  const [first] = unserved;
  return new WorkflowFailure(
    `Job '${plain(first?.name ?? "", 100)}' was queued after the machine had been let go, and is not served.`,
    `Nothing is billing for it. Use "Re-run failed jobs", and set 'linger' (now ${formatDuration(linger)}) to longer than the jobs in between take.`,
  );
}
