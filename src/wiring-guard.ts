import { maskSecret } from "./actions/log.ts";
import { guard } from "./guard.ts";
import type { Guarding } from "./lease/plan.ts";
import { composeBootPart, openMachineRunners, openRunnerService } from "./runner/kit.ts";
import type { StoryDeps } from "./story.ts";

/** Runs the story of a guard with GitHub and with the runners on a machine; loaded in runner mode only. */
export async function guardWith(deps: StoryDeps, guarding: Guarding): Promise<void> {
  const { clock, context, log } = deps;
  const github = openRunnerService({ ...context, apiUrl: context.gitHubApiUrl, guarding, clock, log, maskSecret });
  const runners = {
    compose: composeBootPart,
    open: (machine: Parameters<typeof openMachineRunners>[0]) => openMachineRunners(machine, { log }),
  };
  await guard({ ...deps, guarding, github, runners });
}
