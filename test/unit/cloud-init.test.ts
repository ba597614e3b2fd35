import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Document, parse } from "yaml";
import * as z from "zod";
import { InputFailure } from "../../src/lease/failure.ts";
import { checkUserScript, composeCloudInit, MAX_CLOUD_INIT_BYTES } from "../../src/machine/cloud-init.ts";
import { writeAdmitScript } from "../../src/machine/cloud-init-admit.ts";
import type { OurCloudInit } from "../../src/machine/cloud-init-parts.ts";
import { makeLeaseKeys } from "../../src/machine/keys.ts";
import { hasSshClient, hasSshd } from "../real-tools.ts";

const keys = makeLeaseKeys("gpu-provision it's");
const ours: OurCloudInit = { hostKey: keys.host, clientPublicKey: keys.client.publicKey };
const read = (text: string): Record<string, unknown> => z.record(z.string(), z.unknown()).parse(parse(text, { version: "1.1" }));
const compose = (lines: string) => read(composeCloudInit(ours, `#cloud-config\n${lines}`));
const commands = (document: string, key: "bootcmd" | "runcmd") => z.array(z.string()).parse(read(document)[key]);

describe("one document", () => {
  test("without a user's script it is ours", () => {
    const document = composeCloudInit(ours);
    expect(document).toMatch(/^#cloud-config\n/);
    expect(read(document)).toMatchObject({
      disable_root: false,
      ssh_pwauth: false,
      ssh_deletekeys: true,
      ssh_keys: { ed25519_private: keys.host.privateKey, ed25519_public: `${keys.host.publicKey}\n` },
    });
    expect(composeCloudInit(ours, "#cloud-config")).toBe(document);
    expect(composeCloudInit(ours, "\n#cloud-config\n# nothing\n")).toBe(document);
  });

  test("the user's lists come after ours, the maps are joined", () => {
    const document = compose(
      "runcmd: [a, [b, c]]\nbootcmd:\n- d\nssh_keys: {rsa_private: e}\npackages: [git]\nssh_pwauth: no\ndisable_root: Off\nwrite_files:\n",
    );
    expect(document["runcmd"]).toEqual([expect.stringContaining("admit.sh"), "a", ["b", "c"]]);
    expect(document["bootcmd"]).toEqual([expect.stringContaining("admit.sh"), "d"]);
    expect(document["ssh_keys"]).toMatchObject({ rsa_private: "e", ed25519_private: keys.host.privateKey });
    expect(document).toMatchObject({ packages: ["git"], ssh_pwauth: false });
  });

  test("a part's commands and files stand between ours and the user's", () => {
    const part = {
      writeFiles: [{ path: "/p", content: "x\ny", permissions: "0700" }],
      bootcmd: ["part boots"],
      runcmd: ["part runs"],
    };
    const document = read(
      composeCloudInit({ ...ours, parts: [part] }, "#cloud-config\nbootcmd: [b]\nruncmd: [r]\nwrite_files: [{path: /u}]"),
    );
    expect(document["bootcmd"]).toEqual([expect.any(String), "part boots", "b"]);
    expect(document["runcmd"]).toEqual([expect.any(String), "part runs", "r"]);
    expect(document["write_files"]).toEqual([
      { owner: "root:root", path: "/p", content: "x\ny", permissions: "0700" },
      { path: "/u" },
    ]);
  });

  test.each(["0644", "yes", "y", "1e3", "60:30:00", "0x1F", "1_000", "~", "'0644'", '"yes"', "!!str 0644", "!!binary aGk="])(
    "keeps the spelling of %s",
    (spelling) => {
      expect(composeCloudInit(ours, `#cloud-config\nkey: ${spelling}\n`).split("\n")).toContain(`key: ${spelling}`);
    },
  );

  test("anchors, aliases and merge keys mean what they meant, CR LF included", () => {
    const text = [
      "base: &base {disable_root: false, note: &n hello, list: &l [one, two]}",
      "<<: *base",
      "again: *n",
      "runcmd: *l",
      "bootcmd: &b [*n]",
      "copy: *b",
      "both:",
      "  <<: [{x: 1}, {x: 2, w: 2}]",
      "  <<: {z: 3}",
      "  w: own",
    ].join("\r\n");
    expect(compose(text)).toMatchObject({
      note: "hello",
      list: ["one", "two"],
      again: "hello",
      copy: ["hello"],
      runcmd: [expect.stringContaining("admit.sh"), "one", "two"],
      bootcmd: [expect.stringContaining("admit.sh"), "hello"],
      both: { x: 1, w: "own", z: 3 },
    });
  });
});

describe("what is refused", () => {
  test.each([
    ["", /must begin with '#cloud-config'/],
    ["echo hello", /must begin with '#cloud-config'/],
    ["#cloud-configs\n", /must begin with '#cloud-config'/],
    ["#cloud-config-archive\n- a", /archive/],
    ["#cloud-config-jsonp\n[]", /JSON patch/],
    ["#include https://example.com/x", /by address/],
    ["#cloud-boothook\n", /boothook/],
    ["#part-handler\n", /part handler/],
    ["## template: jinja\n#cloud-config\n", /template/],
    ["Content-Type: multipart/mixed", /MIME/],
    ["MIME-Version: 1.0", /MIME/],
    ["\u001f\ufffd\b", /compressed/],
    ["#!/bin/sh\r\necho\r\n", /CR LF/],
    ["#!\necho", /path of an interpreter/],
    ["#!bash\necho", /path of an interpreter/],
    ["#cloud-config\na: [b\n", /not YAML that can be read, at line 3, column 1/],
    ["#cloud-config\r\na: b\r\nc: d: e\r\n", /line 3, column 4/],
    ["#cloud-config\na: 1\na: 2\n", /line 3, column 1: Map keys must be unique/],
    ["#cloud-config\n---\na: 1\n---\nb: 1\n", /one document/],
    ["#cloud-config\n- a\n", /not a map/],
    ["#cloud-config\na text\n", /not a map/],
    ["#cloud-config\na: *gone\n", /line 2, column 4.*\*gone/],
    ["#cloud-config\na: &a [*a]\n", /line 2, column 8.*\*a/],
    ["#cloud-config\na: !mine b\n", /the tag '!mine'/],
    ["#cloud-config\n[a]: b\n", /a key must be a plain value/],
    ["#cloud-config\n<<: text\n", /'<<' takes a map/],
    ["#cloud-config\na: =\n", /in quotes/],
    ["#cloud-config\na: 2026-02-30\n", /looks like a date/],
    ["#cloud-config\na: \u0007\n", /U\+0007 at line 2, column 4/],
    ["#cloud-config\na: b\u2028c\n", /U\+2028/],
  ])("%j", (script, reason) => {
    expect(checkUserScript(script)).toEqual([expect.stringMatching(reason)]);
    expect(() => composeCloudInit(ours, script)).toThrow(InputFailure);
  });

  test.each([
    ["ssh_deletekeys: false", "ssh_deletekeys"],
    ["disable_root: yes", "disable_root"],
    ["disable_root: 'false'", "disable_root"],
    ["<<: {disable_root: true}", "disable_root"],
    ["ssh_pwauth: true", "ssh_pwauth"],
    ["ssh_keys: {ed25519_private: theirs}", "ssh_keys.ed25519_private"],
    ["ssh_keys:\n  ed25519_public: theirs", "ssh_keys.ed25519_public"],
    ["ssh_keys: theirs", "ssh_keys"],
    ["runcmd: ls", "runcmd"],
    ["bootcmd: {a: b}", "bootcmd"],
  ])("%s", (lines, key) => {
    const flaws = checkUserScript(`#cloud-config\n${lines}\n`);
    expect(flaws).toEqual([expect.stringContaining(`'${key}'`)]);
    expect(flaws[0]).toMatch(/Remove it\.|make it a (list|map)\./);
    expect(flaws[0]).not.toContain("theirs");
  });

  test("all conflicts are reported together, with the input's name", () => {
    const script = "#cloud-config\nruncmd: ls\ndisable_root: true\nssh_deletekeys: no\n";
    expect(checkUserScript(script)).toHaveLength(3);
    expect(() => composeCloudInit(ours, script)).toThrow(/'cloud-init' cannot be used: it sets 'disable_root'/);
  });

  test("aliases that stand for a flood", () => {
    const levels = Array.from({ length: 30 }, (_, level) => `l${level + 1}: &l${level + 1} [*l${level}, *l${level}, *l${level}]`);
    expect(checkUserScript(`#cloud-config\nl0: &l0 [x]\n${levels.join("\n")}\n`)).toEqual([expect.stringContaining("aliases")]);
  });

  test.each([
    ["#!/bin/sh\n", (room: number) => `#!/bin/sh\n${"#".repeat(room - 10)}`],
    ["#cloud-config\nnote: ", (room: number) => `#cloud-config\nnote: ${"n".repeat(room - 7)}`],
  ])("the room that is named for %j is the room that there is", (beginning, fill) => {
    const [flaw = ""] = checkUserScript(`${beginning}${"x".repeat(70_000)}`);
    expect(flaw).toContain("the marketplace takes 64,000");
    const room = Number(/room for ([\d,]+)/.exec(flaw)?.[1]?.replace(",", ""));
    expect(checkUserScript(fill(room))).toEqual([]);
    expect(checkUserScript(fill(room + 3))).toHaveLength(1);
    expect(Buffer.byteLength(composeCloudInit(ours, fill(room)))).toBeLessThanOrEqual(MAX_CLOUD_INIT_BYTES);
  });

  test("bytes count, not characters", () => {
    expect(checkUserScript(`#cloud-config\nnote: ${"é".repeat(40_000)}`)).toHaveLength(1);
  });
});

describe("any document", () => {
  type Model = { readonly value: unknown } | "conflict";
  const isMap = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  function model(own: unknown, theirs: unknown): Model {
    if (Array.isArray(own) && Array.isArray(theirs)) return { value: [...own, ...theirs] };
    if (theirs === null || own === theirs) return { value: own };
    if (!isMap(own) || !isMap(theirs)) return "conflict";
    const joined = new Map(Object.entries(own));
    for (const [key, value] of Object.entries(theirs)) {
      const inner = joined.has(key) ? model(joined.get(key), value) : { value };
      if (inner === "conflict") return inner;
      joined.set(key, inner.value);
    }
    return { value: Object.fromEntries(joined) };
  }

  const text = fc
    .oneof(fc.string({ maxLength: 20 }), fc.constantFrom("yes", "0644", " a", "a\n", "\n b\n\n", "a: b", "# c", "a\tb", "é", "-"))
    // The writer leaves these two bare even where it is told to quote, and bare they mean something else.
    .filter((value) => value !== "=" && value !== "<<");
  const keyOfOurs = fc.constantFrom("runcmd", "bootcmd", "ssh_keys", "disable_root", "ssh_deletekeys", "ed25519_private");
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 3 }, text, fc.boolean(), fc.integer(), fc.constant(null), tie("list"), tie("map")),
    list: fc.array(tie("value"), { maxLength: 4 }),
    map: fc.dictionary(fc.oneof(keyOfOurs, text), tie("value"), { maxKeys: 4 }),
  }));
  const compatible = fc.record(
    {
      runcmd: fc.array(text, { maxLength: 4 }),
      bootcmd: fc.array(text, { maxLength: 4 }),
      write_files: fc.array(fc.dictionary(text, text), { maxLength: 3 }),
      ssh_keys: fc.dictionary(
        text.filter((key) => !key.startsWith("ed25519")),
        text,
        { maxKeys: 3 },
      ),
      disable_root: fc.constantFrom(false, null),
      packages: value,
    },
    { requiredKeys: [] },
  );
  const content = fc.oneof(compatible, fc.dictionary(fc.oneof(keyOfOurs, text), value, { maxKeys: 6 }));
  const style = fc.record({
    collectionStyle: fc.constantFrom("any", "block", "flow"),
    defaultStringType: fc.constantFrom("PLAIN", "QUOTE_DOUBLE", "QUOTE_SINGLE", "BLOCK_LITERAL", "BLOCK_FOLDED"),
    indent: fc.integer({ min: 1, max: 5 }),
    lineWidth: fc.constantFrom(0, 30, 80),
  });

  test("loses no key of the user's and none of ours, keeps the order of lists, and is refused when keys fight", () => {
    const seen = { merged: 0, refused: 0 };
    // Not by way of zod, whose records drop '__proto__'.
    const own: unknown = parse(composeCloudInit(ours), { version: "1.1" });
    fc.assert(
      fc.property(content, style, (given, how) => {
        const written = new Document(given, { version: "1.1" }).toString({ ...how, defaultKeyType: "QUOTE_DOUBLE" });
        const script = `#cloud-config\n${written}`;
        const expected = model(own, parse(script, { version: "1.1" }) ?? {});
        if (expected === "conflict") {
          seen.refused += 1;
          expect(checkUserScript(script)).not.toEqual([]);
          expect(() => composeCloudInit(ours, script)).toThrow(InputFailure);
        } else {
          seen.merged += 1;
          expect(checkUserScript(script)).toEqual([]);
          expect(parse(composeCloudInit(ours, script), { version: "1.1" })).toEqual(expected.value);
        }
      }),
      { numRuns: 400 },
    );
    expect(seen.merged).toBeGreaterThan(50);
    expect(seen.refused).toBeGreaterThan(50);
  });
});

