import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished } from "vitest";
import type { ComputeClearOptions } from "../../sandbox/compute-clear/start-compute-clear.ts";
import type { RecordedRequest } from "../../sandbox/requests.ts";
import { parseRoute } from "../../sandbox/route.ts";
import { endOrphans, listArguments } from "../../sandbox/runner/orphans.ts";
import { type ActionResult, type RunningAction, runAction } from "../../sandbox/runner/run-action.ts";
import { type JobOptions, type JobResult, runJob } from "../../sandbox/runner/run-job.ts";
import { startWorld, type World, type WorldOptions, type WorldStockEntry } from "../../sandbox/world.ts";
import { findSecrets, readPrivateKey, type Trace } from "./secret-search.ts";

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
export const bundles = { main: path("dist/main/index.js"), post: path("dist/post/index.js"), actionYml: path("action.yml") };

/** One H100 at $2.00, and what differs. */
export function goods(different: Partial<WorldStockEntry> = {}): WorldStockEntry {
  return {
    vendor: "nebius",
    region: "EU",
    vendorRegion: "eu-north1",
    gpuType: "nvidia-h100-pcie-80gb",
    gpuFamily: "H100",
    gpuCount: 1,
    pricePerGpuHour: 2,
    contractType: "ondemand",
    gpus: { name: "NVIDIA H100 PCIe", count: 1 },
    ...different,
  };
}

/** The same GPU from somebody else, so dear that it is taken only when the cheaper one is no good. */
export const dearerGoods = goods({ vendor: "scaleway", vendorRegion: "fr-par-2", pricePerGpuHour: 3 });

export interface PlayOptions extends Partial<Omit<JobOptions, "main" | "post" | "actionYml" | "inputs" | "directory">> {
  readonly inputs?: Readonly<Record<string, string>>;
  /** Whose token the job has; the account's first unless told. */
  readonly token?: string;
  /** Further secrets of the job, which must be seen as little as the token. */
  readonly moreSecrets?: () => readonly string[];
  /** A directory from `world.makeJobDirectory`, where a test has put something; a fresh one unless told. */
  readonly directory?: string;
}

export interface Story extends JobResult {
  readonly directory: string;
  /** What process lists showed while the job ran. */
  readonly commandLines: ReadonlySet<string>;
}

export interface Stage {
  readonly world: World;
  /** Requests of a route such as `DELETE /resources/:id`, in their order. */
  requests(route: string): readonly RecordedRequest[];
  /** Resolves when a request of this route has come. */
  requested(route: string, count?: number): Promise<void>;
  /** Runs main and post of the shipped bundles, then searches all that they left for secrets. */
  play(options?: PlayOptions): Promise<Story>;
  /** Runs main alone, as on a runner that is shut down. */
  playMain(options: PlayOptions & { readonly during?: (main: RunningAction) => Promise<void> }): Promise<ActionResult>;
}

/** What a job asks for where its test says nothing else. */
const USUAL = {
  "compute-clear": { "gpu-type": "H100" },
  clore: { provider: "clore", "gpu-type": "RTX 4090" },
} as const;

export interface StageOptions extends Omit<WorldOptions, "market" | "stock"> {
  readonly stock?: readonly WorldStockEntry[];
  readonly market?: Omit<ComputeClearOptions, "bootMachine" | "clock" | "stock">;
}

