import { readFileSync } from "node:fs";
import { join } from "node:path";
import { admit, judgeForkOfRun, readForkPolicy } from "./actions/fork.ts";
import { leaveJobsStranded, startGuardRecord } from "./actions/guard-record.ts";
import { type CheckUserScript, parseInputs, type RawInputs, secretsOf } from "./actions/inputs.ts";
import type { ActionLog } from "./actions/log.ts";
import { maskSecret } from "./actions/log.ts";
import { writeOutputs } from "./actions/outputs.ts";
import { readRawInputs, readSurroundings } from "./actions/read-inputs.ts";
import { renderOffers } from "./actions/report.ts";
import { readRunContext } from "./actions/run-context.ts";
import { stateStore } from "./actions/state.ts";
import { writeSummary } from "./actions/summary.ts";
import { leaveWatch } from "./expiry-watch.ts";
import { systemClock } from "./lease/clock.ts";
import { CancelledFailure, describe } from "./lease/failure.ts";
import { openJournal } from "./lease/journal.ts";
import type { Log } from "./lease/log.ts";
import type { Plan, RunContext } from "./lease/plan.ts";
import { marketplaceNamed, providers } from "./market/registry.ts";
import type { StoryDeps } from "./story.ts";

/** The real collaborators of main, or undefined when a fork's run is to end green without a machine. */
export async function wireMain(log: ActionLog): Promise<StoryDeps | undefined> {
  const raw = readRawInputs();
  const context = readRunContext(process.env);
  const fork = judgeForkOfRun(process.env, context.repository, (path) => readFileSync(path, "utf8"));
  const admission = admit(fork, readForkPolicy(raw));
  if (!admission.admitted) {
    log.notice(admission.notice);
    return undefined;
  }
  const plan = await readPlan(raw, context, log);

  const accessDirectory = join(context.tempDirectory, `gpu-provision-${context.runId}-${process.pid}`);
  const journal = openJournal(
    {
      version: 1,
      provider: plan.provider,
      apiUrl: plan.apiUrl,
      cleanupTimeout: plan.limits.cleanupTimeout,
      // Known to post from the first record on: when the disk fills up later, there is no second one.
      files: accessDirectory,
      ...(plan.guarding === undefined ? {} : { guard: startGuardRecord(plan.guarding) }),
      attempts: [],
    },
    stateStore,
    (error) => log.warn(`${describe(error)} What is bought so far is still deleted.`, "Lease journal"),
  );
  return {
    plan,
    context,
    accessDirectory,
    market: marketplaceNamed(plan.provider).open({ ...plan, log, clock: systemClock }),
    clock: systemClock,
    log,
    journal,
    signal: listenForSignals(),
    outputs: writeOutputs,
    reportOffers: (offers) => writeSummary(renderOffers(offers, plan), log),
    showMachineOutput: log.showMachineOutput,
    loadMachineKit: () => import("./machine/kit.ts"),
    watchExpiry: () => leaveWatch(journal.read(), plan.token, log),
  };
}

/** What the inputs ask for. The secrets among them are masked from here on. */
async function readPlan(raw: RawInputs, context: RunContext, log: Log): Promise<Plan> {
  try {
    const plan = parseInputs(
      raw,
      { ...readSurroundings(context.workspace), providers, run: context },
      await loadScriptCheck(raw),
    );
    for (const secret of secretsOf(plan)) maskSecret(secret);
    return plan;
  } catch (error) {
    leaveJobsStranded(raw, context, log);
    throw error;
  }
}

/** Reading YAML takes a while to load, which a step without a script of its own need not wait for. */
async function loadScriptCheck(raw: RawInputs): Promise<CheckUserScript> {
  if (raw["cloud-init"].trim() === "" && raw["cloud-init-file"].trim() === "") return () => [];
  const { checkUserScript } = await import("./machine/cloud-init.ts");
  if (raw.mode.trim() !== "runner") return checkUserScript;
  const { sampleBootPart } = await import("./runner/kit.ts");
  return (script) => checkUserScript(script, [sampleBootPart()]);
}

/** Fires at the first SIGINT or SIGTERM. The handlers stay, so that the runner's second signal does not end the process early. */
function listenForSignals(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => controller.abort(new CancelledFailure(name)));
  return controller.signal;
}
