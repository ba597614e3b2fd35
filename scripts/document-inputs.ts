/**
 * Writes the tables of inputs and outputs from action.yml into the documents named (README.md when none is), between
 * `<!-- inputs -->` and `<!-- /inputs -->`, and the same for outputs. With `--check` it writes nothing, and fails where a table
 * is not what action.yml says.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parse } from "yaml";
import * as z from "zod";

const manifestSchema = z.object({
  inputs: z.record(
    z.string(),
    z.object({ description: z.string(), default: z.string().optional(), required: z.boolean().default(false) }),
  ),
  outputs: z.record(z.string(), z.object({ description: z.string() })),
});

/** A text as one cell of a table. */
function cell(text: string): string {
  return text.replace(/\s+/g, " ").trim().replaceAll("|", "\\|");
}

/** The document with its tables as action.yml has them. Throws when it has no place for one, or an open one. */
export function documentAction(actionYml: string, document: string): string {
  const { inputs, outputs } = manifestSchema.parse(parse(actionYml));
  const inputRows = Object.entries(inputs)
    .filter(([, input]) => !input.description.startsWith("Internal"))
    .map(([name, input]) => {
      const standard = input.required ? "**required**" : input.default === undefined ? "" : `\`${cell(input.default)}\``;
      return `| \`${name}\` | ${standard} | ${cell(input.description)} |`;
    });
  const outputRows = Object.entries(outputs).map(([name, output]) => `| \`${name}\` | ${cell(output.description)} |`);
  const tables = {
    inputs: ["| input | default | meaning |", "|---|---|---|", ...inputRows],
    outputs: ["| output | meaning |", "|---|---|", ...outputRows],
  };
  let result = document;
  let places = 0;
  for (const [name, rows] of Object.entries(tables)) {
    const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
    const start = result.indexOf(open);
    const end = result.indexOf(close);
    if (start < 0 && end < 0) continue;
    if (start < 0 || end < start) throw new Error(`The document needs ${open} before ${close}.`);
    places += 1;
    result = `${result.slice(0, start)}${open}\n${rows.join("\n")}\n${result.slice(end)}`;
  }
  if (places === 0) throw new Error("The document has no place for a table: <!-- inputs --> … <!-- /inputs -->.");
  return result;
}

if (import.meta.main) {
  const [check, files] = [process.argv.includes("--check"), process.argv.slice(2).filter((one) => one !== "--check")];
  const actionYml = readFileSync(new URL("../action.yml", import.meta.url), "utf8");
  for (const file of files.length > 0 ? files : [new URL("../README.md", import.meta.url)]) {
    const before = readFileSync(file, "utf8");
    const after = documentAction(actionYml, before);
    if (after === before) continue;
    if (check) {
      console.error(`${file} does not say what action.yml says. Run: node scripts/document-inputs.ts`);
      process.exitCode = 1;
    } else {
      writeFileSync(file, after);
    }
  }
}
