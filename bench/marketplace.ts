import { fork } from "node:child_process";
import { join } from "node:path";
import * as z from "zod";
import { inMegabytes, inMs, judge, median, type Row } from "./table.ts";

const ranked = z.object({
  servers: z.int().min(2_200),
  fitting: z.int().min(1),
  replyBytes: z.int(),
  ms: z.number(),
  bytes: z.number(),
});
export type Ranked = z.output<typeof ranked>;

const LONGEST = 30_000;
const MOST_MS = 50;
const MOST_BYTES = 60_000_000;

/** Reads and ranks a marketplace's reply of 2,201 servers, each time in a fresh process. */
export async function measureRanking(runs: number): Promise<readonly Ranked[]> {
  const results: Ranked[] = [];
  for (let run = 0; run < runs; run += 1) results.push(await rankOnce());
  return results;
}

function rankOnce(): Promise<Ranked> {
  return new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, "ranker.ts"), {
      execArgv: ["--expose-gc"],
      timeout: LONGEST,
      killSignal: "SIGKILL",
    });
    child.once("message", (message) => resolve(ranked.parse(message)));
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`The ranker ended with ${code} before it told what it measured.`)));
  });
}

export function showRanking(results: readonly Ranked[]): Row[] {
  const [first] = results;
  if (first === undefined) throw new Error("Nothing was ranked.");
  const [ms, bytes] = [median(results.map((one) => one.ms)), median(results.map((one) => one.bytes))];
  return [
    {
      what: `${first.servers} servers read, filtered, ranked`,
      value: inMs(ms),
      target: judge(`under ${MOST_MS} ms`, ms < MOST_MS),
    },
    { what: "heap on top of the parsed JSON", value: inMegabytes(bytes), target: judge("under 60 MB", bytes < MOST_BYTES) },
    { what: "the reply itself", value: inMegabytes(first.replyBytes) },
  ];
}
