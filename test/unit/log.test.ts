import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { splitLines } from "../../sandbox/runner/lines.ts";
import { followCommands } from "../../sandbox/runner/workflow-commands.ts";

function writeScript(statements: string): string {
  return `
    import { openLog, maskSecret, surviveBrokenOutput } from ${JSON.stringify(resolve("src/actions/log.ts"))};
    import { SshFailure } from ${JSON.stringify(resolve("src/lease/failure.ts"))};
    const log = openLog();
    ${statements}
  `;
}

/** Runs statements with a fresh `log` in a process of its own, and reads its raw stdout as the runner does. */
async function runWithLog(statements: string) {
  const script = writeScript(statements);
  const { stdout, stderr, code } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
    env: { PATH: process.env["PATH"] },
  }).then(
    (done) => ({ ...done, code: 0 }),
    (error: { stdout: string; stderr: string; code: number }) => error,
  );
  const runner = followCommands({ showsDebug: true });
  const lines: string[] = [];
  const splitter = splitLines((line) => {
    lines.push(line);
    runner.take(line);
  });
  splitter.write(stdout);
  splitter.end();
  const named = (name: string) => runner.commands.filter((command) => command.name === name);
  return { stdout, stderr, code, lines, named, log: runner.log, errors: runner.errors, masks: runner.masks };
}

describe("machine output", () => {
  test("stands between a stop-commands pair and can be no workflow command", async () => {
    const { lines, named, errors } = await runWithLog(`
      const output = log.showMachineOutput();
      output.stdout("::error::from the machine");
      output.stderr("##[add-mask]nebius");
      output.stdout("::stop-commands::x");
      output.stdout("::x::");
      output.close();
      log.warn("ours");
    `);
    const [opening = "", ...rest] = lines;
    const [, token = ""] = /^::stop-commands::(.+)$/.exec(opening) ?? [];
    expect(token).toMatch(/^[0-9a-f-]{36}$/);
    expect(rest).toEqual([
      "::error::from the machine",
      "##[add-mask]nebius",
      "::stop-commands::x",
      "::x::",
      `::${token}::`,
      "::warning::ours",
    ]);
    expect(named("error")).toEqual([]);
    expect(named("add-mask")).toEqual([]);
    expect(named("warning")).toHaveLength(1);
    expect(errors).toEqual([]);
  });

  test("a warning, an error, a notice and a debug line of ours in its middle are commands, the lines around them are not", async () => {
    const { named, lines } = await runWithLog(`
      const output = log.showMachineOutput();
      output.stdout("::error::1");
      log.warn("still connected", "SSH");
      output.stdout("::error::2");
      log.error("lost");
      log.notice("found");
      log.debug("details");
      log.info("plain");
      output.stdout("::error::3");
      output.close();
      log.error("after");
    `);
    expect(named("warning")).toMatchObject([{ data: "still connected", properties: { title: "gpu-provision: SSH" } }]);
    expect(named("error").map(({ data }) => data)).toEqual(["lost", "after"]);
    expect(named("notice").map(({ data }) => data)).toEqual(["found"]);
    expect(named("debug").map(({ data }) => data)).toEqual(["details"]);
    const tokens = lines.flatMap((line) => /^::stop-commands::(.+)$/.exec(line)?.[1] ?? []);
    expect(tokens).toHaveLength(5);
    expect(new Set(tokens).size).toBe(5);
  });

  test("closed twice is closed once, and can be shown again", async () => {
    const { lines, named } = await runWithLog(`
      const first = log.showMachineOutput();
      first.close();
      first.close();
      const second = log.showMachineOutput();
      second.stdout("::error::1");
      second.close();
      log.notice("ours");
    `);
    expect(lines).toHaveLength(6);
    expect(named("error")).toEqual([]);
    expect(named("notice")).toHaveLength(1);
  });

  test("that is still open when the step fails cannot swallow the failure", async () => {
    const { named, code } = await runWithLog(`
      log.showMachineOutput().stdout("::error::1");
      log.failWith(new SshFailure("The machine is gone.", "Delete it by hand."));
    `);
    expect(named("error")).toMatchObject([
      { data: "The machine is gone.\nDelete it by hand.", properties: { title: "gpu-provision: ssh" } },
    ]);
    expect(code).toBe(1);
  });
});

describe("the step's log", () => {
  test("fails with what failed and what lay beneath, also when it is no failure of ours", async () => {
    const { named, code } = await runWithLog(`log.failWith(new TypeError("no such thing", { cause: new Error("deep down") }));`);
    expect(named("error")).toMatchObject([{ data: "no such thing: deep down" }]);
    expect(code).toBe(1);
  });

  test("groups end when their work does, also when it fails", async () => {
    const { named, log } = await runWithLog(`
      await log.group("Offers", async () => log.info("one"));
      await log.group("Machine", async () => { throw new Error("no"); }).catch(() => log.info("caught"));
    `);
    expect(named("group").map(({ data }) => data)).toEqual(["Offers", "Machine"]);
    expect(log).toEqual(["##[group]Offers", "one", "##[endgroup]", "##[group]Machine", "##[endgroup]", "caught"]);
  });

  test("a secret is masked from then on", async () => {
    const { masks, log } = await runWithLog(`
      maskSecret("s3cret-token");
      log.info("the token is s3cret-token");
    `);
    expect(masks).toEqual(["s3cret-token"]);
    expect(log.at(-1)).toBe("the token is ***");
  });

  test("a step that did not fail ends with 0", async () => {
    expect((await runWithLog(`log.error("an annotation only");`)).code).toBe(0);
  });

  test.each([
    ["ends a process that is not prepared", "", /EPIPE/],
    ["does not end one that survives it", "surviveBrokenOutput();", /^lived on$/],
  ])("a reader that is gone %s", async (_how, preparation, expected) => {
    const script = writeScript(`
      ${preparation}
      for (let line = 0; line < 200; line += 1) {
        log.info("read by nobody but the first line");
        await new Promise((done) => setTimeout(done, 2));
      }
      process.stderr.write("lived on");
    `);
    const { stderr } = await promisify(execFile)(
      "sh",
      ["-c", `"$0" --input-type=module -e "$1" | head -n 1 > /dev/null`, process.execPath, script],
      { env: { PATH: process.env["PATH"] } },
    );
    expect(stderr).toMatch(expected);
  });
});
