import * as z from "zod";
import { Failure } from "../lease/failure.ts";
import { plain } from "../lease/plain.ts";
import type { RawInputs } from "./input-names.ts";

/** Whether the code of this run comes from another repository. The texts are harmless in a log. */
export type ForkJudgement = { readonly fork: false } | { readonly fork: true; readonly from: string; readonly why: string };

const UNKNOWN = "an unknown repository";
const DELETED = "a deleted fork";

// A head repository that was deleted is null in the payload; one that is missing altogether tells nothing.
const head = z.object({ full_name: z.string().min(1) }).nullable();
const pullRequestEvent = z.object({ pull_request: z.object({ head: z.object({ repo: head }) }) });
const workflowRunEvent = z.object({ workflow_run: z.object({ head_repository: head }) });
const issueEvent = z.object({ issue: z.object({ pull_request: z.unknown().optional() }) });

/**
 * Judges by the event that started the run. Merge groups, pushes and schedules run code that is already in the repository. A
 * payload that cannot be read counts as a fork on the events that can carry foreign code.
 */
export function judgeFork(eventName: string, payload: unknown, repository: string): ForkJudgement {
  switch (eventName) {
    case "pull_request":
    case "pull_request_target":
    case "pull_request_review":
    case "pull_request_review_comment": {
      const event = pullRequestEvent.safeParse(payload);
      return judgeHead(event.data?.pull_request.head.repo, repository, `the event is ${eventName}`);
    }
    case "workflow_run": {
      const event = workflowRunEvent.safeParse(payload);
      return judgeHead(
        event.data?.workflow_run.head_repository,
        repository,
        "the workflow run that started this one ran its code",
      );
    }
    case "issue_comment": {
      const event = issueEvent.safeParse(payload);
      if (event.success && (event.data.issue.pull_request ?? undefined) === undefined) return { fork: false };
      // Who wrote the comment says nothing about who wrote the code: a maintainer's "/test" is the usual way to be tricked.
      return {
        fork: true,
        from: UNKNOWN,
        why: "a comment on a pull request does not tell where the pull request's code comes from",
      };
    }
    default:
      return { fork: false };
  }
}

function judgeHead(from: z.infer<typeof head> | undefined, repository: string, why: string): ForkJudgement {
  if (from === undefined)
    return { fork: true, from: UNKNOWN, why: "the event's payload does not tell where the code comes from" };
  if (from === null) return { fork: true, from: DELETED, why };
  // GitHub's names are the same in any case.
  if (from.full_name.toLowerCase() === repository.toLowerCase()) return { fork: false };
  return { fork: true, from: plain(from.full_name, 100), why };
}

/** The same, from the runner's variables and the event file that they name. */
export function judgeForkOfRun(
  env: Readonly<Record<string, string | undefined>>,
  repository: string,
  readText: (path: string) => string,
): ForkJudgement {
  return judgeFork(env["GITHUB_EVENT_NAME"] ?? "", readPayload(env["GITHUB_EVENT_PATH"], readText), repository);
}

function readPayload(path: string | undefined, readText: (path: string) => string): unknown {
  if (!path) return undefined;
  try {
    return JSON.parse(readText(path));
  } catch {
    // A payload that cannot be read is judged as what it may be: a fork's.
    return undefined;
  }
}

/** Thrown when the code comes from another repository and `on-fork` is `fail`. */
export class ForkFailure extends Failure {
  readonly code = "fork";
}

/** What to do on a fork's code. */
export type ForkPolicy = "fail" | "skip" | "allow";

/**
 * Read ahead of everything else, because a fork's run has no secrets and would be refused for its empty token. A value that is
 * none of the three counts as `fail` here; on other code parseInputs reports it.
 */
export function readForkPolicy(raw: RawInputs): ForkPolicy {
  const text = raw["on-fork"].trim();
  return text === "skip" || text === "allow" ? text : "fail";
}

/**
 * Whether this run may buy anything. Throws ForkFailure where `on-fork` says `fail`; a `notice` explains a run that ends green
 * without a machine.
 */
export function admit(
  judgement: ForkJudgement,
  policy: ForkPolicy,
): { readonly admitted: true } | { readonly admitted: false; readonly notice: string } {
  if (!judgement.fork || policy === "allow") return { admitted: true };
  const found = `The code of this run comes from ${judgement.from} (${judgement.why}), so it may not rent a machine.`;
  if (policy === "skip") return { admitted: false, notice: `${found} Nothing was bought, as 'on-fork: skip' says.` };
  throw new ForkFailure(
    found,
    "Nothing was bought: foreign code would spend your money and see what the machine is given. " +
      "Set 'on-fork: skip' to end green without a machine, or 'on-fork: allow' when somebody reviews such code before it runs here.",
  );
}
