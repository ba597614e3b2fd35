import { lstatSync, type Stats } from "node:fs";
import { readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import type { Ignore } from "ignore";

/** Something below a local directory; `name` is relative to it, with forward slashes. */
export type TreeEntry =
  | { readonly kind: "directory"; readonly name: string; readonly stats: Stats }
  | { readonly kind: "file"; readonly name: string; readonly path: string; readonly stats: Stats }
  | { readonly kind: "symlink"; readonly name: string; readonly target: string; readonly stats: Stats }
  | { readonly kind: "other"; readonly name: string };

/**
 * Everything below `root`, hidden files too, parents before their children and in a steady order. What `ignored` matches stays
 * out, and as in git nothing below an ignored directory is looked at. Symlinks are not followed.
 */
export async function* walkTree(root: string, ignored: Ignore): AsyncGenerator<TreeEntry> {
  const waiting = [""];
  for (let below = waiting.pop(); below !== undefined; below = waiting.pop()) {
    const names = (await readdir(join(root, below))).sort();
    const directories: string[] = [];
    for (const own of names) {
      const name = below === "" ? own : `${below}/${own}`;
      const path = join(root, name);
      // Synchronous: of ten thousand small files, the hops to the thread pool would cost most of the time.
      const stats = lstatSync(path);
      if (ignored.ignores(stats.isDirectory() ? `${name}/` : name)) continue;
      if (stats.isDirectory()) {
        yield { kind: "directory", name, stats };
        directories.push(name);
      } else if (stats.isFile()) {
        yield { kind: "file", name, path, stats };
      } else if (stats.isSymbolicLink()) {
        yield { kind: "symlink", name, target: await readlink(path), stats };
      } else {
        yield { kind: "other", name };
      }
    }
    waiting.push(...directories.reverse());
  }
}
