import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { extract } from "tar-stream";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { buildRunnerArchive } from "../../sandbox/runner-app/archive.ts";
import { until } from "./machine-stand.ts";

const CREDENTIAL = "credential-of-the-test";
const CONNECTED = ["", "√ Connected to GitHub", "", "Current runner version: '2.336.0'"];

interface Asked {
  readonly request: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** The server's side of the application's protocol. What it has to tell waits until it is asked for. */
async function startBroker(options: { readonly refuses?: number; readonly breaks?: readonly number[] } = {}) {
  const asked: Asked[] = [];
  const messages: (object | 410)[] = [];
  const breaks = [...(options.breaks ?? [])];
  let waiting: ServerResponse | undefined;
  let reports = 0;
  let mostReports = 0;
  const answer = (response: ServerResponse, status: number, body?: object) => {
    response.writeHead(status, { "content-type": "application/json" }).end(body && JSON.stringify(body));
  };
  const deliver = () => {
    const message = waiting?.destroyed === false ? messages.shift() : undefined;
    if (!waiting || message === undefined) return;
    answer(waiting, message === 410 ? 410 : 200, message === 410 ? {} : message);
    waiting = undefined;
  };
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const line = `${request.method} ${request.url}`;
    asked.push({ request: line, authorization: request.headers.authorization, body: await text(request) });
    if (line === "POST /_broker/sessions")
      return options.refuses === undefined ? answer(response, 201, { sessionId: "s1" }) : answer(response, options.refuses, {});
    if (line === "POST /_broker/sessions/s1/log") {
      reports += 1;
      mostReports = Math.max(mostReports, reports);
      await pause(20); // further requests that were sent at the same time are read meanwhile
      reports -= 1;
    }
    if (line !== "GET /_broker/sessions/s1/message") return answer(response, 204);
    const broken = breaks.shift();
    if (broken !== undefined) return answer(response, broken);
    waiting = response;
    deliver();
  };
  const server = createServer((request, response) => void serve(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  onTestFinished(async () => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  });
  const bodiesOf = (what: string) =>
    asked.filter(({ request }) => request === `POST /_broker/sessions/s1/${what}`).map(({ body }) => JSON.parse(body));
  return {
    asked,
    url: `http://127.0.0.1:${port}`,
    tell(message: object | 410) {
      messages.push(message);
      deliver();
    },
    output: (): string[] => bodiesOf("log").flatMap(({ lines }) => lines),
    mostReportsAtOnce: () => mostReports,
    completions: () => bodiesOf("complete"),
  };
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64");
const configurationFor = (serverUrl: string) =>
  encode({
    ".runner": encode({ agentName: "gpu-1", serverUrl, ephemeral: true }),
    ".credentials": encode({ scheme: "sandbox", token: CREDENTIAL }),
    ".credentials_rsaparams": encode({}),
  });
const jobOf = (script: string, env: object = {}) => ({ type: "job", jobId: 7, name: "train", script, env });
const CAREFUL_JOB = jobOf('trap "echo cleaned; exit 9" INT\necho ready\nwhile :; do sleep 0.05; done');

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "runner-app-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const { bytes } = await buildRunnerArchive("2.336.0");
  const tar = spawn("tar", ["-xz", "-C", directory], { stdio: ["pipe", "inherit", "inherit"] });
  tar.stdin.end(bytes);
  expect(await once(tar, "exit")).toEqual([0, null]);
});

