import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { endProcesses, MARKER } from "../../sandbox/machine/processes.ts";
import { ARGUMENTS_OF_CURL as ARGUMENTS, FETCH } from "../../sandbox/machine/stand-in-programs.ts";
import { composeBootPart, sampleBootPart } from "../../src/runner/boot-part.ts";
import { LOG_PATH, SCRIPT_PATH } from "../../src/runner/boot-script.ts";
import type { BootSettings, MachineEvent } from "../../src/runner/contract.ts";
import { readEvent } from "../../src/runner/machine-events.ts";
import { hasShellcheck } from "../real-tools.ts";
import { buildArchive } from "./runner-archive.ts";

const CONFIGURATION = `secret-${"c".repeat(200)}`;

let root = "";
let stubs = "";
const ends: (() => Promise<void> | void)[] = [];
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "gpup-boot-")));
  stubs = join(root, "stubs");
  mkdirSync(join(root, "etc/sudoers.d"), { recursive: true });
  // The computer that the tests run on is left alone, and no pause takes long.
  for (const name of ["useradd", "usermod", "chown", "visudo", "shutdown", "poweroff", "service", "apt-get", "nvidia-ctk"])
    stub(name);
  stub("runuser", 'shift 3\nexec "$@"');
  stub("sleep", '[ "$1" -lt 1000 ] || exec /bin/sleep 60\nexec /bin/sleep 0.02');
  stub("curl", FETCH);
  stub("nvidia-smi", 'printf "0\\n1\\n2\\n3\\n"');
});
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  await endProcesses(root, []);
  rmSync(root, { recursive: true, force: true });
});

const at = (path: string) => join(root, path);
const text = (path: string) => readFileSync(at(path), "utf8");
function put(path: string, content: string, mode: number) {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), content);
  chmodSync(at(path), mode);
}
function stub(name: string, body = "exit 0") {
  put(`stubs/${name}`, `#!/bin/sh\necho "${name} $*" >>"${root}/calls"\n${body}\n`, 0o755);
}
const calls = () => (existsSync(at("calls")) ? text("calls").split("\n").slice(0, -1) : []);
const log = () => (existsSync(at(LOG_PATH)) ? text(LOG_PATH) : "");
const events = (): MachineEvent[] =>
  log()
    .split("\n")
    .flatMap((line) => readEvent(line) ?? []);
const kinds = () =>
  events()
    .filter(({ kind }) => kind !== "phase")
    .map((event) => ("slot" in event ? `${event.kind} ${event.slot}` : event.kind));

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let turn = 0; !isSo(); turn += 1) {
    if (turn > 500) throw new Error(`This did not come: ${what}. The log:\n${log()}`);
    await pause(20);
  }
}

