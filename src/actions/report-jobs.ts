import type { HeldJob, JournalRecord } from "../lease/journal.ts";
import { costOfAll } from "../lease/lifetime.ts";
import { formatUsd } from "../lease/money.ts";
import { plainMarkdown } from "../lease/plain.ts";

const MINUTE = 60_000;

/** What the summary of a guard says beside what every lease does. Nothing in ssh mode. */
export function describeGuard({ guard, cancelled }: Pick<JournalRecord, "guard" | "cancelled">): readonly string[] {
  if (guard === undefined) return [];
  const labels = `**Runner label:** ${guard.labels.map((label) => plainMarkdown(label, 100)).join(", ")}`;
  // A cancellation was somebody's will, and left no job queued.
  if (guard.stranded !== true || cancelled === true) return [labels];
  return [
    labels,
    "> [!WARNING]\n> No machine is left for jobs that still wait for this label: the run was cancelled if only they were unfinished, " +
      'otherwise cancel it by hand; "Re-run failed jobs" then starts a new guard.',
  ];
}

/** The held jobs, and what they cost together until `now` (epoch ms). Nothing where there were none. */
export function tabulateJobs({ guard, attempts }: Pick<JournalRecord, "guard" | "attempts">, now: number): readonly string[] {
  const jobs = guard?.jobs ?? [];
  if (jobs.length === 0) return [];
  const rows = jobs.map((job, index) => {
    const took = duration(job);
    return [
      String(index + 1),
      plainMarkdown(job.name, 100),
      plainMarkdown(job.conclusion ?? "not finished", 20),
      took === undefined ? "" : minutes(took),
    ].join(" | ");
  });
  const together = jobs.reduce((sum, job) => sum + (duration(job) ?? 0), 0);
  return [
    ["| # | Job | Result | Minutes |", "|---|---|---|---|", ...rows.map((row) => `| ${row} |`)].join("\n"),
    `**${jobs.length === 1 ? "1 job" : `${jobs.length} jobs`}** took ${minutes(together)} minutes together, ` +
      `on machines that cost at most ${formatUsd(costOfAll(attempts, now))} in all.`,
  ];
}

/** Milliseconds, of a job that is over. */
function duration({ started, completed }: HeldJob): number | undefined {
  return started === undefined || completed === undefined ? undefined : Math.max(0, completed - started);
}

function minutes(milliseconds: number): string {
  return (milliseconds / MINUTE).toFixed(1);
}