/** Starts the unpacked application as a machine does. */
function start(environment: Record<string, string>, args: readonly string[] = []) {
  const child = spawn(join(directory, "run.sh"), args, {
    cwd: "/",
    env: { PATH: process.env["PATH"], GPUP_SANDBOX_NODE: process.execPath, RUNNER_ALLOW_RUNASROOT: "1", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (part) => {
    said += part;
  });
  const errors = text(child.stderr);
  const done = once(child, "close").then(async ([code]) => ({
    code,
    lines: said.split("\n").slice(0, -1),
    errors: await errors,
  }));
  return { child, done, saw: (sentence: string) => until(() => said.includes(sentence), sentence) };
}
const startWith = (url: string) => start({ ACTIONS_RUNNER_INPUT_JITCONFIG: configurationFor(url) });
const withoutMoment = (lines: readonly string[]) =>
  lines.map((line) => line.replace(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ: /, "<moment>: "));

describe("the archive", () => {
  it("has the layout of the real one, and programs that may be run", async () => {
    const { bytes } = await buildRunnerArchive("2.336.0");
    const seen: Record<string, string> = {};
    const reader = extract();
    reader.end(gunzipSync(bytes));
    for await (const entry of reader) {
      seen[entry.header.name] = `${entry.header.type} ${entry.header.mode?.toString(8)}`;
      entry.resume();
    }
    const program = "file 755";
    expect(seen).toMatchObject({
      "./run.sh": program,
      "./config.sh": program,
      "./env.sh": program,
      "./bin/Runner.Listener": program,
      "./bin/installdependencies.sh": program,
      "./externals/": "directory 755",
    });
  });
});

describe("the application", () => {
  it("takes one job, tells its output in order and its result, and ends", async () => {
    const broker = await startBroker();
    broker.tell(jobOf(`for i in $(seq 300); do echo "line $i"; done\necho "to stderr" >&2\nprintf 'no end of line'`));
    const { code, lines } = await startWith(broker.url).done;
    expect(code).toBe(0);
    expect(withoutMoment(lines)).toEqual([
      ...CONNECTED,
      "<moment>: Listening for Jobs",
      "<moment>: Running job: train",
      "<moment>: Job train completed with result: Succeeded",
    ]);
    const output = broker.output().filter((line) => line !== "to stderr");
    expect(output).toEqual([...Array.from({ length: 300 }, (_, index) => `line ${index + 1}`), "no end of line"]);
    expect(broker.output()).toContain("to stderr");
    expect(broker.mostReportsAtOnce()).toBe(1);
    expect(broker.completions()).toEqual([{ jobId: 7, result: "Succeeded", exitCode: 0 }]);
    expect(broker.asked[0]).toEqual({ request: "POST /_broker/sessions", authorization: `Bearer ${CREDENTIAL}`, body: "" });
  });

  it("tells that a job failed at its first failing command, and ends well itself", async () => {
    const broker = await startBroker();
    broker.tell(jobOf("echo before\n(exit 3)\necho after"));
    const { code, lines } = await startWith(broker.url).done;
    expect([code, broker.output()]).toEqual([0, ["before"]]);
    expect(lines.at(-1)).toMatch(/: Job train completed with result: Failed$/);
    expect(broker.completions()).toEqual([{ jobId: 7, result: "Failed", exitCode: 3 }]);
  });

  it("runs jobs in its work directory, with the job's environment and its own, but without the configuration", async () => {
    const broker = await startBroker();
    broker.tell(
      jobOf('pwd; echo "$CUDA_VISIBLE_DEVICES $FROM_JOB $GITHUB_ACTIONS"; env | grep -c JITCONFIG || true', { FROM_JOB: "2" }),
    );
    await start({ ACTIONS_RUNNER_INPUT_JITCONFIG: configurationFor(broker.url), CUDA_VISIBLE_DEVICES: "0,1" }).done;
    expect(broker.output()).toEqual([join(directory, "_work/job"), "0,1 2 true", "0"]);
  });

  it("takes its configuration from an argument too, and keeps its files for itself", async () => {
    const broker = await startBroker();
    broker.tell(jobOf("true"));
    expect((await start({}, ["--jitconfig", configurationFor(broker.url)]).done).code).toBe(0);
    expect(JSON.parse(await readFile(join(directory, ".runner"), "utf8"))).toMatchObject({ agentName: "gpu-1" });
    for (const name of [".runner", ".credentials", ".credentials_rsaparams"])
      expect((await stat(join(directory, name))).mode & 0o777, name).toBe(0o600);
  });

  it("says that it is not configured, and that it was refused", async () => {
    const bare = await start({}).done;
    expect([bare.code, bare.lines.join()]).toEqual([1, expect.stringContaining("Not configured")]);
    const broker = await startBroker({ refuses: 401 });
    const refused = await startWith(broker.url).done;
    expect([refused.code, refused.lines.join()]).toEqual([1, expect.stringContaining("registration has been deleted")]);
    expect(broker.asked).toHaveLength(1);
  });

  it("does not run as root on a machine of no sandbox unless that is allowed", { skip: process.getuid?.() !== 0 }, async () => {
    const { code, lines } = await start({ RUNNER_ALLOW_RUNASROOT: "" }).done;
    expect([code, lines]).toEqual([1, ["Must not run interactively with sudo"]]);
    const onMachine = await start({ RUNNER_ALLOW_RUNASROOT: "", SANDBOX_MACHINE: "m1" }).done;
    expect(onMachine.lines.join()).toContain("Not configured");
  });

  it("cancels a job with SIGINT, so that it can clean up", async () => {
    const broker = await startBroker();
    broker.tell(CAREFUL_JOB);
    const application = startWith(broker.url);
    await until(() => broker.output().includes("ready"), "the job runs");
    broker.tell({ type: "cancel", jobId: 7 });
    const { code, lines } = await application.done;
    expect([code, broker.output()]).toEqual([0, ["ready", "cleaned"]]);
    expect(lines.at(-1)).toMatch(/: Job train completed with result: Canceled$/);
    expect(broker.completions()).toEqual([{ jobId: 7, result: "Canceled", exitCode: 9 }]);
  });

  it("ends a job with SIGTERM that does not heed SIGINT", async () => {
    const broker = await startBroker();
    broker.tell(jobOf('trap "" INT\necho ready\nwhile :; do sleep 0.1; done'));
    const application = startWith(broker.url);
    await until(() => broker.output().includes("ready"), "the job runs");
    broker.tell({ type: "cancel", jobId: 7 });
    expect((await application.done).code).toBe(0);
    expect(broker.completions()).toEqual([{ jobId: 7, result: "Canceled", exitCode: null }]);
  });

  it("does not wait for ever for what a job leaves in the background", async () => {
    const broker = await startBroker();
    broker.tell(jobOf("sleep 60 &\necho $!"));
    expect((await startWith(broker.url).done).code).toBe(0);
    expect(broker.completions()).toEqual([{ jobId: 7, result: "Succeeded", exitCode: 0 }]);
    process.kill(Number(broker.output()[0]));
  });

  it("leaves when it is told to end while it has no job, and cancels the one that it has", async () => {
    const idle = await startBroker();
    const leaving = startWith(idle.url);
    await leaving.saw("Listening for Jobs");
    leaving.child.kill("SIGTERM");
    expect((await leaving.done).code).toBe(0);
    expect(idle.asked.at(-1)?.request).toBe("DELETE /_broker/sessions/s1");

    const busy = await startBroker();
    busy.tell(jobOf("echo ready; sleep 60"));
    const application = startWith(busy.url);
    await until(() => busy.output().includes("ready"), "the job runs");
    application.child.kill("SIGTERM");
    expect((await application.done).code).toBe(0);
    expect(busy.completions()).toMatchObject([{ jobId: 7, result: "Canceled" }]);
  });

  it("ends when its record is gone, with the job that it has", async () => {
    const idle = await startBroker();
    idle.tell(410);
    const { code, lines } = await startWith(idle.url).done;
    expect([code, lines.at(-1)]).toEqual([0, "The runner no longer exists on the server"]);

    const busy = await startBroker();
    busy.tell(CAREFUL_JOB);
    const application = startWith(busy.url);
    await until(() => busy.output().includes("ready"), "the job runs");
    busy.tell(410);
    expect((await application.done).code).toBe(0);
    expect(busy.output()).toEqual(["ready", "cleaned"]);
    expect(busy.completions()).toEqual([]);
  });

  it("goes on after answers that are empty or bad", async () => {
    const broker = await startBroker({ breaks: [204, 503, 204] });
    broker.tell(jobOf("true"));
    expect((await startWith(broker.url).done).code).toBe(0);
    expect(broker.completions()).toHaveLength(1);
  });

  it("gives up where nobody answers", async () => {
    const { code, lines } = await startWith("http://127.0.0.1:1").done;
    expect([code, lines.at(-1)]).toEqual([1, expect.stringContaining("An error occurred: ")]);
  });
});
