import { describe, expect, it, vi } from "vitest";
import type { GitHubStand } from "../../sandbox/github/start-github.ts";
import { call, connectRunner, mint, readConfiguration, standUp } from "./sandbox-github-rig.ts";

const RUNNERS = "/repos/acme/kernels/actions/runners";
const gpuJob = { name: "gpu", labels: ["gpu"], script: "echo hello", exitCode: 3 };

async function records(stand: GitHubStand, query = "") {
  const { text } = await call(`${stand.url}${RUNNERS}${query}`, stand.adminToken);
  return JSON.parse(text).runners.map((one: { name: string; status: string; busy: boolean }) => [one.name, one.status, one.busy]);
}
const remove = (stand: GitHubStand, id: number | undefined) =>
  call(`${stand.url}${RUNNERS}/${id}`, stand.adminToken, { method: "DELETE" });

describe("a configuration", () => {
  it("is of a realistic size, and its name is taken until the record is deleted", async () => {
    const stand = await standUp();
    const first = await mint(stand, "gpu-1");
    expect(first.status).toBe(201);
    expect(readConfiguration(first).encoded.length).toBeGreaterThan(3000);
    expect((await mint(stand, "GPU-1")).status).toBe(409);
    expect((await remove(stand, stand.runners()[0]?.id)).status).toBe(204);
    expect((await remove(stand, stand.runners()[0]?.id)).status).toBe(404);
    expect((await mint(stand, "gpu-1")).status).toBe(201);
    await mint(stand, "gpu-2");
    expect(await records(stand, "?name=gpu-2")).toEqual([["gpu-2", "offline", false]]);
  });

  it("needs a label", async () => {
    const stand = await standUp();
    expect((await mint(stand, "gpu-1", [])).status).toBe(422);
  });

  it("admits one runner, once, and none when its record was deleted", async () => {
    const stand = await standUp();
    const used = await mint(stand, "used");
    await connectRunner(used);
    await expect(connectRunner(used)).rejects.toThrow("401");
    const deleted = await mint(stand, "deleted");
    await remove(stand, stand.runners()[1]?.id);
    await expect(connectRunner(deleted)).rejects.toThrow("401");
  });

  it("ends when it is too old", async () => {
    const stand = await standUp({ jitLifetimeMs: -1 });
    await expect(connectRunner(await mint(stand, "late"))).rejects.toThrow("has expired");
  });
});

describe("a runner", () => {
  it("takes a queued job that its labels allow, is busy with it, and is gone afterwards", async () => {
    const stand = await standUp();
    const run = stand.startRun({ jobs: [{ name: "other", labels: ["gpu", "large"] }, gpuJob] });
    const runner = await connectRunner(await mint(stand, "gpu-1", ["GPU"]));
    await run.job("gpu").waitFor("in_progress");
    expect(run.job("other").status).toBe("queued");
    const { text } = await runner.message();
    const jobId = run.job("gpu").id;
    expect(JSON.parse(text)).toMatchObject({ type: "job", jobId, name: "gpu", script: "echo hello\nexit 3" });
    expect(await records(stand)).toEqual([["gpu-1", "online", true]]);
    expect((await remove(stand, stand.runners()[0]?.id)).status).toBe(422);
    await runner.log(jobId, ["hello"]);
    expect((await runner.complete(jobId, "Failed")).status).toBe(204);
    expect([run.job("gpu").conclusion, run.job("gpu").runnerName, run.job("gpu").output()]).toEqual([
      "failure",
      "gpu-1",
      "hello\n",
    ]);
    expect(await records(stand)).toEqual([]);
    expect((await runner.message()).status).toBe(410);
  });

  it("that waits is told at once of a job that is queued, and of its cancellation", async () => {
    const stand = await standUp();
    const runner = await connectRunner(await mint(stand, "gpu-1"));
    const waiting = runner.message();
    await vi.waitFor(() => expect(stand.requests.at(-1)?.path).toMatch(/\/message$/), { timeout: 5000, interval: 2 });
    const run = stand.startRun({ jobs: [gpuJob] });
    expect(JSON.parse((await waiting).text).type).toBe("job");
    run.cancel();
    expect(JSON.parse((await runner.message()).text)).toEqual({ type: "cancel", jobId: run.job("gpu").id });
    await runner.complete(run.job("gpu").id, "Canceled");
    expect([run.job("gpu").conclusion, run.isOver]).toEqual(["cancelled", true]);
  });

  it("works on one job only", async () => {
    const stand = await standUp();
    const run = stand.startRun({ jobs: [gpuJob, { ...gpuJob, name: "second" }] });
    const runner = await connectRunner(await mint(stand, "gpu-1"));
    await runner.message();
    await runner.complete(run.job("gpu").id, "Succeeded");
    expect(run.job("second").status).toBe("queued");
    await connectRunner(await mint(stand, "gpu-2"));
    expect(run.job("second").runnerName).toBe("gpu-2");
  });

  it("without news is answered after its patience", async () => {
    const stand = await standUp({ pollMs: 5 });
    const runner = await connectRunner(await mint(stand, "gpu-1"));
    expect((await runner.message()).status).toBe(204);
  });

  it("that was forgotten learns so", async () => {
    const stand = await standUp();
    const runner = await connectRunner(await mint(stand, "gpu-1"));
    const waiting = runner.message();
    stand.forgetRunner("gpu-1");
    expect((await waiting).status).toBe(410);
    expect(await records(stand)).toEqual([]);
  });

  it("that leaves is offline, and so is one that is not heard of any more; its job fails in the end", async () => {
    const stand = await standUp({ sessionTimeoutMs: 20, lostJobMs: 20 });
    const run = stand.startRun({ jobs: [gpuJob] });
    await connectRunner(await mint(stand, "gpu-1"));
    expect(run.job("gpu").status).toBe("in_progress");
    await stand.waitUntil("the runner to be offline", () => stand.runners()[0]?.status === "offline");
    await run.job("gpu").waitFor("failure");
    const other = await connectRunner(await mint(stand, "gpu-2"));
    await other.leave();
    expect(await records(stand)).toEqual([["gpu-2", "offline", false]]);
  });

  it("of the organisation serves its repositories", async () => {
    const stand = await standUp();
    const run = stand.startRun({ jobs: [gpuJob] });
    await connectRunner(await mint(stand, "gpu-1", ["gpu"], "orgs/acme"));
    expect(run.job("gpu").runnerName).toBe("gpu-1");
  });
});
