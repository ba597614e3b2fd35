import { plainMarkdown } from "../lease/plain.ts";

interface Row {
  readonly id: string;
  readonly name: string;
  readonly why: string;
  readonly proof?: string;
}

/** What a sweep has found and done. */
export interface SweepRecord {
  readonly found: number;
  readonly listed: number;
  readonly deleted: readonly Row[];
  readonly unproved: readonly Row[];
  readonly due: readonly Row[];
  readonly kept: number;
  readonly examples: readonly Row[];
}

const MOST_ROWS = 50;

/** The job summary of a sweep. */
export function renderSweep({ deleted, due, examples, found, kept, listed, unproved }: SweepRecord, dryRun: boolean): string {
  const rows = [
    ...unproved.map((row) => [row, "**MAY STILL BE BILLING**", row.why] as const),
    ...deleted.map((row) => [row, "deleted", `${row.why}; ${row.proof ?? ""}`] as const),
    ...due.map((row) => [row, dryRun ? "would be deleted" : "left for the next sweep", row.why] as const),
    ...examples.map((row) => [row, "kept", row.why] as const),
  ];
  const shown = rows
    .slice(0, MOST_ROWS)
    .map(([{ id, name }, what, why]) => `| ${plainMarkdown(name)} | ${plainMarkdown(id)} | ${what} | ${plainMarkdown(why)} |`);
  const more = found > shown.length ? `\n\nand ${found - shown.length} more.` : "";
  return [
    "## GPU sweep",
    `**${deleted.length} deleted, ${kept} kept, ${unproved.length} not proved** of ${found} with a name of this action, among ${listed} machines.${dryRun ? " Dry run: nothing was deleted." : ""}`,
    ...(shown.length === 0 ? [] : [["| Lease | Machine | What | Why |", "|---|---|---|---|", ...shown].join("\n") + more]),
    "",
  ].join("\n\n");
}
