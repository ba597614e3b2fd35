import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { GitHubFailure, GitHubTokenFailure } from "../../src/lease/failure.ts";
import { scaledClock } from "../scaled-clock.ts";
import { LABEL, setUpGitHub, signal } from "./github-rig.ts";

const MINT = "POST /repos/:owner/:repo/actions/runners/generate-jitconfig";
const NAME = "gpup-00000000-1-1-abcdef-1";

function remember() {
  const names: string[] = [];
  return { names, options: { signal, onIntent: (name: string) => void names.push(name) } };
}

describe("a runner's configuration", () => {
  test("is made for our label and nothing else, and masked", async () => {
    const { stand, open, masked } = await setUpGitHub();
    const { names, options } = remember();
    const registration = await open().registrations.mint(NAME, options);
    expect(names).toEqual([NAME]);
    expect(stand.runners()).toMatchObject([{ id: registration.id, name: NAME, labels: [LABEL] }]);
    expect(masked).toEqual([registration.configuration]);
    expect(JSON.parse(Buffer.from(registration.configuration, "base64").toString())).toHaveProperty([".runner"]);
  });

  test("is made for an organisation", async () => {
    const { stand, open } = await setUpGitHub();
    await open({ scope: { kind: "organisation", owner: "acme" } }).registrations.mint(NAME, remember().options);
    expect(stand.runners()).toMatchObject([{ place: "acme", labels: [LABEL] }]);
  });

  test("is made on GitHub Enterprise, below its path", async () => {
    const { stand, open } = await setUpGitHub();
    await open({ apiUrl: stand.enterpriseUrl }).registrations.mint(NAME, remember().options);
    expect(stand.runners()).toHaveLength(1);
    expect(stand.requests.every(({ path }) => path.startsWith("/api/v3/"))).toBe(true);
  });

  test.each([
    ["was lost", { kind: "reset-after" }],
    ["was an error, though it had its effect", { kind: "status", status: 502, effect: true }],
    ["was cut off", { kind: "malformed" }],
  ] as const)("whose answer %s: the record is found and removed, and another name is asked for", async (_how, fault) => {
    const { stand, open } = await setUpGitHub();
    stand.faults.add({ on: MINT, do: fault });
    const { names, options } = remember();
    const registration = await open().registrations.mint(NAME, options);
    expect(names).toEqual([NAME, `${NAME}-b`]);
    expect(registration.name).toBe(`${NAME}-b`);
    expect(stand.runners().map(({ name, gone }) => [name, gone])).toEqual([
      [NAME, "deleted"],
      [`${NAME}-b`, undefined],
    ]);
  });

  test("whose name is taken by a leftover of ours: that is removed; by somebody else's runner: that is let be", async () => {
    const { stand, open } = await setUpGitHub();
    await open().registrations.mint(NAME, remember().options);
    await open().registrations.mint(NAME, remember().options);
    expect(stand.runners().map(({ name, gone }) => [name, gone])).toEqual([
      [NAME, "deleted"],
      [`${NAME}-b`, undefined],
    ]);
    const others = open({ labels: ["build"] }).registrations;
    expect((await others.mint(`${NAME}-b`, remember().options)).name).toBe(`${NAME}-b-b`);
    expect(stand.runners().filter(({ gone }) => gone === undefined)).toHaveLength(2);
  });

  test("that cannot be had under any name is given up after four", async () => {
    const { stand, open } = await setUpGitHub();
    stand.faults.add({ on: MINT, times: Number.POSITIVE_INFINITY, do: { kind: "status", status: 503 } });
    const { names, options } = remember();
    await expect(open({ clock: scaledClock(100) }).registrations.mint(NAME, options)).rejects.toThrow(GitHubFailure);
    expect(names).toHaveLength(4);
  });

  test("of a name that is too long is made under one that is not", async () => {
    const { open } = await setUpGitHub();
    const registration = await open().registrations.mint("n".repeat(80), remember().options);
    expect(registration.name).toBe("n".repeat(64));
  });

  test("that the token may not make: the permission is named, and nothing is tried again", async () => {
    const { stand, open } = await setUpGitHub();
    const minted = open({ credentials: { kind: "token", token: stand.runToken } }).registrations.mint(NAME, remember().options);
    await expect(minted).rejects.toThrow(GitHubTokenFailure);
    await expect(minted).rejects.toMatchObject({ hint: expect.stringContaining("Administration: write") });
    expect(stand.requests.filter(({ method }) => method === "POST")).toHaveLength(1);
  });

  test("that GitHub calls wrong is not tried under another name", async () => {
    const { stand, open } = await setUpGitHub();
    stand.faults.add({ on: MINT, do: { kind: "status", status: 422, body: { message: "Runner group 99 does not exist" } } });
    const { names, options } = remember();
    await expect(open({ groupId: 99 }).registrations.mint(NAME, options)).rejects.toThrow(
      "HTTP 422: Runner group 99 does not exist",
    );
    expect(names).toHaveLength(1);
  });
});

