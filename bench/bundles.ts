import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Bundle {
  readonly bytes: number;
  /** Of index.js alone; the rest is loaded when it is needed. */
  readonly firstBytes: number;
  readonly holdsSsh: boolean;
}

/** Reads what is shipped in dist/main or dist/post. */
export function measureBundle(entry: "main" | "post"): Bundle {
  const folder = join(import.meta.dirname, "..", "dist", entry);
  const files = readdirSync(folder).map((name) => ({ name, content: readFileSync(join(folder, name)) }));
  return {
    bytes: files.reduce((sum, file) => sum + file.content.length, 0),
    firstBytes: files.find((file) => file.name === "index.js")?.content.length ?? 0,
    holdsSsh: files.some((file) => file.content.includes("SSH-2.0-")),
  };
}
