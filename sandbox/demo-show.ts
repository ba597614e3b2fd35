import type { Ledger } from "./ledger.ts";
import type { JobResult } from "./runner/run-job.ts";

export function showStory(title: string, lines: readonly string[]): void {
  console.log(`\n=== ${title} ===`);
  for (const line of lines) console.log(line);
}

/** Post, the summary and the marketplace's books; the exit code says whether all is as it should be. */
export function showEnd({ main, post }: JobResult, ledger: Ledger, asItShould: boolean): void {
  const alive = ledger.alive();
  showStory("Log of post", post.log);
  showStory("Job summary", [post.summary]);
  showStory("The marketplace's own ledger", [
    `rented: ${ledger.entries().length}`,
    `billed: ${ledger.billedSeconds().toFixed(1)} seconds, $${ledger.billedUsd().toFixed(6)}`,
    `deleted: ${ledger.entries().length - alive.length}`,
    `leaked: ${alive.length}`,
  ]);
  const green = main.exitCode === 0 && post.exitCode === 0 && alive.length === 0 && ledger.entries().length > 0;
  if (!green || !asItShould) process.exitCode = 1;
}
