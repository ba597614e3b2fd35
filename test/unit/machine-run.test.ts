import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { SshFailure } from "../../src/lease/failure.ts";
import type { LineSink, Machine, RemoteScript } from "../../src/machine/machine.ts";
import { ScriptFailure } from "../../src/machine/run-script.ts";
import { machineKinds, type Stand, standUp, until } from "./machine-stand.ts";

/** Runs a script that does not end, and prints its path. */
const KILLED_CLIENT = `
  import { text } from "node:stream/consumers";
  const { address, keys, sources } = JSON.parse(await text(process.stdin));
  const [{ connect }, { systemClock: clock, deadlineAfter }, { silentLog: log }] = await Promise.all(sources.map((one) => import(one)));
  const { signal } = new AbortController();
  const machine = await connect({ address, keys, policy: "strict", clock, log, signal, deadline: deadlineAfter(clock, 20_000) });
  const script = { text: "sleep 308 & echo $0; sleep 309", shell: "bash", env: {} };
  await machine.run(script, { stdout: (line) => console.log(line), stderr: () => undefined }, signal);
`;

const never = new AbortController().signal;

function keepLines(): LineSink & { readonly out: string[]; readonly err: string[] } {
  const out: string[] = [];
  const err: string[] = [];
  return { out, err, stdout: (line) => void out.push(line), stderr: (line) => void err.push(line) };
}

