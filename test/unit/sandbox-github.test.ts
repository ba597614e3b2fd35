import { generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { call, mint, standUp } from "./sandbox-github-rig.ts";

const REPOSITORY = "/repos/acme/kernels";
const JOBS = `${REPOSITORY}/actions/runs/8123456789/attempts/1/jobs`;
const RUNNERS = `${REPOSITORY}/actions/runners`;
const namesIn = (text: string) => JSON.parse(text).jobs.map(({ name }: { name: string }) => name);

describe("requests and limits", () => {
  it("an answer that is still the same is a 304 that does not count, for the token that has it", async () => {
    const stand = await standUp();
    const run = stand.startRun({ jobs: [{ name: "build" }] });
    const first = await call(stand.url + JOBS, stand.runToken);
    const etag = first.headers.get("etag");
    expect([first.status, first.headers.get("x-ratelimit-remaining")]).toEqual([200, "999"]);
    const second = await call(stand.url + JOBS, stand.runToken, { etag });
    expect([second.status, second.text, second.headers.get("x-ratelimit-remaining")]).toEqual([304, "", "999"]);
    expect((await call(stand.url + JOBS, stand.adminToken, { etag })).status).toBe(200);
    run.job("build").start();
    expect((await call(stand.url + JOBS, stand.runToken, { etag })).status).toBe(200);
    expect([stand.counted(stand.runToken), stand.counted(stand.adminToken), stand.requests.length]).toEqual([2, 1, 4]);
  });

  it("a limit that is used up refuses until its window ends", async () => {
    const stand = await standUp({ runToken: { limit: 1 } });
    stand.startRun({ jobs: [{ name: "build" }] });
    await call(stand.url + JOBS, stand.runToken);
    const refused = await call(stand.url + JOBS, stand.runToken);
    expect([refused.status, refused.headers.get("x-ratelimit-remaining")]).toEqual([403, "0"]);
    expect(Number(refused.headers.get("x-ratelimit-reset")) * 1000).toBeGreaterThan(stand.clock.now());
    expect(stand.counted(stand.runToken)).toBe(1);
  });

  it("a secondary limit refuses as often as it was scripted", async () => {
    const stand = await standUp();
    stand.startRun({ jobs: [{ name: "build" }] });
    stand.strikeSecondaryLimit(stand.runToken, { status: 429, retryAfter: 7 });
    const refused = await call(stand.url + JOBS, stand.runToken);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "7"]);
    expect((await call(stand.url + JOBS, stand.runToken)).status).toBe(200);
  });

  it.each([
    ["a token that nobody knows", "wrong", JOBS, "GET", 401, "Bad credentials"],
    ["no token", undefined, JOBS, "GET", 404, "Not Found"],
    ["the token of the run", "sandbox-job-token", RUNNERS, "GET", 403, "Resource not accessible by integration"],
    [
      "a token that may only read",
      "reader",
      `${REPOSITORY}/actions/runs/8123456789/cancel`,
      "POST",
      403,
      "Resource not accessible",
    ],
    ["a token of another repository", "stranger", JOBS, "GET", 404, "Not Found"],
  ])("%s is refused as GitHub does", async (_who, token, path, method, status, message) => {
    const stand = await standUp({
      tokens: [
        { token: "reader", permissions: { actions: "read" }, limit: 10 },
        { token: "stranger", permissions: { actions: "write" }, limit: 10, repositories: ["acme/other"] },
      ],
    });
    stand.startRun({ jobs: [{ name: "build" }] });
    const refused = await call(stand.url + path, token, { method });
    expect(refused.status).toBe(status);
    expect(JSON.parse(refused.text)).toMatchObject({ message: expect.stringContaining(message), status: String(status) });
  });

  it("the API works below the prefix of Enterprise, and its faults strike there too", async () => {
    const stand = await standUp();
    stand.startRun({ jobs: [{ name: "one" }, { name: "two" }, { name: "three" }] });
    stand.faults.add({ on: "GET /repos/:o/:r/actions/runs/:run/attempts/:attempt/jobs", do: { kind: "html", status: 502 } });
    const address = `${stand.enterpriseUrl}${JOBS}?per_page=2`;
    expect((await call(address, stand.runToken)).status).toBe(502);
    const first = await call(address, stand.runToken);
    const [, next = ""] = /<([^>]+)>; rel="next"/.exec(first.headers.get("link") ?? "") ?? [];
    expect(next).toContain(`${stand.enterpriseUrl}${JOBS}?`);
    const second = await call(next, stand.runToken);
    expect([...namesIn(first.text), ...namesIn(second.text)]).toEqual(["one", "two", "three"]);
  });
});