describe("on the machine", () => {
  let root = "";
  let stubs = "";
  beforeEach(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), "gpup-root-")));
    stubs = join(root, "stubs");
    // The machine that the tests run on is left alone: nothing here reaches its services.
    for (const name of ["systemctl", "service", "sshd"]) stub(name, "exit 1");
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const at = (path: string) => join(root, path);
  function put(path: string, text: string, mode = 0o644) {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), text, { mode });
    chmodSync(at(path), mode);
  }
  const stub = (name: string, body: string) =>
    put(`stubs/${name}`, `#!/bin/sh\necho "${name} $*" >>"${root}/calls"\n${body}\n`, 0o755);
  const calls = () => (existsSync(at("calls")) ? readFileSync(at("calls"), "utf8").split("\n") : []);
  const restarts = () => calls().filter((call) => call.includes("restart"));
  const modeOf = (path: string) => (statSync(at(path)).mode & 0o777).toString(8);
  const text = (path: string) => readFileSync(at(path), "utf8");

  /** Runs commands as cloud-init does: put together into one script of /bin/sh. */
  function execute(list: readonly string[]) {
    put("commands", `#!/bin/sh\n${list.join("\n")}\n`);
    return spawnSync("/bin/sh", [at("commands")], {
      env: { PATH: `${stubs}:/usr/bin:/bin`, GPU_PROVISION_ROOT: root },
      encoding: "utf8",
      timeout: 20_000,
    });
  }
  const boot = (document = composeCloudInit(ours)) => execute(commands(document, "bootcmd"));
  const KEY = "etc/ssh/ssh_host_ed25519_key";
  const AUTHORIZED = "root/.ssh/authorized_keys";

  test("writes the host key for root only, admits the client, and leaves no half-made file", () => {
    const { status, stderr } = boot();
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(text(KEY)).toBe(keys.host.privateKey);
    expect(text(`${KEY}.pub`)).toBe(`${keys.host.publicKey}\n`);
    expect(text(AUTHORIZED)).toBe(`${keys.client.publicKey}\n`);
    for (const path of [KEY, AUTHORIZED, "var/lib/gpu-provision/admit.sh"]) expect([path, modeOf(path)]).toEqual([path, "600"]);
    for (const path of ["var/lib/gpu-provision", "root/.ssh"]) expect([path, modeOf(path)]).toEqual([path, "700"]);
    expect(modeOf("etc/ssh")).toBe("755");
    expect(readdirSync(at("etc/ssh")).toSorted()).toEqual(["ssh_host_ed25519_key", "ssh_host_ed25519_key.pub"]);
  });

  test("a second run changes and restarts nothing, at the next boot as in runcmd", () => {
    mkdirSync(at("run/systemd/system"), { recursive: true });
    boot();
    const files = () => [KEY, `${KEY}.pub`, AUTHORIZED].map((path) => [statSync(at(path)).ino, statSync(at(path)).mtimeMs]);
    const [before, restarted] = [files(), restarts().length];
    expect(restarted).toBe(2);
    boot();
    execute(commands(composeCloudInit(ours), "runcmd"));
    expect(files()).toEqual(before);
    expect(restarts()).toHaveLength(restarted);
  });

  test("does not wait for systemd, which waits for it", () => {
    mkdirSync(at("run/systemd/system"), { recursive: true });
    boot();
    expect(restarts()).toEqual(["systemctl --no-block try-restart ssh.service", "systemctl --no-block try-restart sshd.service"]);
  });

  test.each([
    ["another key", () => put(KEY, "a key of the image\n", 0o600)],
    ["our key open to others", () => put(KEY, keys.host.privateKey, 0o640)],
    ["our key cut off", () => put(KEY, keys.host.privateKey.slice(0, -20), 0o600)],
    ["no key", () => rmSync(at(KEY))],
  ])("runcmd puts it right when the image has left %s", (_what, spoil) => {
    mkdirSync(at("run/systemd/system"), { recursive: true });
    boot();
    spoil();
    rmSync(at("calls"));
    expect(execute(commands(composeCloudInit(ours), "runcmd")).status).toBe(0);
    expect(text(KEY)).toBe(keys.host.privateKey);
    expect(modeOf(KEY)).toBe("600");
    expect(restarts()).toHaveLength(2);
  });

  test("replaces a forced command before our key, and keeps the keys of others", () => {
    const [type, blob] = keys.client.publicKey.split(" ");
    const forced = `no-pty,command="echo 'Please login as the user ubuntu';exit 142" ${type} ${blob} root@cloud`;
    put(AUTHORIZED, `ssh-ed25519 AAAAother someone\n${forced}\n# a note`, 0o644);
    boot();
    expect(text(AUTHORIZED)).toBe(`ssh-ed25519 AAAAother someone\n# a note\n${keys.client.publicKey}\n`);
    expect(modeOf(AUTHORIZED)).toBe("600");
  });

  test("says that it failed when the key cannot be written", () => {
    put("etc/ssh", "a file where a directory should be");
    const { status, stderr } = boot();
    expect(status).not.toBe(0);
    expect(stderr).toContain("cannot write");
    expect(stderr).not.toContain("PRIVATE");
  });

  describe("when sshd cannot say how it is set up", () => {
    const RSA = "HostKey /etc/ssh/ssh_host_rsa_key\n";
    const DROP_IN = "etc/ssh/sshd_config.d/00-gpu-provision.conf";

    test("a file without HostKey is left as it is", () => {
      put("etc/ssh/sshd_config", "#HostKey /etc/ssh/ssh_host_rsa_key\nPermitRootLogin yes\n");
      boot();
      expect(text("etc/ssh/sshd_config")).toBe("#HostKey /etc/ssh/ssh_host_rsa_key\nPermitRootLogin yes\n");
    });

    test("a file that names other keys gets ours, before anything else in it", () => {
      put("etc/ssh/sshd_config", `${RSA}Match User x\n  X11Forwarding no\n`);
      boot();
      const repaired = `HostKey ${at(KEY)}\n${RSA}Match User x\n  X11Forwarding no\n`;
      expect(text("etc/ssh/sshd_config")).toBe(repaired);
      boot();
      expect(text("etc/ssh/sshd_config")).toBe(repaired);
    });

    test("drop-ins are used where they are read", () => {
      const config = `Include /etc/ssh/sshd_config.d/*.conf\n${RSA}PermitRootLogin no\n`;
      put("etc/ssh/sshd_config", config);
      mkdirSync(at("etc/ssh/sshd_config.d"));
      boot();
      boot();
      expect(text("etc/ssh/sshd_config")).toBe(config);
      expect(text(DROP_IN)).toBe(`HostKey ${at(KEY)}\nPermitRootLogin prohibit-password\n`);
    });

    test("drop-ins that are not read do not count", () => {
      put("etc/ssh/sshd_config", RSA);
      mkdirSync(at("etc/ssh/sshd_config.d"));
      boot();
      expect(text("etc/ssh/sshd_config")).toBe(`HostKey ${at(KEY)}\n${RSA}`);
    });
  });

  test("is POSIX shell that shellcheck accepts", ({ skip }) => {
    if (spawnSync("shellcheck", ["--version"]).error) skip("shellcheck is not installed");
    for (const list of [
      [writeAdmitScript(ours)],
      commands(composeCloudInit(ours, "#!/bin/sh\ntrue\n"), "bootcmd"),
      commands(composeCloudInit(ours, "#!/bin/sh\ntrue\n"), "runcmd"),
    ]) {
      const result = spawnSync("shellcheck", ["-s", "sh", "-"], { input: list.join("\n"), encoding: "utf8" });
      expect(result.stdout).toBe("");
    }
  });

  test("the private key is in no argument of a process", () => {
    const document = composeCloudInit(ours);
    put("commands", `#!/bin/sh\n${commands(document, "bootcmd").join("\n")}\n`);
    // Every program is reached through a wrapper that notes its arguments; what is built in has none that can be seen.
    for (const name of ["sh", "cat", "ls", "mv", "rm", "mkdir", "grep", "cut", "head", "dirname"])
      stub(name, `PATH=/usr/bin:/bin exec ${name === "sh" ? '/usr/bin/env PATH="$PATH" /bin/sh' : name} "$@"`);
    boot(document);
    expect(text(KEY)).toBe(keys.host.privateKey);
    expect(calls().length).toBeGreaterThan(5);
    const body = keys.host.privateKey.split("\n")[1] ?? "";
    expect(body).not.toBe("");
    expect(calls().join("\n")).not.toContain(body);
  });

  test("a user's script runs once after ours, with its output in a log and its exit code on disk", () => {
    const script = "#!/bin/sh\necho to stdout\necho to stderr >&2\numask\ncat\nexit 7\n";
    const document = composeCloudInit(ours, script);
    const [file] = z
      .array(z.object({ path: z.string(), content: z.string(), encoding: z.literal("b64"), permissions: z.literal("0700") }))
      .parse(read(document)["write_files"]);
    expect(Buffer.from(file?.content ?? "", "base64").toString()).toBe(script);
    expect(boot(document).status).toBe(0);
    put(file?.path ?? "", script, 0o700);
    mkdirSync(at("var/log"));
    const ran = execute(commands(document, "runcmd"));
    expect(ran.status).toBe(7);
    expect(ran.stdout).toContain("ended with exit code 7");
    expect(text("var/log/gpu-provision-user-script.log")).toMatch(/^to stdout\nto stderr\n0022\n$/);
    expect(modeOf("var/log/gpu-provision-user-script.log")).toBe("600");
    expect(text("var/lib/gpu-provision/user-script.exit")).toBe("7\n");
  });

  describe.runIf(hasSshd && hasSshClient)("with a real sshd", () => {
    const image = makeLeaseKeys("image").host;

    async function freePort(): Promise<number> {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = z.object({ port: z.number() }).parse(server.address());
      server.close();
      await once(server, "close");
      return port;
    }

    /** Asks the server for its ed25519 key until `accept` takes the answer, at most 50 times. */
    async function scan(port: number, accept: (key: string) => boolean): Promise<string> {
      let key = "";
      for (let turn = 0; turn < 50 && !accept(key); turn += 1) {
        if (turn > 0) await pause(200);
        const { stdout } = spawnSync("ssh-keyscan", ["-T", "1", "-t", "ed25519", "-p", String(port), "127.0.0.1"], {
          encoding: "utf8",
        });
        key = stdout.split(" ").slice(1).join(" ").trim();
      }
      return key;
    }

    test.each([
      ["the image's own key in the place of ours", KEY, false],
      ["another key file and drop-ins", "etc/ssh/image_key", true],
    ])("a running server with %s serves ours afterwards", { timeout: 90_000 }, async (_what, path, dropIns) => {
      const port = await freePort();
      rmSync(join(stubs, "sshd"));
      // Debian's sshd wants it when root starts it; its service makes it as well.
      if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true });
      put(path, image.privateKey, 0o600);
      put(`${path}.pub`, `${image.publicKey}\n`, 0o600);
      mkdirSync(at("run"), { recursive: true });
      if (dropIns) mkdirSync(at("etc/ssh/sshd_config.d"));
      const include = dropIns ? `Include ${at("etc/ssh/sshd_config.d")}/*.conf\n` : "";
      put(
        "etc/ssh/sshd_config",
        `${include}Port ${port}\nListenAddress 127.0.0.1\nHostKey ${at(path)}\nPidFile ${at("run/sshd.pid")}\nUsePAM no\n`,
      );
      const server = spawn("/usr/sbin/sshd", ["-D", "-f", at("etc/ssh/sshd_config")], { stdio: "ignore" });
      const ended = once(server, "exit");
      try {
        const [type, blob] = image.publicKey.split(" ");
        expect(await scan(port, (key) => key !== "")).toBe(`${type} ${blob}`);
        expect(boot().status).toBe(0);
        const [ourType, ourBlob] = keys.host.publicKey.split(" ");
        const expected = `${ourType} ${ourBlob}`;
        expect(await scan(port, (key) => key === expected)).toBe(expected);
        expect(existsSync(at("etc/ssh/sshd_config.d/00-gpu-provision.conf"))).toBe(dropIns);
      } finally {
        server.kill();
        await ended;
      }
    });
  });
});