for (const { kind, available } of machineKinds)
  describe.runIf(available)(`a script on a machine of kind ${kind}`, () => {
    let stand: Stand;
    let machine: Machine;
    beforeAll(async () => {
      stand = await standUp({ kind });
      machine = await stand.connect();
    });
    afterAll(() => stand.end());
    afterEach(async () => {
      await until(() => stand.machine.processes().length === 0, "nothing is left running");
    });

    const run = async (text: string, more: Partial<RemoteScript> = {}) => {
      const sink = keepLines();
      const code = await machine.run({ text, shell: "bash", env: {}, ...more }, sink, never);
      return { code, out: sink.out, err: sink.err };
    };

    it("has a home, both outputs, its own exit code and an empty stdin", async () => {
      expect(await run('pwd; echo oops >&2; read -r line || echo "nothing to read"; exit 7')).toEqual({
        code: 7,
        out: [stand.machine.home, "nothing to read"],
        err: ["oops"],
      });
    });

    it("stops at the first error, in a pipe too, as a workflow step does", async () => {
      expect(await run("false\necho not reached")).toMatchObject({ code: 1, out: [] });
      expect(await run("exit 3 | cat\necho not reached")).toMatchObject({ code: 3, out: [] });
      expect(await run("false | true\necho reached\nfalse\necho not reached", { shell: "sh" })).toMatchObject({
        code: 1,
        out: ["reached"],
      });
    });

    it("gives 128 + N when a signal ends it", async () => {
      expect((await run("kill -KILL $$")).code).toBe(137);
      expect((await run("kill -TERM $$")).code).toBe(143);
    });

    it("gets every value of its environment as it is, and no process shows it", async () => {
      const env = { PLAIN: "a b", QUOTES: `'"\`$HOME\\`, LINES: "one\ntwo\n\n", EMPTY: "", SECRET_VALUE: "s3cr3t-env" };
      const seen = await run(
        [
          "show() { printf '<%s>\\n' \"$1\"; }",
          'show "$PLAIN"; show "$QUOTES"; show "$LINES"; show "$EMPTY"',
          "hidden=s3cr3t-text",
          "for file in /proc/[0-9]*/cmdline; do { tr '\\0' ' ' < $file || true; echo; } 2>/dev/null; done | grep -c 's3cr[3]t' || true",
        ].join("\n"),
        { env },
      );
      expect(seen).toEqual({ code: 0, out: ["<a b>", `<${env.QUOTES}>`, "<one", "two", "", ">", "<>", "0"], err: [] });
    });

    it("is not limited in length", async () => {
      const text = `${"# a comment that makes the script long\n".repeat(20_000)}echo "\${#LONG}"`;
      expect(await run(text, { env: { LONG: "x".repeat(100_000) } })).toEqual({ code: 0, out: ["100000"], err: [] });
    });

    it("runs where it is told to, and says so when that is missing", async () => {
      const odd = join(stand.machine.home, "-a 'b' $c");
      mkdirSync(odd, { recursive: true });
      expect((await run("pwd", { workingDirectory: odd })).out).toEqual([odd]);
      expect((await run("pwd", { workingDirectory: "-a 'b' $c" })).out).toEqual([odd]);
      expect((await run("pwd", { workingDirectory: "~/-a 'b' $c" })).out).toEqual([odd]);
      const failing = run("echo ran", { workingDirectory: "/no/such place" });
      await expect(failing).rejects.toThrow(ScriptFailure);
      await expect(failing).rejects.toThrow("'/no/such place' does not exist on the machine");
    });

    it("takes other shells", async () => {
      expect((await run("import sys\nprint(sys.argv[0][-3:])", { shell: "python" })).out).toEqual([".py"]);
      expect((await run("hello", { shell: "cat {0}" })).out).toEqual(["hello"]);
      expect((await run("echo $MARK", { shell: "env MARK=yes bash {0}" })).out).toEqual(["yes"]);
      await expect(run("x", { shell: "fish" })).rejects.toThrow("'fish' is not one of bash, sh and python and has no {0}");
      await expect(run("x", { env: { PATH: "/nowhere" } })).rejects.toThrow("There is no 'bash' on the machine");
      await expect(run("echo \0")).rejects.toThrow("NUL");
    });

    it("passes lines on while it runs, and not faster than they are taken", async () => {
      const order: string[] = [];
      let release: () => void = () => undefined;
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      let lines = 0;
      const code = machine.run(
        { text: "echo first; head -c 20000000 /dev/zero | tr '\\0' 'x' | fold -w 99; touch ended", shell: "bash", env: {} },
        {
          stdout(line) {
            lines += 1;
            if (line !== "first") return;
            order.push(existsSync(join(stand.machine.home, "ended")) ? "first after the end" : "first before the end");
            return held;
          },
          stderr: (line) => void order.push(line),
        },
        never,
      );
      await until(() => order.length > 0, "the first line comes");
      const exit = machine.exec("sleep 0.5; test -e ended");
      expect((await exit).code, "the script ended although nobody took its 20 MB").toBe(1);
      release();
      expect(await code).toBe(0);
      expect(order).toEqual(["first before the end"]);
      expect(lines).toBe(1 + Math.ceil(20_000_000 / 99));
    });

    it("is not held up by a child in the background, which stays for the steps that follow", async () => {
      const seen = await run("sleep 301 & echo done");
      expect(seen).toEqual({ code: 0, out: ["done"], err: [] });
      const [left = 0, ...more] = stand.machine.processes();
      expect(more).toEqual([]);
      process.kill(left, "SIGKILL");
    }, 15_000);

    it("is not held up by a child that has left for a session of its own", async () => {
      const seen = await run("setsid sleep 302 & echo done");
      expect(seen).toMatchObject({ code: 0, out: ["done"] });
      const [left = 0, ...more] = stand.machine.processes();
      expect(more).toEqual([]);
      process.kill(left, "SIGKILL");
    }, 15_000);

    it("ends with everything it started when the signal fires, and leaves no files", async () => {
      const stop = new AbortController();
      const reason = new Error("cancelled");
      const sink = keepLines();
      const running = machine.run(
        {
          text: "trap 'echo stopping; exit 1' TERM; sleep 303 & (trap '' TERM; sleep 304) & echo up; echo $0; wait",
          shell: "bash",
          env: {},
        },
        { ...sink, stdout: (line) => void sink.out.push(line) },
        stop.signal,
      );
      await until(() => sink.out.length === 2, "the script runs");
      expect(existsSync(String(sink.out[1]))).toBe(true);
      expect(stand.machine.processes().length).toBeGreaterThan(2);
      stop.abort(reason);
      await expect(running).rejects.toBe(reason);
      await until(() => stand.machine.processes().length === 0, "all of it ends");
      expect(existsSync(dirname(String(sink.out[1])))).toBe(false);
    }, 15_000);

    it("ends with everything it started when the connection is lost, and that is no exit code", async () => {
      const other = await stand.connect();
      const sink = keepLines();
      const running = other.run({ text: "sleep 305 & echo up; echo $0; sleep 306", shell: "bash", env: {} }, sink, never);
      running.catch(() => undefined);
      await until(() => sink.out.length === 2, "the script runs");
      stand.machine.drop();
      await expect(running).rejects.toThrow(SshFailure);
      await expect(running).rejects.toThrow("was lost");
      await until(() => stand.machine.processes().length === 0, "all of it ends");
      expect(existsSync(dirname(String(sink.out[1])))).toBe(false);
      machine = await stand.connect();
    }, 15_000);

    it("fails as its sink does", async () => {
      const broken = new Error("stdout is gone");
      const throwing = { stdout: () => Promise.reject(broken), stderr: () => undefined };
      await expect(machine.run({ text: "echo a; sleep 307", shell: "bash", env: {} }, throwing, never)).rejects.toBe(broken);
    }, 15_000);

    it("leaves no files behind", async () => {
      const { out } = await run("echo $0");
      expect(out[0]).toMatch(/^\/tmp\/gpup-[0-9a-f]{32}\/script\.sh$/);
      expect(existsSync(dirname(String(out[0])))).toBe(false);
    });

    it("ends with everything it started when our own process is killed", async () => {
      const child = spawn(process.execPath, ["--input-type=module", "-e", KILLED_CLIENT], { stdio: ["pipe", "pipe", "inherit"] });
      const { host, port, user } = stand.machine;
      const source = (name: string) => new URL(`../../src/${name}`, import.meta.url).href;
      child.stdin.end(
        JSON.stringify({
          address: { host, port, user },
          keys: { clientPrivateKey: stand.keys.client.privateKey, expectedHostKey: stand.keys.host.publicKey },
          sources: [source("machine/connect.ts"), source("lease/clock.ts"), source("lease/log.ts")],
        }),
      );
      const [path] = await once(child.stdout, "data");
      expect(stand.machine.processes().length).toBeGreaterThan(2);
      child.kill("SIGKILL");
      await until(() => stand.machine.processes().length === 0, "all of it ends");
      expect(existsSync(dirname(String(path).trim()))).toBe(false);
    }, 15_000);
  });
