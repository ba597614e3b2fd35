import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { describe, expect, test } from "vitest";

/**
 * Who may import whom. Paths are relative to the repository's root; `x/` stands for all below x, `x/*` for what lies in it.
 * `values` are loaded with the file, `late` by `import()` on first use, `types` never. Files of one place may import one another
 * as long as nothing loads itself. Node's own modules are free everywhere.
 */
interface Place {
  /** A file belongs to the first place that names it. */
  readonly files: readonly string[];
  readonly values: readonly string[];
  readonly types?: readonly string[];
  readonly late?: readonly string[];
  readonly packages: readonly string[];
}

const places = {
  lease: { files: ["src/lease/"], values: [], packages: ["zod", "ms"] },
  actions: { files: ["src/actions/"], values: ["src/lease/"], packages: ["@actions/core", "zod"] },
  market: { files: ["src/market/"], values: ["src/lease/"], packages: ["fastest-levenshtein", "p-queue", "undici", "zod"] },
  machine: {
    files: ["src/machine/"],
    values: ["src/lease/"],
    packages: ["ignore", "ssh2", "tar-stream", "yaml", "zod"],
  },
  runner: {
    files: ["src/runner/"],
    values: ["src/lease/"],
    types: ["src/machine/"],
    packages: ["@actions/github", "@octokit/auth-app", "zod"],
  },
  "main's wiring": {
    files: ["src/wiring.ts"],
    values: ["src/lease/", "src/actions/", "src/market/registry.ts", "src/expiry-watch.ts"],
    types: ["src/story.ts"],
    late: ["src/machine/cloud-init.ts", "src/machine/kit.ts", "src/runner/kit.ts"],
    packages: [],
  },
  "the guard's wiring": {
    files: ["src/wiring-guard.ts"],
    values: ["src/lease/", "src/actions/", "src/guard.ts", "src/runner/kit.ts"],
    types: ["src/story.ts"],
    packages: [],
  },
  "post's wiring": {
    files: ["src/wiring-post.ts"],
    values: ["src/lease/", "src/actions/", "src/market/registry.ts", "src/machine/ssh-files.ts"],
    types: ["src/finish.ts", "src/guard-cleanup.ts"],
    late: ["src/guard-cleanup.ts", "src/runner/github-kit.ts"],
    packages: ["zod"],
  },
  "the sweep's wiring": {
    files: ["src/wiring-sweep.ts"],
    values: ["src/lease/", "src/actions/", "src/market/registry.ts"],
    types: ["src/reap.ts"],
    late: ["src/runner/github-kit.ts"],
    packages: [],
  },
  sweep: {
    files: ["src/sweep.ts"],
    values: ["src/actions/", "src/reap.ts", "src/wiring-sweep.ts"],
    packages: [],
  },
  main: {
    files: ["src/main.ts"],
    values: ["src/lease/", "src/actions/", "src/provision.ts", "src/wiring.ts", "src/work.ts"],
    late: ["src/wiring-guard.ts"],
    packages: [],
  },
  post: {
    files: ["src/post.ts"],
    values: ["src/lease/", "src/actions/", "src/expiry-watch.ts", "src/finish.ts", "src/wiring-post.ts"],
    packages: [],
  },
  // What else lies in src/ itself. Market and machine come in as collaborators; what is named here of them is pure.
  stories: {
    files: ["src/*"],
    values: ["src/lease/", "src/market/rank.ts", "src/machine/address.ts"],
    types: ["src/market/provider.ts", "src/machine/", "src/runner/contract.ts"],
    packages: [],
  },
} as const satisfies Record<string, Place>;

/** The only importers of what is slow to load or touches the world. */
const owners: Record<string, string> = {
  "@actions/core": "src/actions/",
  "@actions/github": "src/runner/",
  "@octokit/auth-app": "src/runner/",
  undici: "src/market/http.ts",
  ssh2: "src/machine/",
};

type Kind = "values" | "types" | "late";

interface Edge {
  readonly from: string;
  /** A path from the root, or the name of a package. */
  readonly to: string;
  readonly kind: Kind;
  readonly isPackage: boolean;
}

/** The imports in a source text, in their order. */
function readImports(from: string, text: string): Edge[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const statements = [...code.matchAll(/^(?:import|export)\s+(type\s)?(?:[\w$*{}\s,]+?\sfrom\s+)?"([^"]+)"/gm)].map(
    ([, type, target = ""]) => ({ target, kind: type === undefined ? ("values" as const) : ("types" as const) }),
  );
  const calls = [...code.matchAll(/(typeof\s+)?\bimport\(\s*"([^"]+)"\s*\)/g)].map(([, type, target = ""]) => ({
    target,
    kind: type === undefined ? ("late" as const) : ("types" as const),
  }));
  return [...statements, ...calls].map(({ target, kind }) => {
    const isPackage = !target.startsWith(".");
    return { from, to: isPackage ? packageOf(target) : posix.join(posix.dirname(from), target), kind, isPackage };
  });
}

