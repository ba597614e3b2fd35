import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gpusOf } from "./clore/servers.ts";
import { type CloreOptions, type CloreStand, startClore } from "./clore/start-clore.ts";
import type { BootMachine } from "./compute-clear/account.ts";
import { type ComputeClearOptions, startComputeClear } from "./compute-clear/start-compute-clear.ts";
import { defaultStock, type StockEntry } from "./compute-clear/stock.ts";
import { type GitHubOptions, type GitHubStand, startGitHub } from "./github/start-github.ts";
import { type MachineOptions, type StandInMachine, startMachine } from "./machine/start-machine.ts";
import type { MarketStand } from "./market-stand.ts";
import { buildRunnerArchive } from "./runner-app/archive.ts";
import { startWorldClock } from "./world-clock.ts";

/** A stock entry together with what is wrong with the machine that it boots. */
export interface WorldStockEntry extends StockEntry {
  readonly machine?: Pick<MachineOptions, "faults" | "kind">;
}

export interface WorldOptions {
  /** Everything about the marketplace but its stock, its clock and its machines. */
  readonly market?: Omit<ComputeClearOptions, "bootMachine" | "clock" | "stock">;
  readonly stock?: readonly WorldStockEntry[];
  /** The marketplace is Clore instead; `machines` says what is wrong with the container of a server, by its number. */
  readonly clore?: Omit<CloreOptions, "bootContainer" | "clock"> & {
    readonly machines?: Readonly<Record<number, Pick<MachineOptions, "faults" | "kind">>>;
  };
  /** Starts a GitHub too; everything about it but its clock. */
  readonly github?: Omit<GitHubOptions, "clock">;
  /** What machines are made of where the stock does not say; see startMachine. */
  readonly machineKind?: NonNullable<MachineOptions["kind"]>;
  /** Boots something else than real stand-in machines. */
  readonly bootMachine?: BootMachine;
  /** World seconds in a real one; 1 unless told. */
  readonly timeScale?: number;
}

export interface World {
  readonly market: MarketStand;
  /** The same, where the marketplace is Clore. */
  readonly clore: CloreStand | undefined;
  /** Undefined unless it was asked for. */
  readonly github: GitHubStand | undefined;
  /** Machines in the order in which they booted, those that have ended included. */
  readonly machines: readonly StandInMachine[];
  /** For `runAction` and `runJob`: their processes see the world's time. */
  readonly timing: { readonly timeScale: number; readonly timeOrigin: number };
  /** A fresh directory for the files of one job; it ends with the world. */
  makeJobDirectory(): Promise<string>;
  /** Ends every server, machine and timer, and removes every file. */
  close(): Promise<void>;
}

/** Starts a marketplace on loopback whose machines accept SSH. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), "gpu-sandbox-"));
  const clock = startWorldClock(options.timeScale);
  const stock = options.stock ?? defaultStock;
  // The marketplace hands its own entries back, and they are these very objects.
  const faultsOf = new Map<StockEntry, WorldStockEntry["machine"]>(stock.map((entry: WorldStockEntry) => [entry, entry.machine]));
  const machines: StandInMachine[] = [];

  const bootMachine: BootMachine = async ({ resourceId, offer: { entry }, sshPublicKey, cloudInit }) => {
    const machineDirectory = join(directory, "machines", resourceId);
    await mkdir(machineDirectory, { recursive: true });
    const machine = await startMachine({
      directory: machineDirectory,
      cloudInit: cloudInit ?? "",
      sshPublicKey,
      gpus: entry.gpus ?? { name: `NVIDIA ${entry.gpuFamily}`, count: entry.gpuCount },
      appliesUserData: options.github !== undefined,
      ...(options.machineKind === undefined ? {} : { kind: options.machineKind }),
      ...faultsOf.get(entry),
    });
    machines.push(machine);
    return machine;
  };

  /** A container gets no document: what it needs comes over SSH. */
  const bootContainer: CloreOptions["bootContainer"] = async ({ id, server, sshKey }) => {
    const machineDirectory = join(directory, "machines", String(id));
    await mkdir(machineDirectory, { recursive: true });
    const machine = await startMachine({
      directory: machineDirectory,
      cloudInit: "",
      sshPublicKey: sshKey,
      gpus: gpusOf(server.gpu),
      appliesUserData: options.github !== undefined,
      ...(options.machineKind === undefined ? {} : { kind: options.machineKind }),
      ...options.clore?.machines?.[server.id],
    });
    machines.push(machine);
    return machine;
  };

  let github: GitHubStand | undefined;
  try {
    if (options.github !== undefined)
      github = await startGitHub({
        ...options.github,
        application: { buildArchive: buildRunnerArchive, ...options.github.application },
        clock,
      });
    const clore = options.clore === undefined ? undefined : await startClore({ ...options.clore, clock, bootContainer });
    const market =
      clore ?? (await startComputeClear({ ...options.market, stock, clock, bootMachine: options.bootMachine ?? bootMachine }));
    return {
      market,
      clore,
      github,
      machines,
      timing: { timeScale: clock.scale, timeOrigin: clock.origin },
      makeJobDirectory: () => mkdtemp(join(directory, "job-")),
      async close() {
        try {
          await Promise.all([market.close(), github?.close()]);
        } finally {
          await rm(directory, { recursive: true, force: true });
        }
      },
    };
  } catch (error) {
    await github?.close();
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}
