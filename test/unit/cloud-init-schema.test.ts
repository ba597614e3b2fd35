import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Document } from "yaml";
import * as z from "zod";
import { checkUserScript, composeCloudInit } from "../../src/machine/cloud-init.ts";
import type { OurCloudInit } from "../../src/machine/cloud-init-parts.ts";
import { makeLeaseKeys } from "../../src/machine/keys.ts";

/** What the real cloud-init and its YAML parser make of our documents. */

const keys = makeLeaseKeys("gpu-provision test");
const ours: OurCloudInit = { hostKey: keys.host, clientPublicKey: keys.client.publicKey };

const hasCloudInit = spawnSync("cloud-init", ["--version"]).status === 0;
// cloud-init runs with the system's Python; another one may come first on the PATH.
const python = ["/usr/bin/python3", "python3"].find((path) => spawnSync(path, ["-c", "import yaml"]).status === 0);

const CLOUD_CONFIG = `#cloud-config
packages: [git, jq]
package_update: yes
users:
  - default
  - name: ada
    groups: [sudo]
    shell: /bin/bash
    ssh_authorized_keys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHNvbWVvbmU ada"]
write_files:
  - path: /etc/motd
    content: |
      Hello
    permissions: '0644'
runcmd:
  - [ls, -l, /]
  - echo "done" >/root/done
`;

describe.runIf(hasCloudInit)("cloud-init schema", () => {
  let directory = "";
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "gpup-schema-"));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  function validate(document: string) {
    const file = join(directory, "user-data");
    writeFileSync(file, document, { mode: 0o600 });
    const { status, stdout, stderr } = spawnSync("cloud-init", ["schema", "--config-file", file], { encoding: "utf8" });
    return { status, said: stdout + stderr };
  }

  test.each([
    ["no user script", undefined],
    ["an empty #cloud-config", "#cloud-config\n"],
    ["a #! script", "#!/usr/bin/env python3\nprint('hello')\n"],
    ["a #cloud-config of packages, users, files and commands", CLOUD_CONFIG],
  ])("takes the document with %s", (_what, script) => {
    const { status, said } = validate(composeCloudInit(ours, script));
    expect(said).toMatch(/Valid/);
    expect(said).not.toMatch(/deprecat|invalid/i);
    expect(status).toBe(0);
  });

  test("takes the document with the parts of a feature", () => {
    const parts = [
      { writeFiles: [{ path: "/opt/x", content: "x\n", permissions: "0700" }], bootcmd: ["true"], runcmd: ["/opt/x"] },
    ];
    expect(validate(composeCloudInit({ ...ours, parts }, CLOUD_CONFIG))).toMatchObject({ status: 0 });
  });

  test("would say so if a document were not right", () => {
    expect(validate(composeCloudInit(ours).replace("disable_root: false", "disable_root: perhaps")).status).not.toBe(0);
  });
});

