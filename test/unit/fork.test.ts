import { describe, expect, test } from "vitest";
import { admit, ForkFailure, judgeFork, judgeForkOfRun, readForkPolicy } from "../../src/actions/fork.ts";
import { readRawInputs } from "../../src/actions/read-inputs.ts";

const HERE = "Octo/Repo";
const pullRequest = (repo: unknown) => ({ action: "opened", pull_request: { number: 1, head: { sha: "abc", repo } } });
const workflowRun = (repo: unknown) => ({ workflow_run: { id: 1, head_repository: repo } });

describe("code from here", () => {
  test.each([
    ["push", {}],
    ["schedule", {}],
    ["workflow_dispatch", undefined],
    ["merge_group", { merge_group: { head_ref: "gh-readonly-queue/main/pr-1" } }],
    ["pull_request", pullRequest({ full_name: "octo/repo" })],
    ["pull_request_target", pullRequest({ full_name: HERE })],
    ["pull_request_review", pullRequest({ full_name: HERE, fork: true })],
    ["pull_request_review_comment", pullRequest({ full_name: HERE })],
    ["workflow_run", workflowRun({ full_name: HERE })],
    ["issue_comment", { issue: { number: 3 }, comment: {} }],
    ["issue_comment", { issue: { number: 3, pull_request: null } }],
  ])("%s", (eventName, payload) => {
    expect(judgeFork(eventName, payload, HERE)).toEqual({ fork: false });
  });
});

describe("code from elsewhere", () => {
  test.each([
    ["pull_request", pullRequest({ full_name: "mallory/repo" }), "mallory/repo"],
    ["pull_request_target", pullRequest({ full_name: "mallory/repo" }), "mallory/repo"],
    ["pull_request_review", pullRequest({ full_name: "mallory/repo" }), "mallory/repo"],
    ["pull_request_review_comment", pullRequest({ full_name: "octo/repository" }), "octo/repository"],
    ["pull_request", pullRequest(null), "a deleted fork"],
    ["workflow_run", workflowRun({ full_name: "mallory/repo" }), "mallory/repo"],
    ["workflow_run", workflowRun(null), "a deleted fork"],
    ["pull_request", pullRequest({ full_name: "mallory/::error::x\nrepo" }), "mallory/: :error: :x repo"],
  ])("%s %j", (eventName, payload, from) => {
    expect(judgeFork(eventName, payload, HERE)).toMatchObject({ fork: true, from });
  });

  test.each([
    ["issue_comment", { issue: { pull_request: { url: "https://api" } }, comment: { author_association: "OWNER" } }],
    ["issue_comment", undefined],
    ["pull_request", undefined],
    ["pull_request", "text"],
    ["pull_request", { pull_request: { head: {} } }],
    ["pull_request_target", pullRequest({ full_name: "" })],
    ["pull_request_target", pullRequest({ full_name: 7 })],
    ["workflow_run", { workflow_run: {} }],
  ])("%s %j cannot be told, and counts as a fork", (eventName, payload) => {
    expect(judgeFork(eventName, payload, HERE)).toMatchObject({ fork: true, from: "an unknown repository" });
  });
});

describe("the event file", () => {
  const env = { GITHUB_EVENT_NAME: "pull_request", GITHUB_EVENT_PATH: "/event.json" };

  test("is what is judged", () => {
    const asked: string[] = [];
    const read = (path: string) => {
      asked.push(path);
      return JSON.stringify(pullRequest({ full_name: HERE }));
    };
    expect(judgeForkOfRun(env, HERE, read)).toEqual({ fork: false });
    expect(asked).toEqual(["/event.json"]);
  });

  test("counts as a fork's when it is unreadable, is not JSON or is not named", () => {
    const unreadable = () => {
      throw new Error("EACCES");
    };
    expect(judgeForkOfRun(env, HERE, unreadable).fork).toBe(true);
    expect(judgeForkOfRun(env, HERE, () => "{").fork).toBe(true);
    expect(judgeForkOfRun({ GITHUB_EVENT_NAME: "pull_request" }, HERE, unreadable).fork).toBe(true);
    expect(judgeForkOfRun({ GITHUB_EVENT_NAME: "push" }, HERE, unreadable).fork).toBe(false);
  });
});

describe("what on-fork makes of it", () => {
  const fork = judgeFork("pull_request", pullRequest({ full_name: "mallory/repo" }), HERE);

  test("fail throws, names the repository and the way out", () => {
    expect.assertions(3);
    try {
      admit(fork, "fail");
    } catch (error) {
      expect(error).toBeInstanceOf(ForkFailure);
      expect(error instanceof ForkFailure && error.message).toContain("mallory/repo");
      expect(error instanceof ForkFailure && error.hint).toMatch(/Nothing was bought.*on-fork: skip.*on-fork: allow/);
    }
  });

  test("skip ends green with a notice, allow goes on", () => {
    expect(admit(fork, "skip")).toEqual({ admitted: false, notice: expect.stringContaining("mallory/repo") });
    expect(admit(fork, "allow")).toEqual({ admitted: true });
  });

  test.each(["fail", "skip", "allow"] as const)("%s lets own code through", (policy) => {
    expect(admit({ fork: false }, policy)).toEqual({ admitted: true });
  });

  test.each([
    ["skip", "skip"],
    [" allow\n", "allow"],
    ["", "fail"],
    ["ALLOW", "fail"],
    ["nonsense", "fail"],
  ])("%j reads as %s", (text, policy) => {
    expect(readForkPolicy({ ...readRawInputs(), "on-fork": text })).toBe(policy);
  });
});
