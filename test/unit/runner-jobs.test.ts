import { describe, expect, test } from "vitest";
import type { JobSpec } from "../../sandbox/github/job.ts";
import { GitHubFailure, GitHubTokenFailure } from "../../src/lease/failure.ts";
import { scaledClock } from "../scaled-clock.ts";
import { LABEL, setUpGitHub, signal } from "./github-rig.ts";

const hosted = (name: string): JobSpec => ({ name, labels: ["ubuntu-latest"] });
const gpu = (name: string, label = LABEL): JobSpec => ({ name, labels: [label] });
const LIST = "GET /repos/:owner/:repo/actions/runs/:run/attempts/:attempt/jobs";

describe("the jobs of a run", () => {
  test("are read with what a guard has to know", async () => {
    const { stand, open } = await setUpGitHub();
    stand.startRun({ jobs: [hosted("build"), gpu("test"), { ...gpu("later"), needs: ["build"] }] });
    const { jobs, whole } = await open().jobs.look({ signal });
    expect(whole).toBe(true);
    expect(jobs.map(({ name, status, labels }) => [name, status, labels])).toEqual([
      ["build", "queued", ["ubuntu-latest"]],
      ["test", "queued", [LABEL]],
    ]);
  });

  test("cost no rate limit while nothing changes, and show what does", async () => {
    const { stand, open } = await setUpGitHub();
    const run = stand.startRun({ jobs: [hosted("build"), gpu("test")] });
    const { jobs } = open({ credentials: undefined });
    for (let look = 0; look < 5; look += 1) await jobs.look({ signal });
    expect(stand.counted(stand.runToken)).toBe(1);
    run.job("build").start();
    const after = await jobs.look({ signal });
    expect(after.jobs[0]?.status).toBe("in_progress");
    expect(stand.counted(stand.runToken)).toBe(2);
  });

  test("are asked for by the runners' token, which has more requests, once the run's token has shown that it may", async () => {
    const { stand, open } = await setUpGitHub();
    stand.startRun({ jobs: [gpu("test")] });
    const { jobs } = open();
    await jobs.look({ signal });
    expect([stand.counted(stand.runToken), stand.counted(stand.adminToken)]).toEqual([1, 0]);
    await jobs.look({ signal });
    expect([stand.counted(stand.runToken), stand.counted(stand.adminToken)]).toEqual([1, 1]);
  });

  test("are asked for by the run's token alone where the other one may not see them", async () => {
    const blind = { token: "administration-only-token", permissions: { administration: "write" } as const, limit: 5000 };
    const { stand, open } = await setUpGitHub({ tokens: [blind] });
    const run = stand.startRun({ jobs: [gpu("test")] });
    const { jobs } = open({ credentials: { kind: "token", token: blind.token } });
    for (let look = 0; look < 3; look += 1) await jobs.look({ signal });
    expect(stand.counted(blind.token)).toBe(1);
    run.cancel();
    expect((await jobs.look({ signal })).jobs[0]?.status).toBe("completed");
    expect(stand.counted(stand.runToken)).toBe(2);
  });

  test("on many pages are found with one request where they are likely to be, and all of them when asked thoroughly", async () => {
    const { stand, open } = await setUpGitHub();
    const guards = Array.from({ length: 256 }, (_, index) => hosted(`guard (${index})`));
    const tests = Array.from({ length: 256 }, (_, index) => gpu(`test (${index})`, `gpu-${index}`));
    stand.startRun({ jobs: [...guards, ...tests] });
    const { jobs } = open({ labels: ["gpu-200"], matrix: { index: 200, total: 256 }, credentials: undefined });
    const reading = await jobs.look({ signal, thorough: true });
    expect(reading.jobs.find(({ name }) => name === "test (200)")?.labels).toEqual(["gpu-200"]);
    expect(stand.counted(stand.runToken)).toBe(1);
    expect(reading.whole).toBe(false);
    const { jobs: alone } = open({ labels: ["gpu-200"], credentials: undefined });
    const all = await alone.look({ signal, thorough: true });
    expect(all.whole).toBe(true);
    expect(all.jobs).toHaveLength(512);
  });

  test("that are added later are found, whatever was known before", async () => {
    const { stand, open } = await setUpGitHub();
    const run = stand.startRun({ jobs: Array.from({ length: 100 }, (_, index) => hosted(`build ${index}`)) });
    const { jobs } = open({ credentials: undefined });
    expect((await jobs.look({ signal })).jobs).toHaveLength(100);
    run.addJob(gpu("test"));
    expect((await jobs.look({ signal })).jobs.map(({ name }) => name)).toContain("test");
  });

  test("that are over on a full page are not asked for again", async () => {
    const { stand, open } = await setUpGitHub();
    const run = stand.startRun({ jobs: Array.from({ length: 130 }, (_, index) => hosted(`build ${index}`)) });
    for (const job of run.jobs.slice(0, 100)) {
      job.start();
      job.complete("success");
    }
    const { jobs } = open({ credentials: undefined });
    const pages = () => stand.apiRequests().map(({ query }) => query.get("page"));
    expect((await jobs.look({ signal, thorough: true })).whole).toBe(true);
    const before = pages().length;
    expect((await jobs.look({ signal, thorough: true })).whole).toBe(true);
    expect(pages().slice(before)).toEqual(["2"]);
  });

  test("that a token may not see: the permission is named, with the line to write", async () => {
    const nothing = { token: "token-without-actions", permissions: { contents: "read" } as const, limit: 1000 };
    const { stand, open } = await setUpGitHub({ tokens: [nothing] });
    stand.startRun({ jobs: [gpu("test")] });
    const looked = open({ runToken: nothing.token }).jobs.look({ signal });
    await expect(looked).rejects.toThrow(GitHubTokenFailure);
    await expect(looked).rejects.toMatchObject({
      message: expect.stringContaining("'run-token' may not see the jobs of this run (HTTP 403: Resource not accessible"),
      hint: expect.stringContaining("permissions: { actions: write }"),
    });
  });

  test("a token that ends meanwhile is named", async () => {
    const { stand, open } = await setUpGitHub();
    stand.startRun({ jobs: [gpu("test")] });
    const { jobs } = open({ credentials: undefined });
    await jobs.look({ signal });
    stand.revokeToken(stand.runToken);
    await expect(jobs.look({ signal })).rejects.toThrow("GitHub does not accept 'run-token' (any more): Bad credentials");
  });
});