function packageOf(target: string): string {
  return target.startsWith("node:") ? target : target.split("/", target.startsWith("@") ? 2 : 1).join("/");
}

const root = join(import.meta.dirname, "../..");

function sourcesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => posix.join(folder, name.replaceAll("\\", "/")))
    .sort();
}

function edgesIn(folder: string): Edge[] {
  return sourcesIn(folder).flatMap((file) => readImports(file, readFileSync(join(root, file), "utf8")));
}

function isIn(file: string, areas: readonly string[]): boolean {
  return areas.some((area) => {
    if (area.endsWith("/*")) return posix.dirname(file) === area.slice(0, -2);
    return area.endsWith("/") ? file.startsWith(area) : file === area;
  });
}

const placeOf = (file: string): Place | undefined => Object.values(places).find((place) => isIn(file, place.files));
const show = ({ from, to, kind }: Edge) => `${from} imports ${to} (${kind})`;

function isAllowed({ from, to, kind, isPackage }: Edge): boolean {
  const place = placeOf(from);
  if (place === undefined) return false;
  if (isPackage) return to.startsWith("node:") || place.packages.includes(to);
  if (placeOf(to) === place || isIn(to, place.values)) return true;
  if (kind === "types") return isIn(to, place.types ?? []);
  return kind === "late" && isIn(to, place.late ?? []);
}

/** Every file and package that is loaded when `start` is, by edges of these kinds. */
function reach(start: string, edges: readonly Edge[], kinds: readonly Kind[]): Set<string> {
  const reached = new Set([start]);
  for (const file of reached) {
    for (const edge of edges) if (edge.from === file && kinds.includes(edge.kind)) reached.add(edge.to);
  }
  return reached;
}

const edges = edgesIn("src");

describe("the imports of src", () => {
  test("are read from every form of statement", () => {
    const text = [
      'import "./a.ts";',
      'import type * as z from "zod";',
      'import core, { type Log } from "@actions/core/lib/core.js";',
      'import {\n  one,\n  two,\n} from "../lease/b.ts";',
      'export { c } from "./c.ts";',
      'export * from "./d.ts";',
      'export type Kit = typeof import("./kit.ts");',
      'const late = () => import("./late.ts");',
      '// import "./commented.ts";',
    ].join("\n");
    expect(readImports("src/x/y.ts", text).map(({ to, kind }) => `${kind} ${to}`)).toEqual([
      "values src/x/a.ts",
      "types zod",
      "values @actions/core",
      "values src/lease/b.ts",
      "values src/x/c.ts",
      "values src/x/d.ts",
      "types src/x/kit.ts",
      "late src/x/late.ts",
    ]);
  });

  test("stay within the rule", () => {
    expect(sourcesIn("src").filter((file) => placeOf(file) === undefined)).toEqual([]);
    expect(edges.length).toBeGreaterThan(100);
    expect(edges.filter((edge) => !isAllowed(edge)).map(show)).toEqual([]);
  });

  test("leave what is slow or touches the world to its one owner", () => {
    const strays = edges.filter(({ from, to }) => {
      const owner = owners[to];
      return owner !== undefined && !isIn(from, [owner]);
    });
    expect(strays.map(show)).toEqual([]);
  });

  test("load in no cycle", () => {
    const own = edges.filter((edge) => !edge.isPackage && edge.to !== edge.from);
    const inCycle = sourcesIn("src").filter((file) =>
      own.some((edge) => edge.from === file && edge.kind !== "types" && reach(edge.to, own, ["values", "late"]).has(file)),
    );
    expect(inCycle).toEqual([]);
  });

  test("keep the SSH stack out of post, and out of main until it is needed", () => {
    const [main, post] = [reach("src/main.ts", edges, ["values"]), reach("src/post.ts", edges, ["values", "late"])];
    expect([...post]).toContain("undici");
    for (const name of ["ssh2", "tar-stream"]) {
      expect([...post]).not.toContain(name);
      expect([...main]).not.toContain(name);
    }
    expect([...reach("src/main.ts", edges, ["values", "late"])]).toContain("ssh2");
  });

  test("keep the entries short", () => {
    for (const file of ["src/main.ts", "src/post.ts"]) {
      expect(readFileSync(join(root, file), "utf8").split("\n").length, file).toBeLessThanOrEqual(31);
    }
  });
});

describe("the sandbox", () => {
  test("knows nothing of src, nor src of it or of the tests", () => {
    const crossing = [
      ...edgesIn("sandbox").filter((edge) => !edge.isPackage && !edge.to.startsWith("sandbox/")),
      ...edges.filter((edge) => !edge.isPackage && !edge.to.startsWith("src/")),
    ];
    expect(crossing.map(show)).toEqual([]);
  });
});
