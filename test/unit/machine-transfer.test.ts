import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Header, pack as makePack } from "tar-stream";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/lease/clock.ts";
import { SshFailure, TransferFailure } from "../../src/lease/failure.ts";
import { silentLog } from "../../src/lease/log.ts";
import type { Machine } from "../../src/machine/machine.ts";
import { followTransfer } from "../../src/machine/transfer.ts";
import { unpack } from "../../src/machine/unpack.ts";
import { keepLog, machineKinds, type Stand, standUp } from "./machine-stand.ts";

const never = new AbortController().signal;

/** Everything below a directory: type, mode, and content or target. */
function picture(root: string): Record<string, string> {
  const seen: Record<string, string> = {};
  const look = (below: string) => {
    for (const name of readdirSync(join(root, below)).sort()) {
      const relative = join(below, name);
      const path = join(root, relative);
      const stats = lstatSync(path);
      const mode = (stats.mode & 0o777).toString(8);
      if (stats.isSymbolicLink()) seen[relative] = `-> ${readlinkSync(path)}`;
      else if (stats.isDirectory()) {
        seen[relative] = `directory ${mode}`;
        look(relative);
      } else seen[relative] = `${mode} ${readFileSync(path, "latin1").slice(0, 40)} (${stats.size})`;
    }
  };
  look("");
  return seen;
}

function plant(root: string): void {
  mkdirSync(join(root, "src", "deep"), { recursive: true });
  mkdirSync(join(root, "empty"));
  mkdirSync(join(root, "node_modules", "x"), { recursive: true });
  writeFileSync(join(root, ".hidden"), "hidden\n");
  writeFileSync(join(root, "-rf *"), "an odd name\n");
  writeFileSync(join(root, "ünï 漢.txt"), "unicode\n");
  writeFileSync(join(root, "zero"), "");
  writeFileSync(join(root, "src", "run.sh"), "#!/bin/sh\necho ran\n");
  chmodSync(join(root, "src", "run.sh"), 0o755);
  writeFileSync(join(root, "src", "big"), Buffer.alloc(3_000_001, "b"));
  writeFileSync(join(root, "src", "deep", `${"long".repeat(50)}.txt`), "long name\n");
  writeFileSync(join(root, "src", "debug.log"), "log\n");
  writeFileSync(join(root, "node_modules", "x", "index.js"), "x\n");
  symlinkSync("src/run.sh", join(root, "link"));
  symlinkSync("nowhere", join(root, "dangling"));
}

