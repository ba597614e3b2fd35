import type { Log } from "../src/lease/log.ts";

/** A log that keeps its sentences. */
export function keptLog(): Log & { readonly lines: string[]; text(): string } {
  const lines: string[] = [];
  const keep = (kind: string) => (sentence: string) => {
    lines.push(`${kind}: ${sentence}`);
  };
  return {
    lines,
    text: () => lines.join("\n"),
    info: keep("info"),
    debug: keep("debug"),
    notice: keep("notice"),
    warn: keep("warn"),
    error: keep("error"),
    group: (_title, work) => work(),
  };
}