describe("runs", () => {
  it("a job is listed when what it needs has succeeded, and skipped when it has not", async () => {
    const stand = await standUp();
    const run = stand.startRun({
      jobs: [{ name: "build" }, { name: "test", needs: ["build"] }, { name: "publish", needs: ["test"] }],
    });
    const list = async () => JSON.parse((await call(stand.url + JOBS, stand.runToken)).text);
    expect((await list()).total_count).toBe(1);
    run.job("build").start();
    run.job("build").complete();
    expect((await list()).jobs[1]).toMatchObject({ name: "test", status: "queued", conclusion: null, runner_name: null });
    run.job("test").start({ runnerName: "GitHub Actions 3" });
    run.job("test").complete("failure");
    expect(namesIn(JSON.stringify(await list()))).toEqual(["build", "test", "publish"]);
    expect((await list()).jobs[2].conclusion).toBe("skipped");
  });

  it("attempts are lists of their own", async () => {
    const stand = await standUp();
    stand.startRun({ jobs: [{ name: "first" }] });
    stand.startRun({ attempt: 2, jobs: [{ name: "second" }] });
    expect(namesIn((await call(stand.url + JOBS, stand.runToken)).text)).toEqual(["first"]);
    const second = await call(stand.url + JOBS.replace("attempts/1", "attempts/2"), stand.runToken);
    expect(namesIn(second.text)).toEqual(["second"]);
    expect((await call(stand.url + JOBS.replace("attempts/1", "attempts/3"), stand.runToken)).status).toBe(404);
  });

  it("a cancellation ends what is queued, asks what runs, and is refused once all is over", async () => {
    const stand = await standUp();
    const run = stand.startRun({
      jobs: [
        { name: "guard", status: "in_progress", runningStep: "Run org/gpu-provision@v1" },
        { name: "gpu", labels: ["gpu"] },
      ],
    });
    const cancel = () => call(`${stand.url}${REPOSITORY}/actions/runs/8123456789/cancel`, stand.runToken, { method: "POST" });
    expect((await cancel()).status).toBe(202);
    await run.waitForCancel();
    expect([run.job("gpu").conclusion, run.job("guard").status, run.job("guard").cancelRequested]).toEqual([
      "cancelled",
      "in_progress",
      true,
    ]);
    run.job("guard").complete("cancelled");
    expect((await cancel()).status).toBe(409);
    const shown = await call(`${stand.url}${REPOSITORY}/actions/runs/8123456789`, stand.runToken);
    expect(JSON.parse(shown.text)).toMatchObject({ status: "completed", conclusion: "cancelled" });
  });
});

describe("the application", () => {
  it("is offered with its checksum, and served", async () => {
    const stand = await standUp({ application: { buildArchive: async () => ({ bytes: Buffer.from("archive") }) } });
    const [x64] = JSON.parse((await call(`${stand.url}${RUNNERS}/downloads`, stand.adminToken)).text);
    const release = await call(`${stand.url}/repos/actions/runner/releases/tags/v2.336.0`, undefined);
    expect(JSON.parse(release.text).assets[0]).toMatchObject({
      name: x64.filename,
      digest: `sha256:${x64.sha256_checksum}`,
      browser_download_url: x64.download_url,
    });
    expect((await call(x64.download_url, undefined)).text).toBe("archive");
    expect((await call(`${stand.url}/repos/actions/runner/releases/tags/v1.0.0`, undefined)).status).toBe(404);
  });
});

describe("a GitHub App", () => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const assertion = (now: number, claims: object = {}) => {
    const seconds = Math.floor(now / 1000);
    const signed = `${encode({ alg: "RS256" })}.${encode({ iat: seconds - 30, exp: seconds + 500, iss: "77", ...claims })}`;
    return `${signed}.${sign("RSA-SHA256", Buffer.from(signed), privateKey).toString("base64url")}`;
  };
  const standWithApp = (tokenLifetimeMs?: number) =>
    standUp({
      app: {
        id: 77,
        publicKey: publicKey.export({ type: "spki", format: "pem" }).toString(),
        ...(tokenLifetimeMs === undefined ? {} : { tokenLifetimeMs }),
      },
    });

  it("gets tokens for its installation with which runners are made", async () => {
    const stand = await standWithApp();
    const jwt = assertion(stand.clock.now());
    const { id } = JSON.parse((await call(`${stand.url}${REPOSITORY}/installation`, jwt)).text);
    const made = await call(`${stand.url}/app/installations/${id}/access_tokens`, jwt, { method: "POST" });
    expect(made.status).toBe(201);
    expect((await call(stand.url + RUNNERS, JSON.parse(made.text).token)).status).toBe(200);
    expect((await call(`${stand.url}/orgs/acme/installation`, jwt)).status).toBe(200);
    expect((await call(`${stand.url}/repos/acme/other/installation`, jwt)).status).toBe(404);
  });

  it("gets tokens that end", async () => {
    const stand = await standWithApp(0);
    const jwt = assertion(stand.clock.now());
    const { id } = JSON.parse((await call(`${stand.url}${REPOSITORY}/installation`, jwt)).text);
    const made = await call(`${stand.url}/app/installations/${id}/access_tokens`, jwt, { method: "POST" });
    expect((await call(stand.url + RUNNERS, JSON.parse(made.text).token)).status).toBe(401);
  });

  it.each([
    ["another App", { iss: "78" }],
    ["the past", { exp: 1 }],
    ["the far future", { exp: 9_999_999_999 }],
  ])("is refused with an assertion of %s", async (_what, claims) => {
    const stand = await standWithApp();
    const refused = await call(`${stand.url}${REPOSITORY}/installation`, assertion(stand.clock.now(), claims));
    expect(refused.status).toBe(401);
  });

  it("is refused when the signature is not of its key", async () => {
    const stand = await standWithApp();
    const jwt = assertion(stand.clock.now());
    const forged = jwt.replace(/^[^.]+\.[^.]+/, `${encode({ alg: "RS256" })}.${encode({ iat: 1, exp: 9e9, iss: "77" })}`);
    expect((await call(`${stand.url}${REPOSITORY}/installation`, forged)).text).toContain("could not be decoded");
  });
});

it("an organisation has runners of its own", async () => {
  const stand = await standUp();
  expect((await mint(stand, "one", ["gpu"], "orgs/acme")).status).toBe(201);
  const count = async (path: string) => JSON.parse((await call(stand.url + path, stand.adminToken)).text).total_count;
  expect([await count("/orgs/acme/actions/runners"), await count(RUNNERS)]).toEqual([1, 0]);
  expect((await call(`${stand.url}/orgs/acme/actions/runners`, stand.runToken)).status).toBe(403);
});