describe("a runner's record", () => {
  test("reads offline until its runner connects, and gone once it is removed", async () => {
    const { stand, open } = await setUpGitHub();
    const { registrations } = open();
    const registration = await registrations.mint(NAME, remember().options);
    expect(await registrations.status(registration, signal)).toMatchObject({ state: "offline", busy: false });
    const before = stand.counted(stand.adminToken);
    await registrations.status(registration, signal);
    expect(stand.counted(stand.adminToken)).toBe(before);
    await registrations.remove(registration, signal);
    await registrations.remove(registration, signal);
    expect(await registrations.status(registration, signal)).toEqual({ state: "gone", busy: false });
  });

  test("that is busy is asked for again until it is not", async () => {
    const { stand, open } = await setUpGitHub();
    const { registrations } = open({ clock: scaledClock(1000) });
    const registration = await registrations.mint(NAME, remember().options);
    stand.faults.add({
      on: "DELETE /repos/:owner/:repo/actions/runners/:id",
      times: 3,
      do: { kind: "status", status: 422, body: { message: "Runner is busy" } },
    });
    await registrations.remove(registration, signal);
    expect(stand.runners()[0]?.gone).toBe("deleted");
    expect(stand.faults.strikes()).toHaveLength(3);
  });

  test("without an id is found by its exact name", async () => {
    const { stand, open } = await setUpGitHub();
    const { registrations } = open();
    await registrations.mint(NAME, remember().options);
    await registrations.mint(`${NAME}0`, remember().options);
    await registrations.remove({ name: NAME }, signal);
    await registrations.remove({ name: "never-was" }, signal);
    expect(stand.runners().map(({ name, gone }) => [name, gone])).toEqual([
      [NAME, "deleted"],
      [`${NAME}0`, undefined],
    ]);
  });
});

describe("an App", () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
  });
  const app = { kind: "app", appId: "1234", privateKey } as const;

  test("gets tokens of its own, masked, with which runners are registered", async () => {
    const { stand, open, masked } = await setUpGitHub({ app: { id: 1234, publicKey } });
    await open({ credentials: app }).registrations.mint(NAME, remember().options);
    expect(stand.runners()).toHaveLength(1);
    const used = stand.requests.map(({ headers }) => String(headers.authorization).replace(/^\S+ /, ""));
    expect(used.filter((token) => token !== "undefined" && !masked.includes(token))).toEqual([]);
  });

  test("takes a fresh token when the old one has ended", async () => {
    const { stand, open } = await setUpGitHub({ app: { id: 1234, publicKey } });
    const { registrations } = open({ credentials: app });
    await registrations.mint(NAME, remember().options);
    const [, last = ""] = String(stand.requests.at(-1)?.headers.authorization).split(" ");
    stand.revokeToken(last);
    await registrations.mint(`${NAME}1`, remember().options);
    expect(stand.runners()).toHaveLength(2);
  });

  test("that is not installed there is told so", async () => {
    const { open } = await setUpGitHub({ app: { id: 1234, publicKey, installedIn: ["other/place"] } });
    const minted = open({ credentials: app }).registrations.mint(NAME, remember().options);
    await expect(minted).rejects.toThrow("The GitHub App 1234 is not installed in acme/kernels.");
  });

  test("whose key is another one's is told so, without the key", async () => {
    const other = generateKeyPairSync("rsa", { modulusLength: 2048 })
      .publicKey.export({ type: "spki", format: "pem" })
      .toString();
    const { open } = await setUpGitHub({ app: { id: 1234, publicKey: other } });
    const minted = open({ credentials: app }).registrations.mint(NAME, remember().options);
    await expect(minted).rejects.toThrow(GitHubTokenFailure);
    await expect(minted).rejects.not.toThrow(/BEGIN|eyJ/);
  });
});

describe("the runner application", () => {
  test("is the one that GitHub offers, for both architectures, with checksums", async () => {
    const { open } = await setUpGitHub();
    const found = await open().resolveApplication("latest", signal);
    expect(found.version).toBe("2.336.0");
    for (const archive of [found.x64, found.arm64]) {
      expect(archive?.url).toContain(`-${found.version}.tar.gz`);
      expect(archive?.sha256).toMatch(/^[0-9a-f]{64}$/);
    }
  });

  test("of an older version comes from its release", async () => {
    const { open } = await setUpGitHub({ application: { olderVersions: ["2.330.0"] } });
    const found = await open().resolveApplication("2.330.0", signal);
    expect(found.version).toBe("2.330.0");
    expect(found.x64?.url).toContain("2.330.0");
  });

  test.each([
    ["of a version that there is not", {}, "9.9.9"],
    ["without a checksum anywhere", { application: { tellsChecksums: false } }, "latest"],
  ])("%s is not installed", async (_what, options, version) => {
    const { open } = await setUpGitHub(options);
    await expect(open().resolveApplication(version, signal)).rejects.toThrow(/no runner application/);
  });

  test("shows before a purchase that a token may not manage runners", async () => {
    const { stand, open } = await setUpGitHub();
    const asked = open({ credentials: { kind: "token", token: stand.runToken } }).resolveApplication("latest", signal);
    await expect(asked).rejects.toThrow(GitHubTokenFailure);
  });
});

describe("cancelling the run", () => {
  test("is asked for with the run's token; one that is over is fine", async () => {
    const { stand, open } = await setUpGitHub();
    const run = stand.startRun({ jobs: [{ name: "test", labels: [LABEL] }] });
    await open().cancelRun(signal);
    expect(run.job("test").conclusion).toBe("cancelled");
    await open().cancelRun(signal);
  });

  test("that is not allowed is told with the line to write", async () => {
    const { stand, open } = await setUpGitHub({ runToken: { permissions: { actions: "read" } } });
    stand.startRun({ jobs: [{ name: "test", labels: [LABEL] }] });
    await expect(open().cancelRun(signal)).rejects.toMatchObject({ hint: expect.stringContaining("actions: write") });
  });
});