/** Starts a world of its own for one test; it ends with the test, and so does every process that the job has left behind. */
export async function setStage({ market, clore, ...options }: StageOptions = {}): Promise<Stage> {
  const world = await startWorld({
    machineKind: "embedded",
    stock: [goods()],
    ...options,
    // A token of its own for each world: tests that run beside this one must not be found in its search for secrets.
    market: { token: `sandbox-${randomUUID()}`, provisionMs: 100, deleteMs: 100, ...market },
    ...(clore === undefined ? {} : { clore: { token: `sandbox-${randomUUID()}`, ...clore } }),
  });
  const directories: string[] = [];
  const playing = new Set<Promise<unknown>>();
  onTestFinished(async () => {
    // A test that ran into its time limit leaves a job that goes on; it ends when each of its processes is ended.
    const ended = Promise.allSettled(playing).then(() => playing.clear());
    while (playing.size > 0) {
      for (const directory of directories) await endOrphans(directory);
      await Promise.race([ended, pause(100)]);
    }
    for (const directory of directories) await endOrphans(directory);
    await world.close();
  });
  const keep = <T>(job: Promise<T>): Promise<T> => {
    playing.add(job);
    return job;
  };

  const prepare = async ({ inputs, token = world.market.token, directory, ...rest }: PlayOptions) => {
    const own = directory ?? (await world.makeJobDirectory());
    directories.push(own);
    return {
      actionYml: bundles.actionYml,
      ...world.timing,
      ...rest,
      directory: own,
      secrets: [token, ...(rest.secrets ?? [])],
      inputs: {
        token,
        "api-url": world.market.url,
        "poll-interval": "1s",
        ...USUAL[clore === undefined ? "compute-clear" : "clore"],
        ...inputs,
      },
    };
  };
  const requests = (route: string) => {
    const { match } = parseRoute(route);
    return world.market.requests.filter(({ method, path }) => match(method, path) !== undefined);
  };
  const hostKeys = () => requests("POST /procure_offer").flatMap(({ body }) => readPrivateKey(body));

  return {
    world,
    requests,
    requested: (route, count = 1) => until(`${count} times ${route}`, () => requests(route).length >= count),
    async play(options = {}) {
      const prepared = await prepare(options);
      const keys: string[] = [];
      const watched = watchArguments();
      try {
        const job = await keep(
          runJob({
            ...prepared,
            ...bundles,
            async between(main) {
              keys.push(...readPrivateKey(main.outputs["ssh-key-path"]));
              await options.between?.(main);
            },
          }),
        );
        const story = { ...job, directory: prepared.directory, commandLines: watched.seen };
        const token = options.token ?? world.market.token;
        expect(
          await findSecrets(story, { token, others: options.moreSecrets?.() ?? [], privateKeys: [...keys, ...hostKeys()] }),
        ).toEqual([]);
        return story;
      } finally {
        watched.stop();
      }
    },
    async playMain({ during, ...options }) {
      const prepared = await prepare(options);
      const main = await runAction({ ...prepared, entry: bundles.main });
      try {
        await during?.(main);
      } catch (error) {
        await main.kill();
        throw error;
      }
      const ended = await keep(main.done);
      const trace: Trace = { main: ended, directory: prepared.directory, commandLines: new Set() };
      expect(await findSecrets(trace, { token: prepared.inputs.token, privateKeys: hostKeys() })).toEqual([]);
      return ended;
    },
  };
}

/** What a job shows when it went well, and what is wrong with it in words where not. */
export type Verdict = "nothing is left" | "post has failed and named it";

/**
 * The one question about every story: nothing of ours bills any more and nobody else's machine was touched, or post has failed
 * and named what may still bill. Throws when neither is so.
 */
export function judge({ world }: Stage, { post }: JobResult): Verdict {
  const { ledger } = world.market;
  expect(ledger.deletedThatWereNotOurs()).toEqual([]);
  expect(world.market.bootFailures()).toEqual([]);
  const left = ledger.alive().filter(({ boughtBy }) => boughtBy !== "stranger");
  if (post.conclusion === "success") {
    expect(left).toEqual([]);
    return "nothing is left";
  }
  const annotations = post.commands
    .filter(({ name }) => name === "error")
    .map(({ data }) => data)
    .join("\n");
  expect(annotations).toMatch(/billing/i);
  expect(left.filter(({ id, offerId = id }) => !annotations.includes(id) && !annotations.includes(offerId))).toEqual([]);
  return "post has failed and named it";
}

/** The text of a step's annotations of one kind. */
export function annotations(step: ActionResult, kind: "error" | "warning" | "notice"): string {
  return step.commands
    .filter(({ name }) => name === kind)
    .map(({ data, properties }) => `${properties["title"] ?? ""}\n${data}`)
    .join("\n");
}

/** The log of a step as one text. */
export function logOf(step: ActionResult): string {
  return step.log.join("\n");
}

/** Keeps the arguments of every process of this computer. */
function watchArguments(): { readonly seen: ReadonlySet<string>; stop(): void } {
  const seen = new Set<string>();
  const timer = setInterval(() => {
    for (const line of listArguments()) seen.add(line);
  }, 100);
  return { seen, stop: () => clearInterval(timer) };
}

/** Waits for something that has to come; throws when it has not come after 60 real seconds. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  const end = Date.now() + 60_000;
  while (!isSo()) {
    if (Date.now() > end) throw new Error(`This did not come within a minute: ${what}`);
    await pause(20);
  }
}