describe("trouble", () => {
  test("of a moment is borne", async () => {
    const { stand, open } = await setUpGitHub();
    stand.startRun({ jobs: [gpu("test")] });
    stand.faults.add({ on: LIST, do: { kind: "status", status: 502 } });
    stand.faults.add({ on: LIST, nth: 2, do: { kind: "reset-before" } });
    const { jobs } = await open({ clock: scaledClock(100) }).jobs.look({ signal });
    expect(jobs).toHaveLength(1);
    expect(stand.faults.strikes()).toHaveLength(2);
  });

  test.each([
    ["an error page of a proxy", { kind: "html", status: 502 }],
    ["an answer that is none", { kind: "status", status: 200, body: { jobs: "none" } }],
    ["half an answer", { kind: "malformed" }],
    ["no answer", { kind: "reset-before" }],
  ] as const)("that lasts (%s) is a failure of GitHub's, not of the token", async (_what, fault) => {
    const { stand, open } = await setUpGitHub();
    stand.startRun({ jobs: [gpu("test")] });
    stand.faults.add({ on: LIST, times: Number.POSITIVE_INFINITY, do: fault });
    await expect(open({ clock: scaledClock(100) }).jobs.look({ signal })).rejects.toThrow(GitHubFailure);
  });

  test("a secondary limit is waited out, and is not taken for a missing permission", async () => {
    const { stand, open } = await setUpGitHub();
    stand.startRun({ jobs: [gpu("test")] });
    stand.strikeSecondaryLimit(stand.runToken);
    const { jobs } = await open({ clock: scaledClock(1000) }).jobs.look({ signal });
    expect(jobs).toHaveLength(1);
  });

  test("a limit that is used up is waited for when the reset is far, and told", async () => {
    const { stand, open } = await setUpGitHub();
    stand.startRun({ jobs: [gpu("test")] });
    const { jobs } = open({ credentials: undefined });
    await jobs.look({ signal });
    stand.leaveRequests(stand.runToken, 0);
    await expect(jobs.look({ signal })).rejects.toThrow("GitHub's rate limit for 'run-token' is used up for another");
    expect(jobs.pause(5_000)).toBeGreaterThan(600_000);
  });

  test("no message holds a token", async () => {
    const { stand, open, log } = await setUpGitHub();
    stand.startRun({ jobs: [gpu("test")] });
    stand.faults.add({ on: LIST, do: { kind: "status", status: 403, body: { message: `bad ${stand.runToken}` } } });
    await expect(open().jobs.look({ signal })).rejects.not.toThrow(stand.runToken);
    expect(log.text()).not.toContain(stand.runToken);
  });
});

describe("the pause between two looks", () => {
  test("is what the guard wants while there is plenty", async () => {
    const { stand, open } = await setUpGitHub();
    stand.startRun({ jobs: [gpu("test")] });
    const { jobs } = open();
    await jobs.look({ signal });
    expect(jobs.pause(15_000)).toBe(15_000);
  });

  test("is a fair share of what is left for all guards of the matrix", async () => {
    const { stand, open } = await setUpGitHub();
    stand.startRun({ jobs: [gpu("test")] });
    const { jobs } = open({ matrix: { index: 0, total: 256 }, credentials: undefined });
    stand.leaveRequests(stand.runToken, 513);
    await jobs.look({ signal });
    // Half of them is for planned looks, and that is one of each guard in an hour.
    expect(jobs.pause(15_000)).toBeGreaterThan(3_000_000);
  });
});
