import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { build, nativePart } from "./build.ts";

/**
 * Builds the bundles twice beside dist/, as on a machine with a compiler and as on one without, and fails, naming the files, when
 * either result is not dist/ byte for byte. Leaves dist/ as it is.
 */
const shipped = join(import.meta.dirname, "..", "dist");

function readTree(directory: string): Map<string, Buffer> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(directory, path), readFileSync(path)];
    }),
  );
}

/** One line for each file that is not the same in both. */
function compareTrees(expected: ReadonlyMap<string, Buffer>, found: ReadonlyMap<string, Buffer>): string[] {
  const names = [...new Set([...expected.keys(), ...found.keys()])].sort();
  return names.flatMap((name) => {
    const [one, other] = [expected.get(name), found.get(name)];
    if (one === undefined) return [`${name}: is built, but not in dist`];
    if (other === undefined) return [`${name}: is in dist, but not built`];
    return one.equals(other) ? [] : [`${name}: differs (${one.length} bytes in dist, ${other.length} built)`];
  });
}

/** What ssh2's install leaves where it finds a compiler. To the bundler one `.node` file is as good as another. */
function pretendCompiler(): void {
  mkdirSync(join(nativePart, "Release"), { recursive: true });
  writeFileSync(join(nativePart, "Release", "sshcrypto.node"), "\x7fELF");
}

const directory = mkdtempSync(join(tmpdir(), "gpu-provision-dist-"));
try {
  const expected = readTree(shipped);
  for (const machine of ["without a compiler", "with a compiler"] as const) {
    if (machine === "with a compiler") pretendCompiler();
    const built = join(directory, "dist");
    build(built);
    const differences = compareTrees(expected, readTree(built));
    if (differences.length > 0) {
      console.error(`dist/ is not what the source builds ${machine}:\n${differences.map((one) => `  ${one}`).join("\n")}`);
      console.error("Run `npm run build` and commit dist/ together with the source.");
      process.exitCode = 1;
    } else {
      console.log(`dist/ is what the source builds ${machine}: ${expected.size} files, byte for byte.`);
    }
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
