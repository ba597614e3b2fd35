import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { type InputName, inputDefaults, inputNames, type RawInputs } from "../../src/actions/input-names.ts";
import { parseInputs, parseReleaseInputs, type Surroundings, secretsOf } from "../../src/actions/inputs.ts";
import { readRawInputs, readSurroundings } from "../../src/actions/read-inputs.ts";
import { readRunContext } from "../../src/actions/run-context.ts";
import { InputFailure } from "../../src/lease/failure.ts";
import { providers } from "../../src/market/registry.ts";

const TOKEN = "cc_live_0123456789abcdef";
const GITHUB_TOKEN = "ghp_abcdefghijklmnopqrstuvwxyz0123456789";
const SECRET_VALUE = "correct-horse-battery";
const RUN_TOKEN = "ghs_thetokenofthisjob0123456789";
/** As an older GitHub Enterprise Server makes them: nothing in it tells what it is. */
const PLAIN_TOKEN = "0123456789abcdef0123456789abcdef01234567";

const { privateKey: rsaKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const APP_KEY = rsaKey.export({ type: "pkcs1", format: "pem" }).toString();
const APP_KEY_PKCS8 = rsaKey.export({ type: "pkcs8", format: "pem" }).toString();
const EC_KEY = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const LOCKED_KEY = rsaKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" }).toString();
const KEY_LINE = APP_KEY.split("\n")[3] ?? "";

let workspace = "";
let surroundings: Surroundings;

beforeAll(() => {
  workspace = mkdtempSync(join(tmpdir(), "inputs-"));
  mkdirSync(join(workspace, "src"));
  writeFileSync(join(workspace, "data.csv"), "1,2\n");
  writeFileSync(join(workspace, "boot.yml"), "#cloud-config\npackages: [jq]\n");
  writeFileSync(join(workspace, "large.yml"), `#cloud-config\n#${"x".repeat(64_000)}\n`);
  writeFileSync(join(workspace, "latin1.yml"), Buffer.from([0x23, 0xe4, 0x0a]));
  writeFileSync(join(workspace, "leaky.yml"), `#!/bin/sh\ncurl -H ${TOKEN}\n`);
  surroundings = {
    ...readSurroundings(workspace, {
      RUNNER_ENVIRONMENT: "github-hosted",
      GREETING: "hello",
      LEAK: TOKEN,
      PAT: GITHUB_TOKEN,
      KEY: APP_KEY,
    }),
    home: join(workspace, "home"),
    providers,
    run: { repository: "octo/repo", runId: "4711", runAttempt: 2 },
  };
});

afterAll(() => rmSync(workspace, { recursive: true, force: true }));

type Given = Partial<Record<InputName, string>>;

const blank = z.record(z.enum(inputNames), z.string()).parse(Object.fromEntries(inputNames.map((name) => [name, ""])));

function rawInputs(given: Given): RawInputs {
  return { ...blank, ...given };
}

const enough: Given = { token: TOKEN, "gpu-type": "H100" };
const asGuard: Given = { mode: "runner", "github-token": GITHUB_TOKEN, "run-token": RUN_TOKEN };
const noFlaws = () => [];

function plan(given: Given = {}, changes: Partial<Surroundings> = {}) {
  return parseInputs(rawInputs({ ...enough, ...given }), { ...surroundings, ...changes }, noFlaws);
}

function problemsOf(
  given: Given,
  changes: Partial<Surroundings> = {},
  check: () => readonly string[] = noFlaws,
): readonly string[] {
  try {
    parseInputs(rawInputs({ ...enough, ...given }), { ...surroundings, ...changes }, check);
  } catch (error) {
    if (error instanceof InputFailure) return error.problems;
    throw error;
  }
  return [];
}

describe("what is left out", () => {
  test("gets the contract's defaults, and nothing that was not asked for", () => {
    expect(plan()).toEqual({
      provider: "compute-clear",
      token: TOKEN,
      apiUrl: "https://supply-api.compute-desk.com",
      wish: {
        gpuTypes: ["H100"],
        gpuCount: 1,
        contractType: "ondemand",
        regions: [],
        vendors: [],
        excludedVendors: [],
        lifetime: 7_200_000,
      },
      limits: {
        maxLifetime: 7_200_000,
        maxAttempts: 3,
        waitForOffer: 0,
        provisionTimeout: 900_000,
        pollInterval: 15_000,
        cleanupTimeout: 600_000,
      },
      work: { shell: "bash", env: {}, uploads: [], uploadIgnore: [], downloads: [] },
      verifyGpu: true,
      hostKey: "strict",
      release: "post",
      dryRun: false,
    });
  });

  test("is the same as an input that the runner filled in from action.yml", () => {
    expect(plan(inputDefaults)).toEqual(plan());
  });

  test("a default provision-timeout follows the machine's size and never outlasts the lease", () => {
    expect(plan({ "gpu-count": "7" }).limits.provisionTimeout).toBe(900_000);
    expect(plan({ "gpu-count": "8" }).limits.provisionTimeout).toBe(1_800_000);
    expect(plan({ "max-lifetime": "5m" }).limits.provisionTimeout).toBe(300_000);
  });

  test("blank counts as left out, in scripts too", () => {
    const { work, cloudInit } = plan({ run: " \n\t\n", "cloud-init": "\n", vendor: "  ", "gpu-count": " " });
    expect(work.run).toBeUndefined();
    expect(cloudInit).toBeUndefined();
  });
});

describe("what is given", () => {
  test("comes out as values", () => {
    const all = plan(
      {
        token: `  ${TOKEN}\n`,
        "api-url": "http://127.0.0.1:8080/v1//",
        "gpu-type": "H100, nvidia-a100-sxm4-80gb\nh100,",
        "gpu-count": "2",
        "contract-type": "spot",
        region: "us,Eu\nEU",
        vendor: "nebius, Lambda Labs",
        "exclude-vendor": "hyperstack",
        "max-price-per-gpu-hour": "3.5",
        "max-cost": "12.345678",
        "max-lifetime": "1.5h",
        "max-attempts": "10",
        "wait-for-offer": "30m",
        "provision-timeout": "90s",
        "poll-interval": "1s",
        "verify-gpu": "False",
        "host-key": "first-sight",
        run: "  echo one\necho two  \n",
        shell: "perl {0}",
        "working-directory": "/srv/my work",
        env: "A=1\n\n  B= two = 2 \nGREETING\nEMPTY=\r\n",
        upload: "src -> work/src\n~/model -> /srv/model\n",
        "upload-ignore": "*.pyc\n{a,b}/\n",
        download: "out -> results\nlog.txt -> /var/log/x\nmodel.bin -> models/\n",
        release: "after-run",
        "cleanup-timeout": "1m",
        "dry-run": "TRUE",
      },
      { fileSystem: { ...surroundings.fileSystem, inspect: () => ({ isFile: true, bytes: 1 }) } },
    );
    expect(all).toMatchObject({
      token: TOKEN,
      apiUrl: "http://127.0.0.1:8080/v1",
      wish: {
        gpuTypes: ["H100", "nvidia-a100-sxm4-80gb"],
        gpuCount: 2,
        contractType: "spot",
        regions: ["US", "EU"],
        vendors: ["nebius", "Lambda Labs"],
        excludedVendors: ["hyperstack"],
        maxPricePerGpuHour: 3.5,
      },
      limits: {
        maxCost: 12.345678,
        maxLifetime: 5_400_000,
        maxAttempts: 10,
        waitForOffer: 1_800_000,
        provisionTimeout: 90_000,
        pollInterval: 1000,
        cleanupTimeout: 60_000,
      },
      verifyGpu: false,
      hostKey: "first-sight",
      release: "after-run",
      dryRun: true,
    });
    expect(all.work).toEqual({
      run: "  echo one\necho two  \n",
      shell: "perl {0}",
      workingDirectory: "/srv/my work",
      env: { A: "1", B: " two = 2 ", GREETING: "hello", EMPTY: "" },
      uploads: [
        { from: join(workspace, "src"), to: "work/src" },
        { from: join(workspace, "home/model"), to: "/srv/model" },
      ],
      uploadIgnore: ["*.pyc", "{a,b}/"],
      downloads: [
        { from: "out", to: join(workspace, "results") },
        { from: "log.txt", to: "/var/log/x" },
        { from: "model.bin", to: `${join(workspace, "models")}/` },
      ],
    });
  });

  test("at Clore comes out as what a container is made of, and its host key is taken at first sight", () => {
    const { apiUrl, container, hostKey, wish } = plan({
      provider: "clore",
      image: "docker.io/nvidia/cuda:12.4.1-devel-ubuntu22.04",
      currency: "bitcoin",
      ports: "8888/http\n6006/tcp, 9000/tcp",
      "container-env": "A=1\nGREETING",
      "min-reliability": "0.98",
      "cloud-init": "#!/bin/bash\ntrue\n",
    });
    expect({ apiUrl, hostKey }).toEqual({ apiUrl: "https://api.clore.ai/v1", hostKey: "first-sight" });
    expect(wish.minReliability).toBe(0.98);
    expect(container).toEqual({
      image: "docker.io/nvidia/cuda:12.4.1-devel-ubuntu22.04",
      currency: "bitcoin",
      ports: [
        { port: 8888, kind: "http" },
        { port: 6006, kind: "tcp" },
        { port: 9000, kind: "tcp" },
      ],
      env: { A: "1", GREETING: "hello" },
    });
    expect(plan({ provider: "clore" }).container).toEqual({
      image: "cloreai/jupyter:ubuntu24.04-v2",
      currency: "USD-Blockchain",
      ports: [],
      env: {},
    });
    expect(plan().container).toBeUndefined();
  });

  test("is frozen to its depths", () => {
    const frozen = plan({ run: "true", env: "A=1", upload: "src -> src" });
    expect(Object.isFrozen(frozen)).toBe(true);
    expect(Object.isFrozen(frozen.wish.gpuTypes)).toBe(true);
    expect(Object.isFrozen(frozen.work.env)).toBe(true);
    expect(Object.isFrozen(frozen.work.uploads[0])).toBe(true);
  });

  test.each(["https://[::1]:8443", "http://[::1]:1", "http://localhost:3000/api", "http://127.8.9.10"])("api-url %s", (url) => {
    expect(plan({ "api-url": url }).apiUrl).toBe(url);
  });

  test("cloud-init comes from the input or from a file", () => {
    expect(plan({ "cloud-init": "#!/bin/sh\ntrue\n" }).cloudInit).toBe("#!/bin/sh\ntrue\n");
    expect(plan({ "cloud-init-file": "boot.yml" }).cloudInit).toBe("#cloud-config\npackages: [jq]\n");
  });

  test("a long lease is fine where the job does not end after 6 hours", () => {
    expect(plan({ "max-lifetime": "120h" }, { hosted: false }).limits.maxLifetime).toBe(432_000_000);
  });
});

describe("runner mode", () => {
  const guarding = (given: Given = {}, changes: Partial<Surroundings> = {}) => plan({ ...asGuard, ...given }, changes).guarding;

  test("has the contract's defaults", () => {
    expect(guarding()).toEqual({
      labels: ["gpu-4711-2"],
      scope: { kind: "repository", owner: "octo", repository: "repo" },
      groupId: 1,
      version: "latest",
      runners: 1,
      docker: "auto",
      credentials: { kind: "token", token: GITHUB_TOKEN },
      runToken: RUN_TOKEN,
      matrix: { index: 0, total: 1 },
      waitForJob: 1_800_000,
      requireJob: false,
      hold: true,
      mirror: true,
      idleTimeout: 300_000,
      linger: 15_000,
      cancelGrace: 0,
      cancelRunOnFailure: true,
    });
    expect(plan({ ...inputDefaults, ...asGuard })).toEqual(plan(asGuard));
  });

  test("takes every value", () => {
    const all = guarding({
      "gpu-count": "8",
      "runner-label": " big, GPU-4711\n big\ngpu-4711 , two words,",
      "runner-scope": "Octo",
      "runner-group-id": "17",
      "runner-version": "v2.336.0",
      runners: "4",
      docker: "require",
      "wait-for-job": "6h",
      "require-job": "true",
      mirror: "FALSE",
      "idle-timeout": "30s",
      linger: "10m",
      "cancel-grace": "3m",
      "cancel-run-on-failure": "False",
      "job-total": "256",
      "job-index": "255",
      "run-token": PLAIN_TOKEN,
    });
    expect(all).toEqual({
      labels: ["big", "GPU-4711", "two words"],
      scope: { kind: "organisation", owner: "Octo" },
      groupId: 17,
      version: "2.336.0",
      runners: 4,
      docker: "require",
      credentials: { kind: "token", token: GITHUB_TOKEN },
      runToken: PLAIN_TOKEN,
      matrix: { index: 255, total: 256 },
      waitForJob: 21_600_000,
      requireJob: true,
      hold: true,
      mirror: false,
      idleTimeout: 30_000,
      linger: 600_000,
      cancelGrace: 180_000,
      cancelRunOnFailure: false,
    });
    expect(Object.isFrozen(all?.labels)).toBe(true);
  });

  test("the scope may be the repository by its name, in any case", () => {
    const scope = { kind: "repository", owner: "Octo", repository: "Repo" };
    expect(guarding({ "runner-scope": "Octo/Repo" })?.scope).toEqual(scope);
  });

  test("without a hold there is nothing to mirror", () => {
    expect(guarding({ hold: "false", "max-lifetime": "4m" })).toMatchObject({ hold: false, mirror: false });
  });

  test("defaults never outlast the lease", () => {
    expect(guarding({ "max-lifetime": "10s" })).toMatchObject({ idleTimeout: 10_000, linger: 10_000 });
  });

  test("one personal token may be given for both", () => {
    expect(guarding({ "run-token": GITHUB_TOKEN })?.credentials).toEqual({ kind: "token", token: GITHUB_TOKEN });
  });

  const oneLine = APP_KEY.trim().replaceAll("\n", " ");
  test.each([
    ["as GitHub makes it", APP_KEY, APP_KEY],
    ["in PKCS #8", APP_KEY_PKCS8, APP_KEY_PKCS8],
    ["with its line ends written out", APP_KEY.replaceAll("\n", "\\n"), APP_KEY],
    ["with line ends of Windows", APP_KEY.replaceAll("\n", "\r\n"), APP_KEY],
    ["with these written out", APP_KEY.replaceAll("\n", "\\r\\n"), APP_KEY],
    ["on one line", oneLine, APP_KEY],
    ["between blanks", `\n  ${APP_KEY}\n\n`, APP_KEY],
  ])("takes an App with its key %s", (_how, given, privateKey) => {
    for (const appId of ["1234567", "Iv23liAbCdEf01234567"]) {
      const app = { "github-token": "", "github-app-id": appId, "github-app-private-key": given };
      expect(guarding(app)?.credentials).toEqual({ kind: "app", appId, privateKey });
    }
  });

  test("names every secret of a plan, to be masked", () => {
    const app = { "github-token": "", "github-app-id": "1", "github-app-private-key": APP_KEY };
    expect(secretsOf(plan())).toEqual([TOKEN]);
    expect(secretsOf(plan(asGuard))).toEqual([TOKEN, RUN_TOKEN, GITHUB_TOKEN]);
    expect(secretsOf(plan({ ...asGuard, ...app }))).toEqual([TOKEN, RUN_TOKEN, APP_KEY]);
  });

  test("is absent in mode 'ssh', whatever the runner fills in", () => {
    expect(plan({ ...inputDefaults, "run-token": RUN_TOKEN, "job-total": "7" }).guarding).toBeUndefined();
  });
});

const atClore = { provider: "clore" };
const withRun = { run: "true" };
const asApp: Given = { ...asGuard, "github-token": "", "github-app-id": "12", "github-app-private-key": APP_KEY };

/** The input, what is given, and words that the refusal must hold beside the input's name. */
const refusals: readonly (readonly [name: InputName, given: Given, ...words: readonly string[]])[] = [
  ["provider", { provider: "aws" }, "'aws'", "'compute-clear'"],
  ["provider", { provider: "Compute-Clear" }, "'Compute-Clear'", "'compute-clear'"],
  ["token", { token: "" }, "empty", "fork", "Dependabot"],
  ["token", { token: " \n" }, "empty"],
  ["token", { token: "two words here" }, "whitespace"],
  ["token", { token: "first-line\nsecond-line" }, "whitespace"],
  ["token", { token: "control\u0007character" }, "control characters"],
  ["token", { token: "tökén-with-umlauts" }, "ASCII"],
  ["token", { token: "x".repeat(4097) }, "up to 4096"],
  ...["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"].map(
    (prefix) => ["token", { token: `${prefix}0123456789abcdefghij` }, "GitHub token", "marketplace's own"] as const,
  ),
  ["api-url", { "api-url": "supply-api.compute-desk.com" }, "URL", "https://"],
  ["api-url", { "api-url": "https://exa mple.com" }, "URL"],
  ["api-url", { "api-url": "http://supply-api.compute-desk.com" }, "in the clear", "https", "loopback"],
  ["api-url", { "api-url": "http://128.0.0.1" }, "loopback"],
  ["api-url", { "api-url": "http://localhost.example.com" }, "loopback"],
  ["api-url", { "api-url": "http://127.0.0.1.example.com" }, "loopback"],
  ["api-url", { "api-url": "ftp://example.com" }, "'ftp://example.com'"],
  ["api-url", { "api-url": "https://user:hunter22@example.com" }, "credentials"],
  ["api-url", { "api-url": "https://example.com/?key=1" }, "query"],
  ["api-url", { "api-url": "https://example.com/#top" }, "fragment"],
  ["gpu-type", { "gpu-type": "" }, "missing", "H100"],
  ["gpu-type", { "gpu-type": ",\n," }, "', ,'", "H100"],
  ["gpu-type", { "gpu-type": "any" }, "'any'", "H100"],
  ["gpu-type", { "gpu-type": "H100, ANY" }, "'any'"],
  ["gpu-type", { "gpu-type": "H100;A100" }, "'H100;A100'", "letters"],
  ["gpu-type", { "gpu-type": "H100\n::error::x" }, "letters"],
  ["gpu-type", { "gpu-type": Array.from({ length: 33 }, (_, index) => `T${index}`).join() }, "33", "at most 32"],
  ["gpu-count", { "gpu-count": "0" }, "'0'", "from 1 to 64"],
  ["gpu-count", { "gpu-count": "65" }, "'65'", "from 1 to 64"],
  ["gpu-count", { "gpu-count": "1.5" }, "'1.5'", "whole number"],
  ["gpu-count", { "gpu-count": "-1" }, "'-1'", "whole number"],
  ["gpu-count", { "gpu-count": "0x10" }, "'0x10'", "whole number"],
  ["gpu-count", { "gpu-count": "eight" }, "'eight'", "whole number"],
  ["contract-type", { "contract-type": "on-demand" }, "'on-demand'", "'ondemand' or 'spot'"],
  ["region", { region: "US, Mars" }, "'Mars'", "US, EU, APAC or Other"],
  ["region", { region: "any" }, "'any'", "US, EU, APAC or Other"],
  ["vendor", { vendor: "nebius, $(id)" }, "'$(id)'", "letters"],
  ["exclude-vendor", { "exclude-vendor": "<b>" }, "'<b>'", "letters"],
  ["exclude-vendor", { vendor: "nebius", "exclude-vendor": "Nebius" }, "'nebius'", "'vendor'"],
  ["max-price-per-gpu-hour", { "max-price-per-gpu-hour": "$3.50" }, "'$3.50'", "USD", "2.50"],
  ["max-price-per-gpu-hour", { "max-price-per-gpu-hour": "0" }, "'0'", "above 0"],
  ["max-price-per-gpu-hour", { "max-price-per-gpu-hour": "-2" }, "'-2'", "above 0"],
  ["max-price-per-gpu-hour", { "max-price-per-gpu-hour": "1e3" }, "'1e3'", "2.50"],
  ["max-price-per-gpu-hour", { "max-price-per-gpu-hour": "3,50" }, "'3,50'", "2.50"],
  ["max-cost", { "max-cost": "0.0000001" }, "'0.0000001'", "6 decimals"],
  ["max-cost", { "max-cost": "Infinity" }, "'Infinity'", "USD"],
  ["max-cost", { "max-cost": "NaN" }, "'NaN'", "USD"],
  ["max-lifetime", { "max-lifetime": "2" }, "'2'", "'2h'"],
  ["max-lifetime", { "max-lifetime": "1d" }, "'1d'", "'2h'"],
  ["max-lifetime", { "max-lifetime": "2 hours" }, "'2 hours'", "'2h'"],
  ["max-lifetime", { "max-lifetime": "9s" }, "'9s'", "from 10 s"],
  ["max-lifetime", { "max-lifetime": "361m" }, "'361m'", "to 6 h", "GitHub-hosted", "self-hosted"],
  ["max-attempts", { "max-attempts": "0" }, "'0'", "from 1 to 10"],
  ["max-attempts", { "max-attempts": "11" }, "'11'", "from 1 to 10"],
  ["wait-for-offer", { "wait-for-offer": "-1s" }, "'-1s'", "from 0 s"],
  ["wait-for-offer", { "wait-for-offer": "7h" }, "'7h'", "to 6 h"],
  ["provision-timeout", { "provision-timeout": "5s" }, "'5s'", "from 10 s"],
  ["provision-timeout", { "provision-timeout": "3h" }, "'3h'", "to 2 h"],
  ["provision-timeout", { "provision-timeout": "31m", "max-lifetime": "30m" }, "'31m'", "'max-lifetime'", "'30m'"],
  ["poll-interval", { "poll-interval": "0s" }, "'0s'", "from 1 s"],
  ["poll-interval", { "poll-interval": "6m" }, "'6m'", "to 5 min"],
  ["verify-gpu", { "verify-gpu": "yes" }, "'yes'", "'true' or 'false'"],
  ["verify-gpu", { "verify-gpu": "tRUE" }, "'tRUE'", "'true' or 'false'"],
  ["host-key", { "host-key": "off" }, "'off'", "'strict' or 'first-sight'"],
  ["provider", { provider: "vast" }, "'vast'", "'compute-clear' or 'clore'"],
  ["image", { image: "cloreai/jupyter:latest" }, "'compute-clear'", "whole machines"],
  ["image", { ...atClore, image: "Not an image" }, "'Not an image'", "Docker image"],
  ["currency", { currency: "bitcoin" }, "'compute-clear'"],
  ["currency", { ...atClore, currency: "dogecoin" }, "'dogecoin'", "'USD-Blockchain', 'CLORE-Blockchain' or 'bitcoin'"],
  ["ports", { ports: "8888/http" }, "'compute-clear'"],
  ["ports", { ...atClore, ports: "8888" }, "'8888'", "'8888/http'"],
  ["ports", { ...atClore, ports: "70000/tcp" }, "'70000/tcp'"],
  ["ports", { ...atClore, ports: "22/tcp" }, "port 22"],
  ["ports", { ...atClore, ports: "50000/tcp" }, "'50000/tcp'", "40000 to 64999"],
  ["ports", { ...atClore, ports: "80/http\n8080/http" }, "one http port"],
  ["ports", { ...atClore, ports: "80/http, 80/tcp" }, "port 80 twice"],
  ["container-env", { "container-env": "A=1" }, "'compute-clear'"],
  ["container-env", { ...atClore, "container-env": "A=x&y" }, "'A'", "'&'"],
  ["container-env", { ...atClore, "container-env": "A=ü" }, "'A'", "ASCII"],
  ["container-env", { ...atClore, "container-env": `A=${TOKEN}` }, "marketplace token"],
  ["min-reliability", { "min-reliability": "0.9" }, "'compute-clear'"],
  ["min-reliability", { ...atClore, "min-reliability": "98" }, "'98'", "from 0 to 1"],
  ["docker", { ...asGuard, ...atClore, docker: "require" }, "'clore'", "containers", "'auto'"],
  ["cloud-init", { ...atClore, "cloud-init": "#cloud-config\npackages: [jq]\n" }, "containers", "'#!/bin/bash'"],
  ["cloud-init", { ...atClore, "cloud-init": "#!/bin/sh\r\ntrue\r\n" }, "CR LF"],
  ["cloud-init", { "cloud-init": "x".repeat(64_001) }, "64001", "64000"],
  ["cloud-init", { "cloud-init": "ü".repeat(32_001) }, "64002", "64000"],
  ["cloud-init-file", { "cloud-init": "#!/bin/sh", "cloud-init-file": "boot.yml" }, "'cloud-init'", "one of the two"],
  ["cloud-init-file", { "cloud-init-file": "missing.yml" }, "'missing.yml'", "does not exist"],
  ["cloud-init-file", { "cloud-init-file": "src" }, "'src'", "not a file"],
  ["cloud-init-file", { "cloud-init-file": "large.yml" }, "64000"],
  ["cloud-init-file", { "cloud-init-file": "latin1.yml" }, "'latin1.yml'", "UTF-8"],
  ["cloud-init-file", { "cloud-init-file": "leaky.yml" }, "marketplace token", "machine"],
  ["mode", { mode: "vm" }, "'vm'", "'ssh' or 'runner'"],
  ["mode", { mode: "Runner" }, "'Runner'", "'ssh' or 'runner'"],
  ["run", { ...asGuard, run: "make" }, "'runner'", "GPU job"],
  ["run", { run: "echo \0" }, "NUL"],
  ["run", { run: `curl -H 'Authorization: Bearer ${TOKEN}'` }, "marketplace token", "machine"],
  ["run", { run: `git clone https://x:${GITHUB_TOKEN}@github.com/o/r` }, "GitHub token", "'upload'"],
  ["shell", { ...withRun, shell: "zsh" }, "'zsh'", "'bash', 'sh' or 'python'", "{0}"],
  ["shell", { ...withRun, shell: "perl\n{0}" }, "{0}"],
  ["shell", { shell: "python" }, "'python'", "'run'"],
  ["working-directory", { "working-directory": "/srv" }, "'run'"],
  ["working-directory", { ...withRun, "working-directory": "/srv\n/tmp" }, "one line"],
  ["env", { env: "A=1" }, "'run'"],
  ["env", { ...withRun, env: "A=1\nB" }, "line 2", "'B'", "not set"],
  ["env", { ...withRun, env: "1A=1" }, "line 1", "letters, digits"],
  ["env", { ...withRun, env: "A =1" }, "line 1", "no space"],
  ["env", { ...withRun, env: "=1" }, "line 1", "NAME=value"],
  // Every object has this, and no environment.
  ["env", { ...withRun, env: "toString" }, "'toString', which is not set in this step", "NAME=value"],
  ["env", { ...withRun, env: "A=1\nA=2" }, "line 2", "'A'", "once"],
  ["env", { ...withRun, env: "GITHUB_TOKEN" }, "'GITHUB_TOKEN'", "workflow run"],
  ["env", { ...withRun, env: "ACTIONS_RUNTIME_TOKEN" }, "'ACTIONS_RUNTIME_TOKEN'", "workflow run"],
  ["env", { ...withRun, env: "INPUT_TOKEN" }, "'INPUT_TOKEN'", "workflow run"],
  ["env", { ...withRun, env: "LEAK" }, "'LEAK'", "marketplace token"],
  ["env", { ...withRun, env: `A=${TOKEN}` }, "marketplace token"],
  ["env", { ...withRun, env: "PAT" }, "'PAT'", "GitHub token"],
  ["upload", { upload: "src" }, "line 1", "'local -> remote'"],
  ["upload", { upload: "src->dst" }, "line 1", "' -> '"],
  ["upload", { upload: "src ->" }, "line 1", "' -> '"],
  ["upload", { upload: " -> dst" }, "line 1", "' -> '"],
  ["upload", { upload: "src -> a -> b" }, "line 1", "one ' -> '"],
  ["upload", { upload: "src -> a\nsrcs -> b" }, "line 2", "'srcs'", "does not exist"],
  ["upload", { upload: "src/*.py -> a" }, "'src/*.py'", "not expanded"],
  ["upload-ignore", { "upload-ignore": "*.pyc" }, "'upload'"],
  ["download", { ...withRun, download: "out" }, "line 1", "'remote -> local'"],
  ["download", { ...withRun, download: "out -> ../elsewhere" }, "'../elsewhere'", "workspace"],
  ["download", { ...withRun, download: "out -> a/../../elsewhere" }, "workspace", "absolute"],
  ["download", { download: "out -> out" }, "'run'"],
  ["release", { release: "after-run" }, "'run'", "'post'"],
  ["release", { ...withRun, release: "never" }, "'never'", "'post' or 'after-run'"],
  ["shell", { ...asGuard, shell: "python" }, "'runner'", "GPU job"],
  ["working-directory", { ...asGuard, "working-directory": "/srv" }, "'runner'", "GPU job"],
  ["env", { ...asGuard, env: "A=1" }, "'runner'", "GPU job"],
  ["upload", { ...asGuard, upload: "src -> src" }, "'runner'", "GPU job"],
  ["upload-ignore", { ...asGuard, "upload-ignore": "*.pyc" }, "'runner'", "GPU job"],
  ["download", { ...asGuard, download: "out -> out" }, "'runner'", "GPU job"],
  ["release", { ...asGuard, release: "after-run" }, "'runner'", "jobs are over"],
  ["github-token", { ...asGuard, "github-token": "" }, "empty", "Administration: write", "'github-app-id'", "Dependabot"],
  ["github-token", { ...asGuard, "github-token": RUN_TOKEN }, "GITHUB_TOKEN can never", "Administration: write"],
  ["github-token", { ...asGuard, "github-token": PLAIN_TOKEN, "run-token": PLAIN_TOKEN }, "GITHUB_TOKEN can never"],
  ["github-token", { ...asGuard, "github-token": TOKEN }, "marketplace token", "only the input 'token'"],
  ["github-token", { ...asGuard, "github-token": "two words" }, "whitespace", "one GitHub token"],
  ["github-token", { ...asGuard, "github-token": "x".repeat(4097) }, "up to 4096"],
  ["github-token", { "github-token": GITHUB_TOKEN }, "'ssh'", "'runner'"],
  ["github-app-id", { ...asGuard, "github-app-id": "12" }, "'github-token'", "not both"],
  ["github-app-id", { ...asApp, "github-app-id": "" }, "empty", "'github-app-private-key'"],
  ["github-app-id", { ...asApp, "github-app-id": "my-app" }, "'my-app'", "number", "'Iv'"],
  ["github-app-id", { ...asApp, "github-app-id": "0" }, "'0'", "number"],
  ["github-app-id", { "github-app-id": "12" }, "'ssh'"],
  ["github-app-private-key", { ...asApp, "github-app-private-key": "" }, "empty", "'github-app-id'", "Dependabot"],
  ["github-app-private-key", { ...asGuard, "github-app-private-key": APP_KEY }, "'github-token'", "not both"],
  ["github-app-private-key", { ...asApp, "github-app-private-key": "secret" }, "-----BEGIN RSA PRIVATE KEY-----"],
  ["github-app-private-key", { ...asApp, "github-app-private-key": APP_KEY.slice(0, 900) }, ".pem"],
  ["github-app-private-key", { ...asApp, "github-app-private-key": APP_KEY.replace(KEY_LINE, "") }, "cut off"],
  ["github-app-private-key", { ...asApp, "github-app-private-key": EC_KEY }, "RSA"],
  ["github-app-private-key", { ...asApp, "github-app-private-key": LOCKED_KEY }, ".pem"],
  ["github-app-private-key", { ...asApp, "github-app-private-key": "A".repeat(20_001) }, "20001", "20000"],
  ["github-app-private-key", { "github-app-private-key": APP_KEY }, "'ssh'"],
  ["run-token", { ...asGuard, "run-token": " " }, "empty", "Remove the line"],
  ["run-token", { ...asGuard, "run-token": "two words" }, "whitespace"],
  ["run-token", { ...asGuard, "run-token": TOKEN }, "marketplace token"],
  ["runner-label", { ...asGuard, "runner-label": "self-hosted, gpu-1" }, "'self-hosted'", "take the machine"],
  ...["Linux", "windows", "macOS", "X64", "arm64", "ubuntu-latest", "Ubuntu-24.04-arm", "macos-15", "windows-2025"].map(
    (label) => ["runner-label", { ...asGuard, "runner-label": `gpu-1\n${label}` }, `'${label}'`, "take the machine"] as const,
  ),
  ["runner-label", { ...asGuard, "runner-label": ",\n" }, "labels", "100 characters"],
  ["runner-label", { ...asGuard, "runner-label": "x".repeat(101) }, "100 characters"],
  ["runner-label", { ...asGuard, "runner-label": '["gpu-1"]' }, "quotes", "brackets"],
  ["runner-label", { ...asGuard, "runner-label": "gpu\u0007" }, "control characters"],
  [
    "runner-label",
    { ...asGuard, "runner-label": Array.from({ length: 11 }, (_, index) => `l${index}`).join() },
    "11",
    "at most 10",
  ],
  ["runner-label", { "runner-label": "gpu-1" }, "'ssh'", "'runner'"],
  ["runner-scope", { ...asGuard, "runner-scope": "octo/other" }, "'octo/other'", "'octo/repo'", "'octo'"],
  ["runner-scope", { ...asGuard, "runner-scope": "elsewhere" }, "'elsewhere'", "no job of this run"],
  ["runner-scope", { ...asGuard, "runner-scope": "octo/.." }, "'octo/..'", "'owner/repository'"],
  ["runner-scope", { ...asGuard, "runner-scope": "https://github.com/octo" }, "'owner/repository'", "organisation"],
  ["runner-scope", { "runner-scope": "octo" }, "'ssh'"],
  ["runner-group-id", { ...asGuard, "runner-group-id": "0" }, "'0'", "from 1"],
  ["runner-group-id", { ...asGuard, "runner-group-id": "default" }, "'default'", "whole number"],
  ["runner-version", { ...asGuard, "runner-version": "2.336" }, "'2.336'", "'latest'", "'2.336.0'"],
  ["runner-version", { ...asGuard, "runner-version": "../2.336.0" }, "'latest'"],
  ["runners", { ...asGuard, runners: "0" }, "'0'", "from 1 to 16"],
  ["runners", { ...asGuard, runners: "17" }, "'17'", "from 1 to 16"],
  ["runners", { ...asGuard, runners: "2" }, "'2'", "one GPU", "it takes 1."],
  ["runners", { ...asGuard, runners: "3", "gpu-count": "8" }, "'3'", "8 GPUs", "1, 2, 4 or 8"],
  ["runners", { runners: "2", "gpu-count": "2" }, "'ssh'"],
  ["docker", { ...asGuard, docker: "yes" }, "'yes'", "'auto', 'require' or 'none'"],
  ["docker", { docker: "require" }, "'ssh'"],
  ["wait-for-job", { ...asGuard, "wait-for-job": "7h" }, "'7h'", "to 6 h"],
  ["wait-for-job", { "wait-for-job": "1h" }, "'ssh'"],
  ["require-job", { ...asGuard, "require-job": "yes" }, "'yes'", "'true' or 'false'"],
  ["require-job", { "require-job": "true" }, "'ssh'"],
  ["hold", { ...asGuard, hold: "no" }, "'no'", "'true' or 'false'"],
  ["hold", { hold: "false" }, "'ssh'"],
  ["mirror", { ...asGuard, mirror: "maybe" }, "'maybe'", "'true' or 'false'"],
  ["mirror", { mirror: "false" }, "'ssh'"],
  ["idle-timeout", { ...asGuard, "idle-timeout": "29s" }, "'29s'", "from 30 s to 2 h"],
  ["idle-timeout", { ...asGuard, "idle-timeout": "31m", "max-lifetime": "30m" }, "'31m'", "'max-lifetime'", "'30m'"],
  ["idle-timeout", { ...asGuard, hold: "false", "idle-timeout": "1m" }, "'1m'", "'hold'"],
  ["linger", { ...asGuard, linger: "11m" }, "'11m'", "to 10 min"],
  ["linger", { ...asGuard, linger: "5m", "max-lifetime": "4m" }, "'5m'", "'max-lifetime'", "'4m'"],
  ["linger", { ...asGuard, hold: "false", linger: "1m" }, "'1m'", "'hold'"],
  ["cancel-grace", { ...asGuard, "cancel-grace": "4m" }, "'4m'", "to 3 min"],
  ["cancel-grace", { ...asGuard, hold: "false", "cancel-grace": "1m" }, "'1m'", "'hold'"],
  ["runners", { ...asGuard, hold: "false", runners: "2", "gpu-count": "2" }, "'2'", "'hold'"],
  ["cancel-run-on-failure", { ...asGuard, "cancel-run-on-failure": "never" }, "'never'", "'true' or 'false'"],
  ["job-total", { ...asGuard, "job-total": "many" }, "'many'", "whole number"],
  ["job-index", { ...asGuard, "job-index": "-1" }, "'-1'", "whole number"],
  ["run", { run: `echo ${PLAIN_TOKEN}`, "run-token": PLAIN_TOKEN }, "GitHub token", "'upload'"],
  ["cloud-init", { ...asGuard, "github-token": PLAIN_TOKEN, "cloud-init": `#!/bin/sh\n# ${PLAIN_TOKEN}` }, "GitHub token"],
  ["cloud-init", { ...asApp, "cloud-init": `#!/bin/sh\n# ${KEY_LINE}` }, "App's private key", "machine"],
  ["runner-label", { ...asGuard, "runner-label": GITHUB_TOKEN }, "GitHub token"],
  ["cleanup-timeout", { "cleanup-timeout": "9s" }, "'9s'", "from 10 s"],
  ["cleanup-timeout", { "cleanup-timeout": "61m" }, "'61m'", "to 1 h"],
  ["dry-run", { "dry-run": "1" }, "'1'", "'true' or 'false'"],
  ["on-fork", { "on-fork": "warn" }, "'warn'", "'fail', 'skip' or 'allow'"],
];

describe("what is refused", () => {
  test("the table is as long as it is meant to be", () => {
    expect(refusals.length).toBeGreaterThanOrEqual(60);
  });

  const cases = refusals.map(([name, given, ...words]) => ({ name, value: given[name]?.slice(0, 30), given, words }));
  test.each(cases)("$name: $value", ({ name, given, words }) => {
    const problems = problemsOf(given);
    const own = problems.filter((problem) => problem.startsWith(`Input '${name}' `));
    expect(problems).not.toEqual([]);
    expect(own.join("\n")).not.toBe("");
    for (const word of words) expect(own.join("\n")).toContain(word);
    expect(problems.filter((problem) => !own.includes(problem))).toEqual([]);
  });

  test("everything wrong is reported at once", () => {
    const problems = problemsOf({
      token: "",
      "gpu-type": "",
      "gpu-count": "none",
      region: "Mars, Venus",
      vendor: "a",
      "exclude-vendor": "A",
      "max-cost": "$1",
      "cloud-init-file": "missing.yml",
      env: "1=1\n2=2",
      upload: "gone -> x",
      release: "after-run",
    });
    const told = problems.map((problem) => /^Input '([^']+)' /.exec(problem)?.[1]);
    expect(told.toSorted()).toEqual(
      [
        "token",
        "gpu-type",
        "gpu-count",
        "region",
        "region",
        "exclude-vendor",
        "max-cost",
        "cloud-init-file",
        "env",
        "env",
        "env",
        "upload",
        "release",
      ].toSorted(),
    );
  });

  test("everything wrong about a guard is reported at once", () => {
    const problems = problemsOf({
      mode: "runner",
      run: "make",
      env: "A=1",
      "runner-label": "linux",
      "runner-scope": "elsewhere",
      "runner-version": "new",
      "gpu-count": "4",
      runners: "3",
      linger: "1d",
    });
    const told = problems.map((problem) => /^Input '([^']+)' /.exec(problem)?.[1]);
    expect(told.toSorted()).toEqual(
      [
        "run",
        "env",
        "github-token",
        "run-token",
        "runner-label",
        "runner-scope",
        "runner-version",
        "runners",
        "linger",
      ].toSorted(),
    );
  });

  test("a label is needed in a matrix, and the refusal has the lines to write", () => {
    const [problem = "", ...others] = problemsOf({ ...asGuard, "job-total": "4" });
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the workflow's author is to write these expressions
    const label = "gpu-${{ github.run_id }}-${{ github.run_attempt }}-${{ matrix.<your key> }}";
    expect(problem).toMatch(/^Input 'runner-label' is missing, and this job is one of 4 of a matrix/);
    expect(problem).toContain(`'runner-label: ${label}'`);
    expect(problem).toContain(`'runs-on: ${label}'`);
    expect(others).toEqual([]);
  });

  test("flaws of the user's cloud-init are told under the input that holds it", () => {
    const flaws = () => ["it has no '#cloud-config' line.", "second\u001b[31m flaw"];
    expect(problemsOf({ "cloud-init": "x" }, {}, flaws)).toEqual([
      "Input 'cloud-init' cannot be used: it has no '#cloud-config' line.",
      "Input 'cloud-init' cannot be used: second [31m flaw",
    ]);
    expect(problemsOf({ "cloud-init-file": "boot.yml" }, {}, flaws)[0]).toMatch(/^Input 'cloud-init-file' cannot be used/);
  });

  test("a refused 'run' is still a 'run' to the inputs that need one", () => {
    expect(problemsOf({ run: "\0", env: "A=1", release: "after-run" })).toHaveLength(1);
  });

  test("values are quoted short, on one line, and never as a workflow command", () => {
    const [problem = ""] = problemsOf({ "gpu-count": `1\n::error::${"x".repeat(5000)}` });
    expect(problem.length).toBeLessThan(200);
    expect(problem).not.toMatch(/\n|::/);
  });
});