for (const { kind, available } of machineKinds)
  describe.runIf(available)(`transfer with a machine of kind ${kind}`, () => {
    let stand: Stand;
    let machine: Machine;
    let local: string;
    let remote: string;
    let round = 0;
    beforeAll(async () => {
      stand = await standUp({ kind });
      machine = await stand.connect();
    });
    afterAll(() => stand.end());
    beforeEach(() => {
      round += 1;
      local = join(stand.directory, `local ${round}`);
      remote = join(stand.machine.home, `r${round}`);
      mkdirSync(local);
    });

    it("sends and fetches a directory whole", async () => {
      plant(local);
      const there = { ...picture(local) };
      expect(await machine.upload({ from: local, to: `r${round}` }, [], never)).toEqual({ files: 9, bytes: 3_000_063 });
      expect(picture(remote)).toEqual(there);
      expect((await machine.exec(`r${round}/src/run.sh`)).stdout).toBe("ran\n");

      const back = join(stand.directory, `back ${round}`);
      await machine.download({ from: `~/r${round}`, to: back }, never);
      expect(picture(back)).toEqual(there);
      // A second time over what is there.
      writeFileSync(join(back, "zero"), "not empty any more");
      await machine.download({ from: `r${round}/`, to: back }, never);
      expect(picture(back)).toEqual(there);
    });

    it("leaves behind what the patterns name, as git does", async () => {
      plant(local);
      await machine.upload({ from: local, to: remote }, ["node_modules/", "*.log", "/zero", "src/b*", "!src/big"], never);
      const sent = Object.keys(picture(remote));
      expect(sent).toContain("src/big");
      expect(sent).toContain(".hidden");
      expect(sent.filter((name) => /node_modules|\.log$|^zero$/.test(name))).toEqual([]);
    });

    it("sends a file under the name that it gets, or into a directory", async () => {
      const from = join(local, "a file");
      writeFileSync(from, "content");
      const cases = [
        [`r${round}/new/name.txt`, "new/name.txt"],
        [`~/r${round}/into/`, "into/a file"],
        [`${remote}/into`, "into/a file"],
        [`r${round}/-o 'x' $y`, "-o 'x' $y"],
      ] as const;
      for (const [to, name] of cases) {
        await machine.upload({ from, to }, [], never);
        expect(readFileSync(join(remote, name), "utf8")).toBe("content");
      }
      await machine.upload({ from, to: "-x" }, [], never);
      expect(readFileSync(join(stand.machine.home, "-x"), "utf8")).toBe("content");
      await machine.upload({ from, to: "~" }, [], never);
      expect(readFileSync(join(stand.machine.home, "a file"), "utf8")).toBe("content");
    });

    it("fetches a file under the name that it gets, or into a directory", async () => {
      mkdirSync(remote);
      writeFileSync(join(remote, "-result 'x'"), "42");
      symlinkSync("-result 'x'", join(remote, "latest"));
      await machine.download({ from: `r${round}/-result 'x'`, to: join(local, "new", "answer") }, never);
      await machine.download({ from: join(remote, "latest"), to: local }, never);
      await machine.download({ from: `~/r${round}/latest`, to: `${join(local, "into")}/` }, never);
      for (const name of ["new/answer", "latest", "into/latest"]) {
        expect(readFileSync(join(local, name), "utf8")).toBe("42");
        expect(lstatSync(join(local, name)).isFile()).toBe(true);
      }
    });

    it("says what is wrong with a path", async () => {
      writeFileSync(join(local, "file"), "x");
      writeFileSync(remote, "a file is here");
      const up = (from: string, to: string) => machine.upload({ from, to }, [], never);
      await expect(up(join(local, "missing"), "x")).rejects.toThrow(/missing' cannot be uploaded \(ENOENT/);
      await expect(up(local, remote)).rejects.toThrow(/cannot be made on the machine: mkdir: .*File exists/);
      await expect(up(join(local, "file"), `${remote}/below`)).rejects.toThrow(TransferFailure);
      const down = (from: string, to: string) => machine.download({ from, to }, never);
      await expect(down("no/such", local)).rejects.toThrow("There is no file or directory 'no/such' on the machine");
      await expect(down("~", join(local, "file"))).rejects.toThrow(TransferFailure);
      await expect(down(remote, join(local, "file", "below"))).rejects.toThrow(TransferFailure);
    });

    it("refuses a file that shrinks while it is read", async () => {
      const from = join(local, "shrinking");
      writeFileSync(from, Buffer.alloc(200_000_000));
      const sending = machine.upload({ from, to: `r${round}` }, [], never);
      sending.catch(() => undefined);
      while (!existsSync(remote)) await systemClock.sleep(1);
      truncateSync(from, 1_000);
      await expect(sending).rejects.toThrow(/shrinking' became shorter while it was being uploaded/);
      expect((await machine.exec("echo still here")).stdout).toBe("still here\n");
    });

    it("fails with the machine's words when its disk takes no more", async () => {
      writeFileSync(join(local, "file"), Buffer.alloc(5_000_000));
      mkdirSync(remote);
      // A directory in the way is what root, too, cannot write over.
      mkdirSync(join(remote, "file", "full"), { recursive: true });
      await expect(machine.upload({ from: local, to: remote }, [], never)).rejects.toThrow(
        /could not unpack the upload .*tar ended with 2.*tar: /,
      );
    });

    it("ends with its signal's reason, on both ways", async () => {
      writeFileSync(join(local, "big"), Buffer.alloc(50_000_000));
      const reason = new Error("cancelled");
      const stop = new AbortController();
      const sending = machine.upload({ from: local, to: remote }, [], stop.signal);
      sending.catch(() => undefined);
      while (!existsSync(remote)) await systemClock.sleep(1);
      stop.abort(reason);
      await expect(sending).rejects.toBe(reason);
      await expect(machine.download({ from: "~", to: local }, AbortSignal.abort(reason))).rejects.toBe(reason);
    });

    it("takes thousands of files in a stream", async () => {
      for (let index = 0; index < 3_000; index += 1) {
        if (index % 500 === 0) mkdirSync(join(local, `d${index / 500}`));
        writeFileSync(join(local, `d${Math.floor(index / 500)}`, `f${index}`), `content ${index}`);
      }
      expect((await machine.upload({ from: local, to: remote }, [], never)).files).toBe(3_000);
      expect((await machine.download({ from: remote, to: join(local, "back") }, never)).files).toBe(3_000);
      expect(readFileSync(join(local, "back", "d5", "f2999"), "utf8")).toBe("content 2999");
    }, 60_000);

    it("says that the connection was lost, not that the file is bad", async () => {
      writeFileSync(join(local, "big"), Buffer.alloc(100_000_000));
      const other = await stand.connect();
      const sending = other.upload({ from: local, to: remote }, [], never);
      sending.catch(() => undefined);
      while (!existsSync(remote)) await systemClock.sleep(1);
      stand.machine.drop();
      await expect(sending).rejects.toThrow(SshFailure);
      machine = await stand.connect();
    });
  });

describe("a machine without tar", () => {
  it("is told from one that fails", async () => {
    const stand = await standUp({ kind: "embedded", faults: { noTar: true } });
    try {
      const machine = await stand.connect();
      await expect(machine.upload({ from: stand.directory, to: "x" }, [], never)).rejects.toThrow(
        "There is no 'tar' on the machine",
      );
      await expect(machine.download({ from: "~", to: stand.directory }, never)).rejects.toThrow(
        "There is no 'tar' on the machine",
      );
    } finally {
      await stand.end();
    }
  });
});

describe("followTransfer", () => {
  it("tells every five seconds how far it is, and nothing about what is short", () => {
    let ticks = 0;
    const log = keepLog();
    const world = { clock: { ...systemClock, ticks: () => ticks }, log };
    followTransfer("Upload of 'a'", world).finish();
    const progress = followTransfer("Upload of 'b'", world);
    for (let second = 0; second < 11; second += 1) {
      ticks += 1_000;
      progress.bytes(10_000_000);
      progress.file();
    }
    expect(progress.finish()).toEqual({ files: 11, bytes: 110_000_000 });
    expect(log.sentences).toEqual([
      "Upload of 'b' goes on: 5 files, 60.0 MB, 10.0 MB/s.",
      "Upload of 'b' is done: 11 files, 110.0 MB, 10.0 MB/s.",
    ]);
  });
});

describe("unpack", () => {
  let root: string;
  let target: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "unpack-"));
    target = join(root, "target");
    mkdirSync(target);
    mkdirSync(join(root, "outside"));
    writeFileSync(join(root, "outside", "precious"), "precious");
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  type Planted = Partial<Header> & Pick<Header, "name"> & { readonly content?: string };
  const extract = (entries: readonly Planted[], kind: "directory" | "file" = "directory", path = target) => {
    const pack = makePack();
    for (const { content, ...header } of entries) {
      if (content === undefined) pack.entry(header);
      else pack.entry(header, content);
    }
    pack.finalize();
    return unpack(pack, { kind, path }, followTransfer("Download", { clock: systemClock, log: silentLog }));
  };
  const outside = () => picture(join(root, "outside"));
  const untouched = { precious: "644 precious (8)" };

  it.each<[string, readonly Planted[]]>([
    ["an absolute path", [{ name: "/tmp/evil", content: "x" }]],
    ["a path that climbs", [{ name: "a/../../outside/evil", content: "x" }]],
    ["a directory that climbs", [{ name: "../outside/evil/", type: "directory" }]],
    ["an absolute symlink", [{ name: "a", type: "symlink", linkname: "/etc" }]],
    ["a symlink that climbs", [{ name: "a", type: "symlink", linkname: "../outside" }]],
    ["a symlink that climbs from below", [{ name: "d/a", type: "symlink", linkname: "../../outside" }]],
    [
      "a symlink that climbs over another",
      [
        { name: "deep/up", type: "symlink", linkname: ".." },
        { name: "a", type: "symlink", linkname: "deep/up/../outside" },
      ],
    ],
    [
      "a file through a symlink",
      [
        { name: "d/", type: "directory" },
        { name: "a", type: "symlink", linkname: "d" },
        { name: "a/evil", content: "x" },
      ],
    ],
    ["a hard link to the outside", [{ name: "a", type: "link", linkname: "../outside/precious" }]],
    ["a hard link to an absolute path", [{ name: "a", type: "link", linkname: "/etc/passwd" }]],
    [
      "a hard link to a symlink",
      [
        { name: "s", type: "symlink", linkname: "x" },
        { name: "a", type: "link", linkname: "s" },
      ],
    ],
    ["a character device", [{ name: "a", type: "character-device", devmajor: 1, devminor: 3 }]],
    ["a block device", [{ name: "a", type: "block-device", devmajor: 8, devminor: 0 }]],
    ["a pipe", [{ name: "a", type: "fifo" }]],
    ["a file in place of the target", [{ name: "./", type: "file", content: "x" }]],
  ])("refuses %s", async (_what, entries) => {
    const last = entries.at(-1)?.name ?? "";
    await expect(extract([{ name: "good", content: "good" }, ...entries])).rejects.toThrow(TransferFailure);
    expect(outside()).toEqual(untouched);
    expect(readFileSync(join(target, "good"), "utf8")).toBe("good");
    if (!last.includes("..") && last !== "./") expect(lstatSync(join(target, last), { throwIfNoEntry: false })).toBeUndefined();
    expect(existsSync("/tmp/evil")).toBe(false);
  });

  it("does not write through symlinks that lie there already", async () => {
    symlinkSync("../outside", join(target, "dir"));
    symlinkSync("../outside/precious", join(target, "file"));
    await expect(extract([{ name: "dir/precious", content: "evil" }])).rejects.toThrow(
      "leads through 'dir', which is no directory",
    );
    await extract([{ name: "file", content: "fresh" }]);
    expect(outside()).toEqual(untouched);
    expect(lstatSync(join(target, "file")).isFile()).toBe(true);
  });

  it("does not write into a file that has a second name elsewhere", async () => {
    linkSync(join(root, "outside", "precious"), join(target, "a"));
    await extract([{ name: "a", content: "fresh" }]);
    expect(outside()).toEqual(untouched);
  });

  it("keeps links within the download", async () => {
    await extract([
      { name: "./", type: "directory" },
      { name: "./d/x", content: "x", mode: 0o755 },
      { name: "./d/up", type: "symlink", linkname: "../d/./x" },
      { name: "./hard", type: "link", linkname: "d/x" },
      { name: "./readonly/", type: "directory", mode: 0o555 },
      { name: "./readonly/suid", content: "y", mode: 0o4555 },
    ]);
    expect(readFileSync(join(target, "d", "up"), "utf8")).toBe("x");
    expect(statSync(join(target, "hard")).ino).toBe(statSync(join(target, "d", "x")).ino);
    expect(statSync(join(target, "readonly", "suid")).mode & 0o7000).toBe(0);
  });

  it("takes one file and nothing else when one was asked for", async () => {
    const path = join(target, "result");
    await extract([{ name: "/any/name", content: "42" }], "file", path);
    expect(readFileSync(path, "utf8")).toBe("42");
    const two = [
      { name: "a", content: "1" },
      { name: "b", content: "2" },
    ];
    await expect(extract(two, "file", path)).rejects.toThrow(TransferFailure);
    await expect(extract([{ name: "a", type: "symlink", linkname: "/etc/passwd" }], "file", path)).rejects.toThrow(
      TransferFailure,
    );
    await expect(extract([], "file", path)).rejects.toThrow("without the file");
  });

  it("fails when the stream breaks off in the middle, or is no archive", async () => {
    const whole = spawnSync("tar", ["-c", "-C", root, "outside"]).stdout;
    const progress = followTransfer("Download", { clock: systemClock, log: silentLog });
    const cut = async function* () {
      yield whole.subarray(0, 1_100);
    };
    const nonsense = async function* () {
      yield Buffer.alloc(2_048, "nonsense ");
    };
    await expect(unpack(cut(), { kind: "directory", path: target }, progress)).rejects.toThrow();
    await expect(unpack(nonsense(), { kind: "directory", path: target }, progress)).rejects.toThrow();
  });
});