/** Serves an archive, and fails as often as told before. */
async function serve(bytes: Uint8Array, failures = 0) {
  let left = failures;
  const server = createServer((_request, response) => {
    if (left > 0) {
      left -= 1;
      response.writeHead(503).end("busy");
    } else response.end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ends.push(() => new Promise((resolve) => server.close(() => resolve())));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("There is no port.");
  return { url: `http://127.0.0.1:${address.port}/runner.tar.gz`, sha256: createHash("sha256").update(bytes).digest("hex") };
}

const RUN = `#!/bin/sh
echo "$*" >>"$GPU_PROVISION_ROOT/arguments"
echo "$ACTIONS_RUNNER_INPUT_JITCONFIG $CUDA_VISIBLE_DEVICES" >>"$GPU_PROVISION_ROOT/given"
[ -e "$GPU_PROVISION_ROOT/var/lib/gpu-provision/configuration-1" ] && echo "still there" >>"$GPU_PROVISION_ROOT/given"
echo "Listening for Jobs"
echo "2026-01-01 00:00:00Z: Running job: train (H100, 2)"
echo "2026-01-01 00:00:01Z: Job train (H100, 2) completed with result: Succeeded"
`;

/** Leaves on the machine what cloud-init would, and starts it as cloud-init would. */
async function boot(
  { verify = true, ...different }: Partial<BootSettings> & { verify?: boolean } = {},
  run = RUN,
  failures = 0,
): Promise<void> {
  const archive = await serve(await buildArchive({ "run.sh": run }), failures);
  const part = composeBootPart({
    application: { version: "2.336.0", x64: archive, arm64: archive },
    runners: 1,
    gpuCount: 4,
    docker: "auto",
    lifetime: 7_200_000,
    ...(verify ? { expectedGpus: { count: 4 } } : {}),
    configuration: CONFIGURATION,
    mintedAt: Date.now(),
    ...different,
  });
  for (const { path, content, permissions } of part.writeFiles ?? []) put(path, content, Number.parseInt(permissions, 8));
  const launched = shell((part.runcmd ?? []).join("\n"));
  expect(launched.stderr).toBe("");
  expect(launched.status).toBe(0);
}

const environment = () => ({
  PATH: `${stubs}:/usr/sbin:/usr/bin:/sbin:/bin`,
  GPU_PROVISION_ROOT: root,
  GPUP_SANDBOX_NODE: process.execPath,
  [MARKER]: root,
});
const shell = (command: string, input?: string) =>
  spawnSync("/bin/sh", ["-c", command], {
    env: environment(),
    encoding: "utf8",
    timeout: 20_000,
    ...(input === undefined ? {} : { input }),
  });
const script = (command: string, input?: string) => shell(`sh '${at(SCRIPT_PATH)}' ${command}`, input);

describe("the boot script", () => {
  test.runIf(hasShellcheck)("is clean under shellcheck", () => {
    const [file] = sampleBootPart().writeFiles ?? [];
    const checked = spawnSync("shellcheck", ["-s", "sh", "-"], { input: file?.content ?? "", encoding: "utf8" });
    expect(checked.stdout).toBe("");
  });

  test("leaves the user room: below 14 KB without the configuration", () => {
    const files = sampleBootPart().writeFiles?.filter(({ path }) => !path.includes("configuration")) ?? [];
    expect(files.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0)).toBeLessThan(14_000);
  });

  test("starts the runner as its own user, with a configuration that no argument shows and no file keeps", async () => {
    await boot();
    await until("the end of the runner", () => kinds().includes("ended 1"));
    expect(kinds()).toEqual(["started 1", "listening 1", "job-started 1", "job-ended 1", "ended 1"]);
    expect(events()).toContainEqual({ kind: "job-ended", slot: 1, job: "train (H100, 2)", result: "Succeeded" });
    expect(text("given")).toBe(`${CONFIGURATION} \n`);
    expect(text("arguments")).toBe("\n");
    expect(existsSync(at("var/lib/gpu-provision/configuration-1"))).toBe(false);
    expect(calls()).toContain("useradd --create-home --shell /bin/bash gpup-runner-1");
    expect(calls()).toContain("runuser -u gpup-runner-1 -- ./run.sh");
    expect(calls().join("\n")).not.toContain(CONFIGURATION);
    expect(log()).not.toContain(CONFIGURATION);
    expect(statSync(at(LOG_PATH)).mode & 0o777).toBe(0o600);
    expect(text("etc/sudoers.d/gpu-provision")).toBe("gpup-runner-1 ALL=(ALL) NOPASSWD:ALL\n");
    expect(events().filter(({ kind }) => kind === "phase")).toHaveLength(6);
  });

  test("splits the GPUs among its runners; the others wait for configurations, which come over standard input", async () => {
    await boot({ runners: 2 });
    await until("both slots", () => kinds().includes("ended 1") && kinds().includes("wants-configuration 2"));
    expect(script("take 2", "second").status).toBe(0);
    await until("the end of the second", () => kinds().includes("ended 2"));
    expect(text("given").split("\n").toSorted()).toEqual(["", "second 2,3", `${CONFIGURATION} 0,1`]);
    expect(text("etc/sudoers.d/gpu-provision").split("\n")).toHaveLength(3);
  });

  test.each([
    ["too old", -300_000],
    ["from the future, as a clock that goes wrong sees it", 120_000],
  ])("does not use a configuration that is %s", async (_how, age) => {
    await boot({ mintedAt: Date.now() + age });
    await until("the wish for another", () => kinds().includes("wants-configuration 1"));
    expect(existsSync(at("var/lib/gpu-provision/configuration-1"))).toBe(false);
    expect(existsSync(at("given"))).toBe(false);
    expect(script("take 1", "fresh").status).toBe(0);
    await until("the end", () => kinds().includes("ended 1"));
    expect(text("given")).toBe("fresh \n");
  });

  test("tells that GitHub refused the configuration", async () => {
    await boot({}, '#!/bin/sh\necho "The runner registration has been deleted from the server, please re-configure."\nexit 1\n');
    await until("the end", () => kinds().includes("ended 1"));
    expect(kinds()).toEqual(["started 1", "refused 1", "ended 1"]);
  });

  test("serves an application that says nothing of what it does", async () => {
    await boot({}, "#!/bin/sh\nexit 0\n");
    await until("the end", () => kinds().includes("ended 1"));
    expect(kinds()).toEqual(["started 1", "ended 1"]);
  });

  test("uses users that are there already", async () => {
    stub("id", "exit 0");
    await boot();
    await until("the end", () => kinds().includes("ended 1"));
    expect(calls().filter((call) => call.startsWith("useradd"))).toEqual([]);
  });

  test("tries a download again that fails twice", async () => {
    await boot({}, RUN, 2);
    await until("the end", () => kinds().includes("ended 1"));
    expect(log().match(/could not be downloaded/g)).toHaveLength(2);
  });

  test("gives up a download that goes on failing, and starts nothing", async () => {
    await boot({}, RUN, 99);
    await until("the failure", () => kinds().includes("failed"));
    expect(events().at(-1)).toMatchObject({
      kind: "failed",
      reason: expect.stringContaining("could not be downloaded from http://"),
    });
    expect(existsSync(at("given"))).toBe(false);
  });

  test("starts nothing whose checksum is another", async () => {
    const { url } = await serve(await buildArchive({ "run.sh": RUN }));
    const archive = { url, sha256: "0".repeat(64) };
    await boot({ application: { version: "2.336.0", x64: archive, arm64: archive } });
    await until("the failure", () => kinds().includes("failed"));
    expect(events().at(-1)).toMatchObject({
      reason: expect.stringContaining(`instead of ${"0".repeat(64)}, so it is not started`),
    });
    expect(existsSync(at("opt/gpu-provision/runner-1/run.sh"))).toBe(false);
  });

  test("names an architecture for which there is no application", async () => {
    stub("uname", "echo riscv64");
    await boot();
    await until("the failure", () => kinds().includes("failed"));
    expect(events().at(-1)).toEqual({ kind: "failed", reason: "GitHub offers no runner application for riscv64" });
  });

  test("waits for a driver that answers late", async () => {
    stub("nvidia-smi", `[ -e "${root}/driver" ] && printf "0\\n1\\n2\\n3\\n" || exit 9`);
    await boot();
    await until("some questions", () => calls().filter((call) => call.startsWith("nvidia-smi")).length >= 3);
    expect(existsSync(at("given"))).toBe(false);
    writeFileSync(at("driver"), "");
    await until("the end", () => kinds().includes("ended 1"));
  });

  test("starts nothing on fewer GPUs than were bought", async () => {
    stub("nvidia-smi", 'printf "0\\n1\\n"');
    await boot();
    await until("the failure", () => kinds().includes("failed"));
    expect(events().at(-1)).toEqual({ kind: "failed", reason: "nvidia-smi shows 2 GPUs instead of 4" });
    expect(existsSync(at("given"))).toBe(false);
  });

  test("does not look at GPUs when it is not asked to", async () => {
    stub("nvidia-smi", "exit 9");
    await boot({ verify: false });
    await until("the end", () => kinds().includes("ended 1"));
    expect(calls().filter((call) => call.startsWith("nvidia-smi"))).toEqual([]);
  });

  test("waits for cloud-init to end where it runs, so that the user's own commands are done", async () => {
    mkdirSync(at("run/cloud-init"), { recursive: true });
    mkdirSync(at("var/lib/cloud/instance"), { recursive: true });
    await boot();
    await until("the wait", () => log().includes("--- cloud-init"));
    await until("some rounds of it", () => calls().filter((call) => call === "sleep 1").length >= 3);
    expect(existsSync(at("given"))).toBe(false);
    writeFileSync(at("var/lib/cloud/instance/boot-finished"), "");
    await until("the end", () => kinds().includes("ended 1"));
  });

  test("uses systemd where there is one", async () => {
    mkdirSync(at("run/systemd/system"), { recursive: true });
    stub("systemctl");
    await boot();
    expect(calls()).toEqual([
      "systemctl daemon-reload",
      "systemctl start --no-block gpu-provision-lifetime.service gpu-provision-boot.service",
    ]);
    const unit = (command: string) =>
      spawn("sh", [at(SCRIPT_PATH), ...command.split(" ")], { env: environment(), stdio: "ignore" });
    unit("boot");
    await until("the start", () => calls().includes("systemctl restart --no-block gpu-provision-runner@1.service"));
    unit("slot 1");
    await until("the end", () => kinds().includes("ended 1"));
  });

  test("at the end of the lifetime stops the runners and powers the machine off", async () => {
    await boot({ lifetime: 300_000 }, '#!/bin/sh\necho "Listening for Jobs"\nexec /bin/sleep 300\n');
    await until(
      "the runner, and the end of the lifetime",
      () => kinds().includes("listening 1") && kinds().includes("powering-off"),
    );
    await until("powering off", () => calls().includes("shutdown -h now"));
  });
});

describe("docker: require", () => {
  const docker = () => calls().filter((call) => /^(?:apt-get|docker|nvidia-ctk|service docker)/.test(call));

  test("checks what is there", async () => {
    stub("docker");
    await boot({ docker: "require" });
    await until("the end", () => kinds().includes("ended 1"));
    expect(docker()).toEqual([
      "nvidia-ctk runtime configure --runtime=docker",
      "service docker restart",
      "docker run --rm --gpus all ubuntu:24.04 nvidia-smi",
    ]);
  });

  test("names what fails", async () => {
    stub("docker", "exit 125");
    await boot({ docker: "require" });
    await until("the failure", () => kinds().includes("failed"));
    expect(events().at(-1)).toEqual({ kind: "failed", reason: "'docker run --gpus all' does not show the GPUs" });
    expect(existsSync(at("given"))).toBe(false);
  });

  test("installs what is missing, after a package manager that holds its lock has ended", async () => {
    mkdirSync(at("var/lib/dpkg"), { recursive: true });
    for (const folder of ["usr/share/keyrings", "etc/apt/sources.list.d"]) mkdirSync(at(folder), { recursive: true });
    const lock = at("var/lib/dpkg/lock-frontend");
    const holder = spawn("flock", [lock, "-c", "echo held; exec cat"], { stdio: ["pipe", "pipe", "ignore"] });
    ends.push(() => void holder.kill());
    await once(holder.stdout, "data");
    stub("docker");
    rmSync(join(stubs, "nvidia-ctk"));
    stub("apt-get", `case "$*" in *nvidia-container-toolkit*) cp "${stubs}/docker" "${stubs}/nvidia-ctk" ;; esac`);
    stub("curl", `case "$*" in *gpgkey*) ${ARGUMENTS}; echo key >"$2" ;; *) ${FETCH} ;; esac`);
    await boot({ docker: "require" });
    await until("the wait", () => log().includes("another process installs packages; waiting for it"));
    expect(calls().filter((call) => call.startsWith("apt-get"))).toEqual([]);
    holder.stdin.end();
    await until("the end", () => kinds().includes("ended 1"));
    expect(calls().filter((call) => call.startsWith("apt-get"))).toEqual([
      "apt-get -q update",
      "apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends nvidia-container-toolkit",
    ]);
    expect(text("etc/apt/sources.list.d/nvidia-container-toolkit.list")).toBe(
      "deb [signed-by=/usr/share/keyrings/nvidia-container-toolkit.asc] https://nvidia.github.io/libnvidia-container/stable/deb/$(ARCH) /\n",
    );
    expect(docker().at(-1)).toBe("docker run --rm --gpus all ubuntu:24.04 nvidia-smi");
  });
});