describe("secrets", () => {
  test("no refusal holds the marketplace token, wherever it was put", () => {
    for (const name of inputNames) {
      for (const value of [TOKEN, `x ${TOKEN}`, `${"y".repeat(70)}${TOKEN}`, `${TOKEN} -> ${TOKEN}`, `A=1\n${TOKEN}`]) {
        const problems = problemsOf({ ...withRun, [name]: value, ...(name === "token" ? {} : { token: TOKEN }) });
        expect(problems.join("\n")).not.toContain(TOKEN.slice(0, 12));
      }
    }
  });

  test("no refusal holds any of a bad token", () => {
    for (const token of [`${TOKEN} ${TOKEN}`, `ghp_${TOKEN}`, `${TOKEN}\u0001`, `${TOKEN}ü`, TOKEN.repeat(300)]) {
      const problems = problemsOf({ token });
      expect(problems).toHaveLength(1);
      expect(problems.join()).not.toContain(TOKEN.slice(0, 12));
      expect(parseReleaseInputs(rawInputs({ token })).tokenProblem).not.toContain(TOKEN.slice(0, 12));
    }
  });

  test("no refusal holds a token of GitHub's or a line of the App's key, wherever it was put", () => {
    const lines = APP_KEY.split("\n").filter((line) => line.length > 30 && !line.startsWith("-"));
    const given: readonly Given[] = [
      { ...asGuard, "github-token": PLAIN_TOKEN, "run-token": RUN_TOKEN, hold: "false" },
      { ...asApp, "github-app-private-key": APP_KEY.replaceAll("\n", " ") },
    ];
    for (const name of inputNames) {
      for (const base of given) {
        for (const value of [PLAIN_TOKEN, `x ${RUN_TOKEN}`, APP_KEY, `A=1\n${KEY_LINE}`]) {
          const told = problemsOf({ ...base, [name]: value, ...(name === "token" ? {} : { token: TOKEN }) }).join("\n");
          // A value that is no secret of the step any more, because it took the place of one, may be quoted where it is not a token.
          const secrets = [RUN_TOKEN, ...(base["github-token"] === PLAIN_TOKEN ? [PLAIN_TOKEN] : lines)];
          for (const secret of secrets) expect(told).not.toContain(secret.slice(0, 20));
        }
      }
    }
  });

  test("a variable that holds the App's key is not given to the machine", () => {
    const problems = problemsOf({ ...asApp, mode: "ssh", run: "true", env: "KEY" });
    expect(problems.join("\n")).toContain("'KEY' with the App's private key in its value");
    expect(problems.join("\n")).not.toContain(KEY_LINE);
  });

  test("no refusal holds the value of a variable, a line without a name, or a URL's password", () => {
    const env = `9A=${SECRET_VALUE}\nA=1\nA=${SECRET_VALUE}\n${SECRET_VALUE}\n${SECRET_VALUE.replaceAll("-", "_").repeat(3)}`;
    const problems = problemsOf({ ...withRun, env, "api-url": `https://me:${SECRET_VALUE}@example.com/?x=${SECRET_VALUE}` });
    expect(problems).toHaveLength(5);
    expect(problems.join("\n")).not.toMatch(/correct.horse/);
  });

  test("whatever the inputs are, they make a plan or an InputFailure without the token", () => {
    const words = fc.constantFrom(
      TOKEN,
      "any",
      "US",
      "1",
      "2h",
      "true",
      "src -> x",
      "A=1",
      "runner",
      RUN_TOKEN,
      "gpu-1",
      "\0",
      ",",
      "\n",
      "::set-output::",
      "~/",
      "{0}",
    );
    const text = fc.oneof(
      fc.string(),
      words,
      fc.array(fc.oneof(words, fc.string()), { maxLength: 4 }).map((parts) => parts.join("")),
    );
    const given = fc.dictionary(fc.constantFrom(...inputNames), text);
    fc.assert(
      fc.property(given, (inputs) => {
        const problems = problemsOf({ ...inputs, token: TOKEN });
        expect(problems.join("\n")).not.toContain(TOKEN);
        for (const problem of problems) expect(problem).not.toMatch(/[\n\0]|::/);
      }),
      { numRuns: 500 },
    );
  });
});

