import { execFileSync } from "node:child_process";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const bin = (name: string) => join(root, "node_modules", ".bin", name);
const run = (file: string, ...args: string[]) => execFileSync(file, args, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });

/** Where ssh2's optional native part lands on a machine with a compiler. */
export const nativePart = join(root, "node_modules/ssh2/lib/protocol/crypto/build");

/**
 * Builds the shipped bundles: TypeScript to ES modules in build/, then each entry to one CommonJS folder in `directory` (an
 * absolute path, replaced). The result is the same, byte for byte, whether or not the machine has a compiler.
 */
export function build(directory: string): void {
  // ssh2 compiles optional native parts where it finds a compiler, and the bundler would ship them.
  rmSync(nativePart, { recursive: true, force: true });
  const made = `${directory}.new`;
  for (const folder of [join(root, "build"), made]) rmSync(folder, { recursive: true, force: true });

  run(bin("tsc"), "-p", "tsconfig.build.json");
  // Without "type" here the bundler takes the files as what they are and writes CommonJS, which ssh2's use of __dirname needs.
  writeFileSync(join(root, "build/package.json"), "{}\n");
  for (const entry of ["main", "post", "sweep"]) {
    const target = join(made, entry);
    run(bin("ncc"), "build", `build/${entry}.js`, "--out", target, "--minify", "--no-cache", "--external", "cpu-features");
    // A program of ssh2 that reaches an agent on Windows, which nothing here uses.
    rmSync(join(target, "pagent.exe"), { force: true });
    // The bundler passes on what CommonJS cannot hold, such as import.meta, and only the runner would find out.
    run(process.execPath, "--check", join(target, "index.js"));
  }
  writeFileSync(join(made, "package.json"), '{ "type": "commonjs" }\n');
  rmSync(directory, { recursive: true, force: true });
  renameSync(made, directory);
}

if (import.meta.main) build(join(root, "dist"));
