export interface Row {
  readonly what: string;
  readonly value: string;
  readonly ratio?: string;
  readonly target?: string;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export const inMs = (ms: number) => `${ms.toFixed(0)} ms`;
export const inSeconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
export const inMegabytes = (bytes: number) => `${(bytes / 1e6).toFixed(2)} MB`;
export const times = (ratio: number) => `${ratio.toFixed(1)}x`;
/** A target with what became of it. */
export const judge = (target: string, reached: boolean) => `${target}: ${reached ? "reached" : "MISSED"}`;

/** A title and rows in columns. */
export function renderTable(title: string, rows: readonly Row[]): string {
  const cells = rows.map(({ what, value, ratio = "", target = "" }) => [what, value, ratio, target]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map((row) =>
    row
      .map((cell, column) =>
        column === 1 || column === 2 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
  return [title, ...lines.map((line) => `  ${line}`), ""].join("\n");
}