describe("what post reads", () => {
  test("only what deletes, however wrong the rest is", () => {
    const wrong = Object.fromEntries(inputNames.map((name) => [name, "\0 nonsense"]));
    expect(parseReleaseInputs({ ...rawInputs({}), ...wrong, token: ` ${TOKEN}\n`, "job-status": "cancelled" })).toEqual({
      token: TOKEN,
      jobCancelled: true,
    });
  });

  test("a token that is gone is told, not thrown", () => {
    expect(parseReleaseInputs(rawInputs({ "api-url": "https://example.com/", "job-status": "success" }))).toEqual({
      tokenProblem: expect.stringContaining("'token' is empty"),
      apiUrl: "https://example.com",
      jobCancelled: false,
    });
  });

  test("in runner mode also who tidies up at GitHub, however wrong the rest is", () => {
    const wrong = rawInputs({ token: TOKEN, mode: "\0", "runner-label": '"', runners: "none" });
    const access = (given: Given) => {
      const { runToken, credentials } = parseReleaseInputs({ ...wrong, ...given });
      return { runToken, credentials };
    };
    expect(access({ "run-token": ` ${RUN_TOKEN}\n`, "github-token": GITHUB_TOKEN })).toEqual({
      runToken: RUN_TOKEN,
      credentials: { kind: "token", token: GITHUB_TOKEN },
    });
    expect(access({ "github-app-id": "12", "github-app-private-key": APP_KEY.replaceAll("\n", "\\n") })).toEqual({
      runToken: undefined,
      credentials: { kind: "app", appId: "12", privateKey: APP_KEY },
    });
    expect(access({ "run-token": "two words", "github-app-id": "12", "github-app-private-key": "gone" })).toEqual({
      runToken: undefined,
      credentials: undefined,
    });
  });

  test("a GitHub token is not sent to the marketplace", () => {
    expect(parseReleaseInputs(rawInputs({ token: GITHUB_TOKEN })).token).toBeUndefined();
  });
});

