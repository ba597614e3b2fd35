import { parseArgs } from "node:util";
import { type Case, casesOf, disturbances, readCase, spread, writeCase } from "./cases.ts";
import { lives } from "./lives.ts";
import { type Outcome, perform, record } from "./perform.ts";

/**
 * `npm run test:faults`: disturbs the life of a lease at each of its boundaries, in every way, and judges by the marketplace's books
 * alone. `-- --most 200` takes so many, spread over all; `-- --only '<case>'` replays one; `-- --life clore` takes some lives.
 */
const { values } = parseArgs({
  options: { most: { type: "string" }, only: { type: "string" }, life: { type: "string" }, at: { type: "string", default: "4" } },
});

const cases = values.only === undefined ? await choose(Number(values.most ?? Number.POSITIVE_INFINITY)) : [readCase(values.only)];
console.log(`${cases.length} cases, ${values.at} at a time.`);
const outcomes = await performAll(cases, Number(values.at));
show(outcomes);

async function choose(most: number): Promise<readonly Case[]> {
  const wanted = lives.filter((life) => life.includes(values.life ?? ""));
  const all: Case[] = [];
  for (const life of wanted) {
    const boundaries = await record(life);
    console.log(`${life}: ${boundaries.length} boundaries, ${Object.keys(disturbances).length} disturbances.`);
    all.push(...casesOf(life, boundaries));
  }
  return spread(all, most);
}

async function performAll(all: readonly Case[], atATime: number): Promise<ReadonlyMap<Case, Outcome>> {
  const outcomes = new Map<Case, Outcome>();
  const queue = [...all];
  const work = async () => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
      const outcome = await perform(one);
      outcomes.set(one, outcome);
      if (outcome.loss !== undefined) console.log(`LOST ${writeCase(one)}: ${outcome.loss}`);
      if (outcomes.size % 50 === 0) console.log(`${outcomes.size} of ${all.length} done.`);
    }
  };
  await Promise.all(Array.from({ length: atATime }, work));
  return outcomes;
}

function show(outcomes: ReadonlyMap<Case, Outcome>): void {
  const rows = new Map<string, { survived: number; lost: number; missed: number }>();
  for (const [{ disturbance, life }, { loss, struck }] of outcomes) {
    for (const key of [life, disturbance]) {
      const row = rows.get(key) ?? { survived: 0, lost: 0, missed: 0 };
      if (loss !== undefined) row.lost += 1;
      else if (struck) row.survived += 1;
      else row.missed += 1;
      rows.set(key, row);
    }
  }
  console.log(`\n${"".padEnd(28)} survived  lost  did not come about`);
  for (const [name, { lost, missed, survived }] of rows) {
    console.log(`${name.padEnd(28)} ${String(survived).padStart(8)} ${String(lost).padStart(5)} ${String(missed).padStart(8)}`);
  }
  const all = [...outcomes.entries()];
  const lost = all.filter(([, { loss }]) => loss !== undefined);
  const struck = all.filter(([, outcome]) => outcome.struck || outcome.loss !== undefined);
  for (const [one] of lost) console.log(`Replay: npm run test:faults -- --only '${writeCase(one)}'`);
  console.log(`\nsurvived ${struck.length - lost.length} of ${struck.length}`);
  if (lost.length > 0 || struck.length === 0) process.exitCode = 1;
}
