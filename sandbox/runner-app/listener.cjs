// The stand-in for the runner application: it registers with the configuration it was given, takes one job, runs its script, and
// ends, saying the same things as the real one. `actions/runner` documents the layout and the variables that it honours.
const { spawn } = require("node:child_process");
const { mkdirSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { createInterface } = require("node:readline");

const VERSION = "@VERSION@";
const PATIENCE_WITH_SIGINT = 2000;
// The real one waits 5 s for the output of what a step left in the background.
const PATIENCE_WITH_OUTPUT = 1000;
const MOST_TRIES = 5;
const PAUSE_AFTER_TROUBLE = 200;

const say = (text) => console.log(text);
const stamp = () =>
  new Date()
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, "Z");
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const named = process.argv.indexOf("--jitconfig");
const encoded = process.env.ACTIONS_RUNNER_INPUT_JITCONFIG || (named > 0 ? process.argv[named + 1] : "");
process.env.ACTIONS_RUNNER_INPUT_JITCONFIG = "";
delete process.env.ACTIONS_RUNNER_INPUT_JITCONFIG;

async function listen() {
  if (!encoded) {
    say("An error occurred: Not configured. Run config.(sh/cmd) to configure the runner.");
    return 1;
  }
  const files = JSON.parse(Buffer.from(encoded, "base64").toString());
  for (const [name, content] of Object.entries(files)) writeFileSync(name, Buffer.from(content, "base64"), { mode: 0o600 });
  const settings = JSON.parse(Buffer.from(files[".runner"], "base64").toString());
  const credentials = JSON.parse(Buffer.from(files[".credentials"], "base64").toString());
  const ask = async (method, path, body) => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await fetch(`${settings.serverUrl}/_broker${path}`, {
          method,
          headers: { authorization: `Bearer ${credentials.token}`, "content-type": "application/json" },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
      } catch (error) {
        if (tries === MOST_TRIES) throw error;
        await pause(PAUSE_AFTER_TROUBLE);
      }
    }
  };

  say("");
  const opened = await ask("POST", "/sessions");
  if (opened.status !== 201) {
    say("An error occurred: The runner registration has been deleted from the server, please re-configure. (Unauthorized)");
    return 1;
  }
  const { sessionId } = await opened.json();
  say("√ Connected to GitHub");
  say("");
  say(`Current runner version: '${VERSION}'`);
  say(`${stamp()}: Listening for Jobs`);

  let job;
  const leave = async () => {
    if (job) return job.cancel();
    await ask("DELETE", `/sessions/${sessionId}`);
    say("Exiting...");
    process.exit(0);
  };
  for (const name of ["SIGTERM", "SIGINT"]) process.once(name, leave);
  for (;;) {
    const answer = await Promise.race([ask("GET", `/sessions/${sessionId}/message`), ...(job ? [job.ended] : [])]);
    if (answer === "ended") {
      const { result } = job;
      await ask("POST", `/sessions/${sessionId}/complete`, { jobId: job.id, result, exitCode: job.exitCode });
      say(`${stamp()}: Job ${job.name} completed with result: ${result}`);
      return 0;
    }
    if (answer.status === 410) {
      say("The runner no longer exists on the server");
      job?.cancel();
      await job?.ended;
      return 0;
    }
    if (answer.status !== 200) {
      if (answer.status !== 204) await pause(PAUSE_AFTER_TROUBLE);
      continue;
    }
    const message = await answer.json();
    if (message.type === "cancel") job?.cancel();
    else if (job === undefined) {
      say(`${stamp()}: Running job: ${message.name}`);
      job = runJob(message, (lines) => ask("POST", `/sessions/${sessionId}/log`, { jobId: message.jobId, lines }));
    }
  }
}

function runJob(message, report) {
  const directory = join(process.cwd(), "_work", "job");
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "script.sh"), message.script);
  const child = spawn("bash", ["-e", "script.sh"], {
    cwd: directory,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...message.env, GITHUB_ACTIONS: "true", CI: "true" },
  });
  const job = { id: message.jobId, name: message.name, result: "Failed", exitCode: null };
  let cancelled = false;
  const signal = (name) => {
    try {
      process.kill(-child.pid, name);
    } catch {
      // It has ended meanwhile.
    }
  };
  // One report after the other, for lines are to arrive in their order.
  const unsent = [];
  let reported = Promise.resolve();
  const sendAll = () => (unsent.length === 0 ? undefined : report(unsent.splice(0)));
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      unsent.push(line);
      reported = reported.then(sendAll).catch((error) => say(`A line of the job was lost: ${error.message}`));
    });
  }
  job.cancel = () => {
    if (cancelled) return;
    cancelled = true;
    signal("SIGINT");
    setTimeout(() => signal("SIGTERM"), PATIENCE_WITH_SIGINT).unref();
  };
  job.ended = new Promise((resolve) => {
    child.once("error", () => resolve("ended"));
    child.once("exit", () => {
      setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, PATIENCE_WITH_OUTPUT).unref();
    });
    child.once("close", async (code) => {
      job.exitCode = code;
      job.result = cancelled ? "Canceled" : code === 0 ? "Succeeded" : "Failed";
      await reported;
      resolve("ended");
    });
  });
  return job;
}

listen().then(
  (code) => process.exit(code),
  (error) => {
    say(`An error occurred: ${error.message}`);
    process.exit(1);
  },
);
