import type { JournalRecord } from "../lease/journal.ts";

/** More bars make the picture too high to be read; the table has all jobs. */
const MOST_JOBS = 20;

/** Mermaid's gantt wants plain words in names and `YYYY-MM-DDTHH:mm:ss` in times; only our own words go in. */
export function drawTimeline({ attempts, guard }: JournalRecord, now: number): string {
  const sections = attempts.flatMap((attempt) => {
    const end = attempt.gone ?? now;
    const bars = [
      bar("purchase", attempt.sent, attempt.answered ?? attempt.ready ?? attempt.deleteAccepted ?? end),
      bar("boot", attempt.answered, attempt.usable ?? attempt.deleteAccepted ?? end),
      bar("work", attempt.workStarted, attempt.workEnded ?? attempt.deleteAccepted ?? end),
      bar("later steps", attempt.workEnded ?? attempt.usable, attempt.deleteAccepted ?? end),
      bar("deletion", attempt.deleteAccepted, end),
    ].filter((line) => line !== "");
    return attempt.stage === "nothing-bought" || bars.length === 0 ? [] : [`  section Machine ${attempt.number}`, ...bars];
  });
  const jobs = (guard?.jobs ?? [])
    .slice(0, MOST_JOBS)
    .map(({ started, completed }, index) => (completed === undefined ? "" : bar(`job ${index + 1}`, started, completed)))
    .filter((line) => line !== "");
  if (jobs.length > 0) sections.push("  section Jobs", ...jobs);
  if (sections.length === 0) return "";
  return ["```mermaid", "gantt", "  dateFormat YYYY-MM-DDTHH:mm:ss", "  axisFormat %H:%M:%S", ...sections, "```"].join("\n");
}

function bar(name: string, from: number | undefined, to: number): string {
  if (from === undefined || to - from < 1_000) return "";
  return `    ${name} :${stamp(from)}, ${stamp(to)}`;
}

function stamp(moment: number): string {
  return new Date(moment).toISOString().slice(0, 19);
}