describe.runIf(python !== undefined)("cloud-init's YAML parser", () => {
  const READ = `
import json, sys, yaml
def show(value):
    if isinstance(value, dict):
        return {"map": sorted([json.dumps(show(k)), show(v)] for k, v in value.items())}
    if isinstance(value, list):
        return [show(item) for item in value]
    return type(value).__name__ + " " + repr(value)
for line in sys.stdin:
    try:
        value = yaml.safe_load(json.loads(line))
        print(json.dumps({"read": {k: show(v) for k, v in (value or {}).items()} if isinstance(value or {}, dict) else show(value)}))
    except Exception as error:
        print(json.dumps({"refused": str(error)}))
`;
  const answer = z.union([z.object({ read: z.record(z.string(), z.unknown()) }), z.object({ refused: z.string() })]);

  function readAll(documents: readonly string[]) {
    const { stdout, stderr } = spawnSync(python ?? "", ["-c", READ], {
      input: documents.map((document) => JSON.stringify(document)).join("\n"),
      encoding: "utf8",
      env: { ...process.env, PYTHONIOENCODING: "utf-8:surrogatepass" },
      maxBuffer: 100_000_000,
    });
    expect(stderr).toBe("");
    return stdout
      .trimEnd()
      .split("\n")
      .map((line) => answer.parse(JSON.parse(line)));
  }

  test.each([
    ["0644", "int 420"],
    ["'0644'", "str '0644'"],
    ["08", "str '08'"],
    ["yes", "bool True"],
    ["Off", "bool False"],
    ["y", "str 'y'"],
    ["12:30:45", "int 45045"],
    ["1e3", "str '1e3'"],
    ["1.0e+3", "float 1000.0"],
    ["1_000", "int 1000"],
    ["~", "NoneType None"],
    ["", "NoneType None"],
    ["2026-01-31", "date datetime.date(2026, 1, 31)"],
    ["!!binary aGk=", "bytes b'hi'"],
    ["!!str 12", "str '12'"],
    ['"\\u2028\\x7f"', "str '\\u2028\\x7f'"],
    ["a\tb", "str 'a\\tb'"],
    [">-\n  one\n  two\n\n  three", "str 'one two\\nthree'"],
    ["|2+\n   x\n  y\n\n", "str ' x\\ny\\n\\n\\n'"],
  ])("reads %j as before", (spelling, meaning) => {
    const [composed] = readAll([composeCloudInit(ours, `#cloud-config\nkey: ${spelling}\n`)]);
    expect(composed).toMatchObject({ read: { key: meaning } });
  });

  test("reads our own values, keys to the byte", () => {
    const [composed] = readAll([composeCloudInit(ours)]);
    expect(composed).toMatchObject({
      read: {
        disable_root: "bool False",
        ssh_pwauth: "bool False",
        ssh_deletekeys: "bool True",
        ssh_keys: {
          map: [
            ["\"str 'ed25519_private'\"", `str '${keys.host.privateKey.replaceAll("\n", "\\n")}'`],
            ["\"str 'ed25519_public'\"", `str '${keys.host.publicKey}\\n'`],
          ],
        },
      },
    });
  });

  const awkward = fc.constantFrom(
    ..."0644|yes|y|1e3|60:30:00|~||<<|2024-01-01|2024-13-01|a\nb| a|a |a\tb|a: b|# c|é|- x|[|'|\"|l\n\n\ne\n|\n x|x\n |  2\n 1\n".split(
      "|",
    ),
    ..."\ta\n|😀|---|a\n---\nb|...|!x|&a|*b|a #b|0b11|0x1F|+1|.inf|-|:|a:|%x|@|`|\\|\n|\t| \n|\u2028|\u0085|\u007f".split("|"),
  );
  const text = fc.oneof(
    awkward,
    fc.tuple(awkward, awkward).map(([one, other]) => one + other),
    fc.string({ maxLength: 10 }),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      text,
      fc.boolean(),
      fc.double({ noNaN: true }),
      fc.constant(null),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(text, tie("value"), { maxKeys: 4 }),
    ),
  }));
  const style = fc.record({
    version: fc.constantFrom("1.1", "1.2"),
    collectionStyle: fc.constantFrom("any", "block", "flow"),
    defaultStringType: fc.constantFrom("PLAIN", "QUOTE_DOUBLE", "QUOTE_SINGLE", "BLOCK_LITERAL", "BLOCK_FOLDED"),
    indent: fc.integer({ min: 1, max: 5 }),
    lineWidth: fc.constantFrom(0, 30, 80),
  });

  test("reads in our document what it reads in the user's, and all that is accepted", () => {
    const documents = fc.sample(fc.tuple(fc.dictionary(fc.stringMatching(/^[a-z]{2,6}$/), value, { maxKeys: 5 }), style), {
      numRuns: 1500,
      seed: 20_260_101,
    });
    const scripts = documents
      .map(([given, { version, ...how }]) =>
        new Document(given, { version }).toString({ ...how, defaultKeyType: "QUOTE_DOUBLE" }),
      )
      // The library writes these raw; a user's escape is what has to survive.
      .map((written) => `#cloud-config\n${written.replaceAll("\u2028", "\\L").replaceAll("\u0085", "\\N")}`)
      // Inside of braces PyYAML takes a leading question mark for a key that stands alone.
      .filter((script) => !script.includes("?") && checkUserScript(script).length === 0);
    expect(scripts.length).toBeGreaterThan(500);
    const answers = readAll([...scripts, ...scripts.map((script) => composeCloudInit(ours, script))]);
    let alike = 0;
    for (const [index, script] of scripts.entries()) {
      const [theirs, composed] = [answers[index], answers[index + scripts.length]];
      // What we write can be read even where PyYAML stumbles over the user's spelling, as over a bare tab.
      expect(composed, script).toHaveProperty("read");
      if (!theirs || !("read" in theirs)) continue;
      expect(composed, script).toMatchObject({ read: theirs.read });
      alike += 1;
    }
    expect(alike).toBeGreaterThan(500);
  });
});