describe("reading", () => {
  test("takes the runner's variables as they are, whitespace included", () => {
    const before = process.env["INPUT_RUN"];
    process.env["INPUT_RUN"] = "  a\n b \n";
    process.env["INPUT_GPU-TYPE"] = "H100";
    try {
      const raw = readRawInputs();
      expect(raw.run).toBe("  a\n b \n");
      expect(raw["gpu-type"]).toBe("H100");
      expect(raw.vendor).toBe("");
      expect(Object.keys(raw)).toEqual([...inputNames]);
    } finally {
      if (before === undefined) delete process.env["INPUT_RUN"];
      else process.env["INPUT_RUN"] = before;
      delete process.env["INPUT_GPU-TYPE"];
    }
  });

  test("a path that cannot be looked at counts as absent", () => {
    expect(readSurroundings(workspace, {}).fileSystem.inspect(`/${"x".repeat(5000)}`)).toBeUndefined();
    expect(readSurroundings(workspace, {}).hosted).toBe(false);
  });
});

describe("the run's context", () => {
  const variables = {
    GITHUB_REPOSITORY: "owner/repo.name",
    GITHUB_RUN_ID: "9876543210",
    GITHUB_RUN_ATTEMPT: "2",
    RUNNER_TEMP: "/home/runner/work/_temp",
    GITHUB_WORKSPACE: "/home/runner/work/repo/repo",
  };

  test("comes from the runner's variables", () => {
    expect(readRunContext(variables)).toEqual({
      repository: "owner/repo.name",
      runId: "9876543210",
      runAttempt: 2,
      tempDirectory: "/home/runner/work/_temp",
      workspace: "/home/runner/work/repo/repo",
      gitHubApiUrl: "https://api.github.com",
      runnerName: "",
      actionRepository: "",
    });
  });

  test("says by what names GitHub knows this job, and where GitHub is", () => {
    const named = {
      GITHUB_API_URL: "https://github.example.com/api/v3/",
      RUNNER_NAME: "GitHub Actions 7",
      GITHUB_ACTION_REPOSITORY: "org/gpu-provision",
    };
    expect(readRunContext({ ...variables, ...named })).toMatchObject({
      gitHubApiUrl: "https://github.example.com/api/v3",
      runnerName: "GitHub Actions 7",
      actionRepository: "org/gpu-provision",
    });
  });

  test.each([
    ["GITHUB_REPOSITORY", "no-owner"],
    ["GITHUB_REPOSITORY", "a/b/c"],
    ["GITHUB_RUN_ID", "12x"],
    ["GITHUB_RUN_ID", ""],
    ["GITHUB_RUN_ATTEMPT", "0"],
    ["RUNNER_TEMP", "relative/path"],
    ["GITHUB_WORKSPACE", undefined],
  ])("%s = %s is refused by name", (name, value) => {
    expect(() => readRunContext({ ...variables, [name]: value })).toThrow(new RegExp(`^Variable ${name} .*workflow`));
  });

  test("outside of a workflow every missing variable is named", () => {
    expect.assertions(2);
    try {
      readRunContext({});
    } catch (error) {
      expect(error).toBeInstanceOf(InputFailure);
      expect(error instanceof InputFailure && error.problems).toHaveLength(5);
    }
  });
});
