import type { ActionLog } from "./actions/log.ts";
import { maskSecret } from "./actions/log.ts";
import { writeSweepOutputs } from "./actions/outputs.ts";
import { readRunContext } from "./actions/run-context.ts";
import { writeSummary } from "./actions/summary.ts";
import { parseSweepInputs, readSweepInputs } from "./actions/sweep-inputs.ts";
import { renderSweep } from "./actions/sweep-report.ts";
import { systemClock } from "./lease/clock.ts";
import { marketplaceNamed, providers } from "./market/registry.ts";
import type { ReapDeps, ReapOrder, ReapReport } from "./reap.ts";

/** The real collaborators of the sweep. */
export async function wireSweep(log: ActionLog): Promise<{
  readonly deps: ReapDeps;
  readonly order: ReapOrder;
  readonly tell: (report: ReapReport) => Promise<void>;
}> {
  const plan = parseSweepInputs(readSweepInputs(), providers);
  for (const secret of [plan.token, plan.gitHubToken]) if (secret !== undefined) maskSecret(secret);
  const { gitHubApiUrl, repository } = readRunContext(process.env);
  const { allRepositories, dryRun, gitHubToken, maxDeletions } = plan;
  const clock = systemClock;
  const runState = gitHubToken === undefined ? undefined : await openRunState(gitHubToken);
  return {
    deps: {
      market: marketplaceNamed(plan.provider).open({ ...plan, clock, log }),
      clock,
      log,
      ...(runState === undefined ? {} : { runState }),
    },
    order: { repository, allRepositories, maxDeletions, dryRun },
    async tell(report) {
      writeSweepOutputs({ found: report.found, deleted: report.deleted.length, kept: report.kept });
      await writeSummary(renderSweep(report, dryRun), log);
      log.info(
        `${report.found} leases found, ${report.deleted.length} deleted, ${report.kept} kept, ${report.due.length} left that are over.`,
      );
    },
  };

  async function openRunState(token: string) {
    const { openRunStates } = await import("./runner/github-kit.ts");
    return openRunStates({ apiUrl: gitHubApiUrl, repository, token, clock, log });
  }
}
