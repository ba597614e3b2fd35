import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Builds the shipped bundles: TypeScript to ES modules in build/, then each entry to one CommonJS folder in dist/. The result is
 * the same, byte for byte, whether or not the machine has a compiler.
 */
const root = join(import.meta.dirname, "..");
const bin = (name: string) => join(root, "node_modules", ".bin", name);
const run = (file: string, ...args: string[]) => execFileSync(file, args, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });

// ssh2 compiles optional native parts where it finds a compiler, and the bundler would ship them.
rmSync(join(root, "node_modules/ssh2/lib/protocol/crypto/build"), { recursive: true, force: true });
for (const folder of ["build", "dist"]) rmSync(join(root, folder), { recursive: true, force: true });

run(bin("tsc"), "-p", "tsconfig.build.json");
// Without "type" here the bundler takes the files as what they are and writes CommonJS, which ssh2's use of __dirname needs.
writeFileSync(join(root, "build/package.json"), "{}\n");
for (const entry of ["main", "post"]) {
  run(bin("ncc"), "build", `build/${entry}.js`, "--out", `dist/${entry}`, "--minify", "--no-cache", "--external", "cpu-features");
  // A helper of ssh2 for an agent on Windows, which nothing here uses.
  rmSync(join(root, "dist", entry, "pagent.exe"), { force: true });
}
writeFileSync(join(root, "dist/package.json"), '{ "type": "commonjs" }\n');
