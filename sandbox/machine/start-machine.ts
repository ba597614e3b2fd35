import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { trackTimers } from "../timers.ts";
import { hostKeysIn, makeKeys } from "./cloud-init-keys.ts";
import { startEmbeddedService } from "./embedded-service.ts";
import { buildFrontDoor } from "./front-door.ts";
import { makeMachineFiles } from "./machine-files.ts";
import { canStartOpenSsh, startOpenSshService } from "./openssh-service.ts";
import { endProcesses, processesOf } from "./processes.ts";
import type { SshService } from "./ssh-service.ts";
import type { ShownGpus } from "./stand-in-nvidia-smi.ts";
import { applyUserData } from "./user-data.ts";

/** What is wrong with a machine. Times are real milliseconds from its start. */
export interface MachineFaults {
  /** Nothing ever listens on its port. */
  readonly noSsh?: boolean;
  /** It shows a host key that nobody gave it: for ever, or for `foreignHostKeyMs`. */
  readonly foreignHostKey?: boolean;
  readonly foreignHostKeyMs?: number;
  /** The user's key may log in only from then on. */
  readonly lateKeyMs?: number;
  /** Its port opens only then. */
  readonly lateMs?: number;
  /** Every connection is cut so long after it was opened. */
  readonly dropAfterMs?: number;
  /** What nvidia-smi shows instead of the GPUs that were sold. */
  readonly nvidiaSmi?: ShownGpus;
  /** There is no tar. */
  readonly noTar?: boolean;
}

export interface MachineOptions {
  /** Everything of the machine lies below; the caller makes it and removes it. */
  readonly directory: string;
  /** The document as the marketplace got it; its host key is applied. */
  readonly cloudInit: string;
  readonly sshPublicKey: string;
  readonly gpus: { readonly name: string; readonly count: number };
  /** `auto` (the default): a real OpenSSH server where this process may start one. */
  readonly kind?: "openssh" | "embedded" | "auto";
  readonly faults?: MachineFaults;
  /** Applies the whole document, not only its keys; see applyUserData. */
  readonly appliesUserData?: boolean;
}

/** A machine that really answers SSH on loopback and really runs commands, as child processes. */
export interface StandInMachine {
  readonly host: "127.0.0.1";
  readonly port: number;
  readonly user: "root";
  readonly kind: "openssh" | "embedded";
  /** `SHA256:…` of the key that is its own, whatever it shows. */
  readonly hostKeyFingerprint: string;
  /** The home directory of its user. */
  readonly home: string;
  /** Connections that clients have opened so far. */
  connections(): number;
  /** Authentication requests that it was sent so far: 0 means that no client told it anything. */
  authenticationRequests(): number;
  /** Processes that its commands have left running. */
  processes(): readonly number[];
  /** Cuts every connection. */
  drop(): void;
  /** Ends as a spot machine does that is taken back: nothing answers any more, and nothing runs. */
  vanish(): Promise<void>;
  /** Calls of the programs that would have changed a real machine: `shutdown -h now`. */
  calls(): readonly string[];
  /** What the commands of its document printed, once they have run. Rejects when the machine ends before that. */
  readonly userDataApplied: Promise<string>;
  /** Ends the machine and every process that it started. */
  stop(): Promise<void>;
}

function readCalls(path: string): readonly string[] {
  try {
    return readFileSync(path, "utf8").split("\n").slice(0, -1);
  } catch {
    return []; // none was called
  }
}

function fingerprint(publicKey: string): string {
  const raw = Buffer.from(publicKey.split(/\s+/)[1] ?? "", "base64");
  return `SHA256:${createHash("sha256").update(raw).digest("base64").replaceAll("=", "")}`;
}

export async function startMachine(options: MachineOptions): Promise<StandInMachine> {
  const { directory, faults = {} } = options;
  const wanted = options.kind ?? "auto";
  const kind = wanted === "auto" ? (canStartOpenSsh() ? "openssh" : "embedded") : wanted;
  const marker = randomUUID();
  const timers = trackTimers();
  const services: SshService[] = [];
  const root = join(directory, "root");
  await mkdir(directory, { recursive: true });
  const files = await makeMachineFiles({
    directory,
    marker,
    gpus: faults.nvidiaSmi ?? options.gpus,
    withoutTar: faults.noTar ?? false,
    ...(options.appliesUserData ? { root } : {}),
  });
  const ownKeys = hostKeysIn(options.cloudInit) ?? makeKeys("sandbox");

  const startService = async (name: string, hostPrivateKey: string): Promise<SshService> => {
    const service = await (kind === "openssh" ? startOpenSshService : startEmbeddedService)({
      directory: join(directory, name),
      ...files,
      hostPrivateKey,
    });
    services.push(service);
    return service;
  };
  const stopServices = async () => {
    // While its parent lives, a process can be told by its descent; afterwards only by the marker.
    await endProcesses(
      marker,
      services.flatMap((service) => service.roots()),
    );
    await Promise.all(services.map((service) => service.stop()));
  };

  try {
    const own = await startService("ssh", ownKeys.privateKey);
    let shown = faults.foreignHostKey ? await startService("foreign-ssh", makeKeys("foreign").privateKey) : own;
    const door = await buildFrontDoor((socket) => shown.admit(socket), faults.dropAfterMs);
    if (faults.foreignHostKeyMs !== undefined)
      timers.later(faults.foreignHostKeyMs, () => {
        shown = own;
      });
    const authorize = () => Promise.all(services.map((service) => service.authorize(options.sshPublicKey)));
    if (faults.lateKeyMs === undefined) await authorize();
    else timers.later(faults.lateKeyMs, () => void authorize());
    if (faults.lateMs !== undefined && !faults.noSsh) timers.later(faults.lateMs, () => void door.open());
    else if (!faults.noSsh) await door.open();
    // On a real machine SSH is up long before all of the document is applied.
    const ending = new AbortController();
    const userDataApplied = options.appliesUserData
      ? applyUserData(options.cloudInit, { root, environment: files.environment, signal: ending.signal })
      : Promise.resolve("");
    userDataApplied.catch(() => undefined); // whoever waits for it learns why
    let ended: Promise<void> | undefined;
    const end = async () => {
      timers.clear();
      ending.abort(new Error("The machine has ended."));
      await door.close();
      await stopServices();
      await userDataApplied.catch(() => undefined); // it writes below the caller's directory until then
    };
    const stop = () => {
      ended ??= end();
      return ended;
    };
    return {
      host: "127.0.0.1",
      port: door.port,
      user: "root",
      kind,
      hostKeyFingerprint: fingerprint(ownKeys.publicKey),
      home: files.home,
      connections: () => door.visits(),
      authenticationRequests: () => services.reduce((sum, service) => sum + service.authenticationRequests(), 0),
      processes: () => processesOf(marker, []),
      drop: () => door.slam(),
      vanish: stop,
      calls: () => readCalls(join(directory, "calls")),
      userDataApplied,
      stop,
    };
  } catch (error) {
    timers.clear();
    await stopServices();
    throw error;
  }
}
