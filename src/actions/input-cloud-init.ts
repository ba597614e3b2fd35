import { describe } from "../lease/failure.ts";
import { plain } from "../lease/plain.ts";
import { resolveLocal } from "./input-lines.ts";
import type { MachineSurroundings, ReportProblem, SoundValues } from "./input-schema.ts";
import type { Secrets } from "./input-secrets.ts";
import { whyNoText } from "./input-texts.ts";
import { quote } from "./input-values.ts";

const LARGEST = 64_000;

/** Says what is wrong with a user's cloud-init script, a sentence for each problem. */
export type CheckUserScript = (text: string) => readonly string[];

/** A container has no cloud-init: what it can run is a script, over SSH. */
export const checkContainerScript: CheckUserScript = (text) => {
  if (/^#![ \t]*\/\S/.test(text))
    return text.split("\n", 1)[0]?.endsWith("\r") ? ["its '#!' line ends with CR LF; save it with LF line ends."] : [];
  return [
    "this provider rents containers, in which no cloud-init runs; write the commands as a script that begins with '#!/bin/bash', which is run over SSH before the work.",
  ];
};

/** The user's script from either input, checked; undefined when there is none or it was refused. */
export function readCloudInit(
  values: SoundValues,
  { fileSystem, ...roots }: MachineSurroundings,
  secrets: Secrets,
  checkUserScript: CheckUserScript,
  problem: ReportProblem,
): string | undefined {
  const inline = values["cloud-init"];
  const file = values["cloud-init-file"];
  if (inline !== undefined && file !== undefined) {
    problem("cloud-init-file", "is set together with 'cloud-init'; use one of the two.");
    return undefined;
  }
  const name = file === undefined ? "cloud-init" : "cloud-init-file";
  const tooLarge = (bytes: number) =>
    problem(name, `has ${bytes} bytes; it takes at most ${LARGEST}, for the marketplace takes no more.`);
  let script = inline;
  if (file !== undefined) {
    const path = resolveLocal(file, roots);
    const found = fileSystem.inspect(path);
    if (!found?.isFile) {
      problem(
        name,
        `is ${quote(file)}, ${found ? "which is not a file" : "which does not exist"}; it takes the path of a file, and looked at ${quote(path)}.`,
      );
      return undefined;
    }
    if (found.bytes > LARGEST) {
      tooLarge(found.bytes);
      return undefined;
    }
    try {
      script = fileSystem.readText(path);
    } catch (error) {
      // The reason is the user's to see, with all the other problems.
      problem(
        name,
        `is ${quote(file)}, which cannot be read (${plain(describe(error))}); it takes the path of a UTF-8 text file.`,
      );
      return undefined;
    }
    const why = whyNoText(name, script, secrets);
    if (why !== undefined) {
      problem(name, why);
      return undefined;
    }
  }
  if (script === undefined) return undefined;
  const bytes = Buffer.byteLength(script);
  if (bytes > LARGEST) tooLarge(bytes);
  else for (const flaw of checkUserScript(script)) problem(name, `cannot be used: ${plain(flaw)}`);
  return script;
}
