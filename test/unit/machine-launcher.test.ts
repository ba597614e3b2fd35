import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { launchCommand, runDirectory } from "../../src/machine/launcher.ts";
import { until } from "./machine-stand.ts";

const shells = [["dash"], ["busybox", "sh"], ["bash", "--posix"]] as const;
for (const shell of shells)
  describe.runIf(spawnSync(shell[0], ["--help"]).error === undefined)(`the launcher under ${shell.join(" ")}`, () => {
    const nonce = randomBytes(16).toString("hex");
    const launch = (script: string, path?: string) => {
      const go = `exec sh ${runDirectory(nonce)}/script.sh\n`;
      const command = launchCommand(Buffer.byteLength(go), Buffer.byteLength(script), nonce, ".sh");
      const child = spawn("sh", ["-c", command.replace("exec sh -c", `exec ${shell.join(" ")} -c`)], {
        stdio: ["pipe", "pipe", "pipe"],
        env: { ...process.env, ...(path === undefined ? {} : { PATH: path }) },
      });
      let out = "";
      let err = "";
      child.stdout.on("data", (chunk: Buffer) => {
        out += chunk.toString();
      });
      child.stderr.on("data", (chunk: Buffer) => {
        err += chunk.toString();
      });
      child.stdin.write(go + script);
      return { child, out: () => out, err: () => err, closed: once(child, "close") };
    };
    afterEach(() => expect(existsSync(runDirectory(nonce))).toBe(false));

    it("gives the script's output and exit code, and keeps its files private meanwhile", async () => {
      const { out, err, closed } = launch(`stat -c %a ${runDirectory(nonce)} ${runDirectory(nonce)}/script.sh; umask; exit 5\n`);
      expect(await closed).toEqual([5, null]);
      const [directory, file, mask] = out().trim().split("\n");
      expect([directory, file, err()]).toEqual(["700", "600", ""]);
      expect(Number(mask)).toBe(Number(process.umask().toString(8)));
    });

    it("gives 128 + N", async () => {
      expect(await launch("kill -9 $$\n").closed).toEqual([137, null]);
    });

    it("ends the script and its children when stdin ends", async () => {
      const { child, out, closed } = launch('sleep 308 & echo "$! $$"; wait\n');
      await until(() => out() !== "", "the script runs");
      child.stdin.end();
      await closed;
      for (const pid of out().trim().split(" ")) {
        const state = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "utf8") : "gone";
        expect(state).toMatch(/^gone$|\) Z /);
      }
    });

    it("kills a script that does not want to end", async () => {
      const { child, out, closed } = launch("trap '' TERM; echo $$; while :; do sleep 0.2; done\n");
      await until(() => out() !== "", "the script runs");
      child.stdin.end();
      try {
        await until(() => child.exitCode !== null, "the launcher ends");
        await closed;
        expect(child.exitCode).toBe(137);
      } finally {
        if (child.exitCode === null) process.kill(-Number(out()), "SIGKILL");
      }
    }, 15_000);

    it("does not start a script that came only in part", async () => {
      const go = "echo ran\n";
      const child = spawn(shell[0], [...shell.slice(1), "-c", launchCommand(go.length, 1_000, nonce, ".sh")], { stdio: "pipe" });
      let err = "";
      child.stderr.on("data", (chunk: Buffer) => {
        err += chunk.toString();
      });
      child.stdin.end(go);
      expect(await once(child, "close")).toEqual([125, null]);
      expect(err).toBe(`${nonce} cut-short\n`);
    });
  });
