import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";

const root = join(import.meta.dirname, "../..");
const dist = join(root, "dist");

const manifest = z
  .object({ runs: z.object({ using: z.string(), main: z.string(), post: z.string() }) })
  .parse(parse(readFileSync(join(root, "action.yml"), "utf8")));

function filesIn(folder: string): string[] {
  return readdirSync(join(dist, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

const textOf = (folder: string) =>
  filesIn(folder)
    .map((file) => readFileSync(file, "utf8"))
    .join("\n");
const sizeOf = (folder: string) => filesIn(folder).reduce((sum, file) => sum + statSync(file).size, 0);

/** What no SSH client can do without: its version line, its packets, a cipher of its own. */
const signsOfSsh = ["SSH-2.0-", "KEXINIT", "ssh-userauth", "chacha20-poly1305@openssh.com"];

describe("the shipped bundles", () => {
  test("are where action.yml says", () => {
    expect(manifest.runs.using).toBe("node24");
    for (const entry of [manifest.runs.main, manifest.runs.post]) expect(existsSync(join(root, entry)), entry).toBe(true);
  });

  test("are CommonJS, whatever the repository around them is", () => {
    expect(JSON.parse(readFileSync(join(dist, "package.json"), "utf8"))).toEqual({ type: "commonjs" });
  });

  test("hold no native code and nothing but what they load", () => {
    const names = filesIn("").map((file) => file.slice(dist.length + 1));
    expect(names.filter((name) => !/^(?:main|post|sweep)\/(?:\d+\.)?index\.js$/.test(name))).toEqual(["package.json"]);
  });

  test("carry the SSH stack in main, outside the file that is loaded at once, and not in post", () => {
    const [main, first] = [textOf("main"), readFileSync(join(dist, "main/index.js"), "utf8")];
    const post = `${textOf("post")}${textOf("sweep")}`;
    for (const sign of signsOfSsh) {
      expect(main, sign).toContain(sign);
      expect(first.includes(sign), `${sign} in main/index.js`).toBe(false);
      expect(post.includes(sign), `${sign} in post or sweep`).toBe(false);
    }
  });

  test("are small: post at most 1.5 MB, main at most 3 MB", () => {
    expect(sizeOf("post")).toBeLessThanOrEqual(1_500_000);
    expect(sizeOf("main")).toBeLessThanOrEqual(3_000_000);
  });

  test("name no path of the machine that built them", () => {
    const all = `${textOf("main")}${textOf("post")}${textOf("sweep")}`;
    expect(all.includes(root)).toBe(false);
    expect(all).not.toMatch(/["'`]file:\/\/\/[a-z]/);
  });
});

describe("a bundle that is started with nothing set", () => {
  let directory = "";
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "gpu-bundle-"));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  async function start(entry: string, env: Readonly<Record<string, string>>) {
    const child = spawn(process.execPath, [join(root, entry)], { cwd: directory, env, stdio: ["ignore", "pipe", "pipe"] });
    const [stdout, stderr, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
    return { stdout, stderr, exitCode };
  }

  test("main names the variables that a workflow run sets", async () => {
    const { stdout, stderr, exitCode } = await start(manifest.runs.main, {});
    expect(stdout).toMatch(/^::error title=[^:]*::.*GITHUB_REPOSITORY.*Nothing was bought/m);
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 1 });
  });

  test("main names the inputs that it needs", async () => {
    const { stdout, stderr, exitCode } = await start(manifest.runs.main, {
      GITHUB_REPOSITORY: "acme/kernels",
      GITHUB_RUN_ID: "8123456789",
      GITHUB_RUN_ATTEMPT: "1",
      GITHUB_EVENT_NAME: "push",
      GITHUB_WORKSPACE: directory,
      RUNNER_TEMP: directory,
    });
    const errors = stdout.split("\n").filter((line) => line.startsWith("::error "));
    expect(errors).toHaveLength(1);
    for (const name of ["'token'", "'gpu-type'"]) expect(errors[0]).toContain(name);
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 1 });
  });

  test("sweep is where its action.yml says, and names the input that it needs", async () => {
    const { runs } = z
      .object({ runs: z.object({ using: z.string(), main: z.string() }) })
      .parse(parse(readFileSync(join(root, "sweep/action.yml"), "utf8")));
    expect(runs.using).toBe("node24");
    const { stdout, stderr, exitCode } = await start(join("sweep", runs.main), {});
    expect(stdout).toMatch(/^::error title=[^:]*::.*'token'/m);
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 1 });
  });

  test("post says that nothing was bought", async () => {
    const { stdout, stderr, exitCode } = await start(manifest.runs.post, {});
    expect(stdout).toBe("Nothing was bought, so there is nothing to delete.\n");
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
  });
});
