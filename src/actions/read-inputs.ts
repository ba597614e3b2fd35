import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { getInput } from "@actions/core";
import * as z from "zod";
import { inputNames, type RawInputs } from "./input-names.ts";
import type { MachineSurroundings } from "./inputs.ts";

/** The inputs of this step, untouched: whitespace can mean something in a script. */
export function readRawInputs(): RawInputs {
  const read = inputNames.map((name) => [name, getInput(name, { trimWhitespace: false })]);
  return z.record(z.enum(inputNames), z.string()).parse(Object.fromEntries(read));
}

/** What the inputs are checked against on this machine. `workspace` is where relative local paths start. */
export function readSurroundings(workspace: string, env: NodeJS.ProcessEnv = process.env): MachineSurroundings {
  return {
    env,
    hosted: env["RUNNER_ENVIRONMENT"] === "github-hosted",
    fileSystem: {
      inspect(path) {
        try {
          const stat = statSync(path, { throwIfNoEntry: false });
          return stat && { isFile: stat.isFile(), bytes: stat.size };
        } catch {
          // A path that this step may not see, or that cannot be one, is as good as absent.
          return undefined;
        }
      },
      // Cloud-init takes nothing but UTF-8, so other text is refused here and not on a paid machine.
      readText: (path) => new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path)),
    },
    workspace,
    home: homedir(),
  };
}
