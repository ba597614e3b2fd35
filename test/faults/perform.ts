import type { Fault } from "../../sandbox/faults.ts";
import type { RecordedRequest } from "../../sandbox/requests.ts";
import { type RunningAction, runAction } from "../../sandbox/runner/run-action.ts";
import { runJob } from "../../sandbox/runner/run-job.ts";
import type { Moment } from "../../sandbox/serve.ts";
import { type Boundary, type Case, disturbances, routeOf } from "./cases.ts";
import { bundles, type Life, SCALE, type Stage, setStage } from "./lives.ts";

export interface Outcome {
  /** Undefined when nothing bills and nothing of others was touched, by the marketplace's own books. */
  readonly loss?: string;
  /** The disturbance came about. */
  readonly struck: boolean;
  /** Real milliseconds. */
  readonly ms: number;
}

/** No case takes so many real milliseconds; one that does hangs. */
const LONGEST = 150_000;

/** Lives a life undisturbed and notes its boundaries. */
export async function record(life: Life): Promise<readonly Boundary[]> {
  const stage = await setStage(life);
  try {
    const job = await live(stage, async () => undefined);
    if (job.main.conclusion !== "success" || job.post.conclusion !== "success") {
      throw new Error(`The undisturbed life '${life}' ended badly:\n${[...job.main.log, ...job.post.log].join("\n")}`);
    }
    return [
      ...count("market", stage.market.requests),
      ...count(
        "github",
        stage.github.requests.filter(({ path }) => !path.startsWith("/_")),
      ),
    ];
  } finally {
    await stage.world.close();
  }
}

function count(api: Boundary["api"], requests: readonly RecordedRequest[]): readonly Boundary[] {
  const seen = new Map<string, number>();
  return requests.map(({ method, path }) => {
    const route = routeOf(method, path);
    const nth = (seen.get(route) ?? 0) + 1;
    seen.set(route, nth);
    return { api, route, nth };
  });
}

async function live(stage: Stage, duringMain: (main: RunningAction) => Promise<void>) {
  return runJob({ ...bundles, ...(await jobOptions(stage)), duringMain });
}

async function jobOptions({ env, inputs, world }: Stage) {
  return { directory: await world.makeJobDirectory(), actionYml: bundles.actionYml, env, inputs, ...world.timing };
}

/** Lives a life with one disturbance, then looks into the marketplace's books. */
export async function perform(one: Case): Promise<Outcome> {
  const began = Date.now();
  const disturbance = disturbances[one.disturbance];
  if (disturbance === undefined) throw new Error(`There is no disturbance '${one.disturbance}'.`);
  const stage = await setStage(one.life);
  try {
    const struck = "fault" in disturbance ? await disturb(stage, one, disturbance.fault) : await strike(stage, one, disturbance);
    // What takes effect late is part of the story.
    await new Promise((resolve) => setTimeout(resolve, 300));
    return { ...audit(stage), struck, ms: Date.now() - began };
  } catch (error) {
    return { loss: `the case itself failed: ${String(error)}`, struck: false, ms: Date.now() - began };
  } finally {
    await stage.world.close();
  }
}

function audit({ market }: Stage): { readonly loss?: string } {
  const left = market.ledger.alive().filter(({ boughtBy }) => boughtBy !== "stranger");
  const wrong = market.ledger.deletedThatWereNotOurs();
  if (wrong.length > 0) return { loss: `${wrong.length} of somebody else's deleted` };
  return left.length === 0 ? {} : { loss: `${left.length} still billing: ${left.map(({ id }) => id).join(", ")}` };
}

function matches({ nth, route }: Boundary): (request: RecordedRequest) => boolean {
  let seen = 0;
  return ({ method, path }) => {
    if (routeOf(method, path) !== route) return false;
    seen += 1;
    return seen === nth;
  };
}

async function disturb(stage: Stage, { api, nth, route }: Case, fault: Fault): Promise<boolean> {
  const stand = api === "market" ? stage.market : stage.github;
  stand.faults.add({ on: route, nth, do: fault });
  const options = await jobOptions(stage);
  await within(runJob({ ...bundles, ...options }));
  return stand.faults.strikes().length > 0;
}

async function strike(
  stage: Stage,
  one: Case,
  { at, blow }: { readonly blow: "kill" | "cancel" | "shutdown"; readonly at: Moment },
): Promise<boolean> {
  const stand = one.api === "market" ? stage.market : stage.github;
  const isIt = matches(one);
  let target: number | undefined;
  const { promise: moment, resolve: hit } = Promise.withResolvers<"now">();
  stand.watch((request, when) => {
    if (when === "arrived" && isIt(request)) target = request.number;
    if (request.number === target && when === at) hit("now");
  });
  const hitIn = async (step: RunningAction) => (await Promise.race([moment, step.done])) === "now";
  let struckIn: "main" | "post" | undefined;
  const job = runJob({
    ...bundles,
    ...(await jobOptions(stage)),
    async duringMain(main) {
      if (!(await hitIn(main))) return;
      struckIn = "main";
      if (blow === "kill") await main.kill();
      else if (blow === "cancel") await main.cancel();
      else {
        await shutDown(main);
        throw new NoPost();
      }
    },
    async duringPost(post) {
      // A cancellation does not reach post; what ends it ends the runner with it.
      if (struckIn !== undefined || blow === "cancel" || !hasSweep(stage) || !(await hitIn(post))) return;
      struckIn = "post";
      if (blow === "kill") await post.kill();
      else await shutDown(post);
    },
  });
  await within(job).catch((error: unknown) => {
    if (!(error instanceof NoPost)) throw error;
  });
  if (struckIn === "post" || blow === "shutdown") await sweepAfter(stage);
  return struckIn !== undefined;
}

/** The runner is gone: no post step will ever run. */
class NoPost extends Error {}

function hasSweep({ inputs }: Stage): boolean {
  return inputs["provider"] !== "clore";
}

/** A runner that is told to stop: SIGTERM, some seconds, SIGKILL; and nobody runs post. */
async function shutDown(main: RunningAction): Promise<void> {
  main.signal("SIGTERM");
  const kill = setTimeout(() => void main.kill(), 10_000 / SCALE);
  await main.done;
  clearTimeout(kill);
}

/** The run is over, so the next sweep may take what it left. */
async function sweepAfter(stage: Stage): Promise<void> {
  const { env, github, market, run, world } = stage;
  if (!hasSweep(stage) || market.ledger.alive().length === 0) return;
  for (const job of run.jobs) if (job.status !== "completed") job.complete("cancelled");
  const sweep = await runAction({
    ...world.timing,
    entry: bundles.sweep,
    actionYml: bundles.sweepYml,
    directory: await world.makeJobDirectory(),
    env,
    inputs: { token: market.token, "api-url": market.url, "github-token": github.runToken },
  });
  await within(sweep.done);
}

async function within<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it hangs after ${LONGEST / 1000} s`)), LONGEST);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
