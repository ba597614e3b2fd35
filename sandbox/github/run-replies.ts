import type { JobState } from "./job.ts";
import { isOver, listedJobs, type RunState } from "./runs.ts";

const iso = (moment: number | undefined) =>
  moment === undefined ? null : new Date(moment).toISOString().replace(/\.\d+Z$/, "Z");

function stepsOf(job: JobState): readonly unknown[] {
  if (job.startedAt === undefined) return [];
  const names = ["Set up job", ...(job.spec.runningStep === undefined ? [] : [job.spec.runningStep])];
  return names.map((name, index) => {
    const runs = job.runningStep === name;
    return {
      name,
      status: runs ? "in_progress" : "completed",
      conclusion: runs ? null : "success",
      number: index + 1,
      started_at: iso(job.startedAt),
      completed_at: runs ? null : iso(job.completedAt ?? job.startedAt),
    };
  });
}

/** A job as `GET /repos/{owner}/{repo}/actions/jobs/{job_id}` shows it. */
export function showJob(run: RunState, job: JobState, apiUrl: string): unknown {
  const repository = `${apiUrl}/repos/${run.repository}`;
  const page = `https://github.com/${run.repository}/actions/runs/${run.id}`;
  return {
    id: job.id,
    run_id: run.id,
    workflow_name: "ci",
    head_branch: "main",
    run_url: `${repository}/actions/runs/${run.id}`,
    run_attempt: run.attempt,
    node_id: `CR_${job.id}`,
    head_sha: "7fd1a60b01f91b314f59955a4e4d4e80d8edf11d",
    url: `${repository}/actions/jobs/${job.id}`,
    html_url: `${page}/job/${job.id}`,
    status: job.status,
    conclusion: job.conclusion ?? null,
    created_at: iso(job.createdAt),
    started_at: iso(job.startedAt ?? job.createdAt),
    completed_at: iso(job.completedAt),
    name: job.spec.name,
    steps: stepsOf(job),
    check_run_url: `${repository}/check-runs/${job.id}`,
    labels: job.labels,
    runner_id: job.runner?.id ?? null,
    runner_name: job.runner?.name ?? null,
    runner_group_id: job.runner ? 1 : null,
    runner_group_name: job.runner ? "Default" : null,
  };
}

function concludeRun(run: RunState): string | null {
  if (!isOver(run)) return null;
  const ends = run.jobs.filter(({ conclusion, spec }) => !(conclusion === "failure" && spec.continueOnError));
  if (run.cancelRequested && ends.some(({ conclusion }) => conclusion === "cancelled")) return "cancelled";
  return ends.every(({ conclusion }) => conclusion === "success" || conclusion === "skipped") ? "success" : "failure";
}

function statusOf(run: RunState): string {
  if (isOver(run)) return "completed";
  return listedJobs(run).some(({ status }) => status === "in_progress") ? "in_progress" : "queued";
}

/** A run attempt as `GET /repos/{owner}/{repo}/actions/runs/{run_id}` shows it. */
export function showRun(run: RunState, apiUrl: string): unknown {
  return {
    id: run.id,
    name: "ci",
    run_attempt: run.attempt,
    event: "push",
    status: statusOf(run),
    conclusion: concludeRun(run),
    created_at: iso(run.createdAt),
    run_started_at: iso(run.createdAt),
    url: `${apiUrl}/repos/${run.repository}/actions/runs/${run.id}`,
    html_url: `https://github.com/${run.repository}/actions/runs/${run.id}`,
    repository: { full_name: run.repository },
  };
}
