import type { GuardDeps } from "./guard.ts";
import type { Bell } from "./lease/bell.ts";
import { formatDuration } from "./lease/duration.ts";
import { plain } from "./lease/plain.ts";
import { dropRecord, register, unregister } from "./registered.ts";
import type { MachineEvent, MachineRunners, Registration } from "./runner/contract.ts";

/**
 * A place for one runner on the machine.
 * - `booting`: the machine has not said yet what becomes of it
 * - `vacant`: a runner starts here as soon as it gets a configuration
 * - `starting`: it has one; `online`: it waits for a job; `busy`: it runs one
 * - `ended`: its process is over, and GitHub has not been asked yet what came of it
 */
export interface Slot {
  readonly number: number;
  state: "booting" | "vacant" | "starting" | "online" | "busy" | "ended";
  registration?: Registration;
  /** Name of the job that it runs or ran, as the machine tells it. */
  job?: string;
  /** Runners in a row that ended here without a job. */
  failures: number;
}

/** The runners of one machine. The bell rings at everything that happens to them. */
export interface Crew {
  readonly slots: readonly Slot[];
  /** Why the machine can run no runner, once it has said so. */
  readonly broken: string | undefined;
  /** Why nothing is heard of the machine, while the connection is lost. */
  readonly unheard: unknown;
  readonly toldResults: ToldResults;
  /** Listens to the machine over this connection from now on; all that it told before is told again. */
  listen(runners: MachineRunners): void;
  /** Makes a fresh configuration and starts a runner with it. What was registered for the slot before is removed. */
  hire(slot: Slot, signal: AbortSignal): Promise<void>;
  /**
   * Clears a slot whose runner has ended. `finished`: GitHub has removed the record itself, with the end of the job; `idle`: it
   * had no job; `broken-off`: it ended before its job did, and GitHub still holds the record.
   */
  vacate(slot: Slot, end: "finished" | "idle" | "broken-off"): void;
  readBootLog(signal: AbortSignal): Promise<readonly string[]>;
  /** Stops listening. */
  dismiss(): void;
}

/** Results of jobs by their names, as machines told them. */
export type ToldResults = ReadonlyMap<string, string>;

type SlotEvent = Extract<MachineEvent, { slot: number }>;

/**
 * The crew of a machine whose first slot has `carried`, the configuration that came with the boot script. What it tells of the end
 * of jobs is added to `toldResults`.
 */
export function openCrew(
  carried: Registration,
  nameOf: () => string,
  toldResults: Map<string, string>,
  bell: Bell,
  deps: GuardDeps,
): Crew {
  const { clock, guarding, log } = deps;
  const began = clock.ticks();
  const after = () => formatDuration(clock.ticks() - began);
  const slots: Slot[] = Array.from({ length: guarding.runners }, (_, index) => ({
    number: index + 1,
    state: "booting",
    failures: 0,
    ...(index === 0 ? { registration: carried } : {}),
  }));
  let heard = 0;
  let broken: string | undefined;
  let unheard: unknown;
  let connection: { readonly runners: MachineRunners; readonly end: AbortController } | undefined;

  const learn = (event: MachineEvent) => {
    switch (event.kind) {
      case "phase":
        if (event.seconds > 0) log.info(`${after()}: ${plain(event.name, 80)} took ${event.seconds} s.`);
        break;
      case "failed":
        broken = plain(event.reason);
        break;
      case "powering-off":
        broken = "its lifetime is over, and it powers itself off";
        break;
      default: {
        const slot = slots.find(({ number }) => number === event.slot);
        if (slot !== undefined) learnOf(slot, event);
      }
    }
    bell.ring();
  };
  const learnOf = (slot: Slot, event: SlotEvent) => {
    const runner = slots.length === 1 ? "The runner" : `Runner ${slot.number}`;
    switch (event.kind) {
      case "wants-configuration":
        if (slot.registration !== undefined) log.info(`${runner} gets a fresh configuration: ${plain(event.why)}.`);
        slot.state = "vacant";
        break;
      case "started":
        slot.state = "starting";
        break;
      case "listening":
        if (slot.state !== "online") log.info(`${after()}: ${runner} is online.`);
        slot.state = "online";
        break;
      case "job-started":
        log.info(`${after()}: ${runner} runs job '${plain(event.job, 100)}'.`);
        slot.state = "busy";
        slot.job = event.job;
        break;
      case "job-ended":
        log.info(`${after()}: job '${plain(event.job, 100)}' has ended: ${plain(event.result, 40)}.`);
        slot.job = event.job;
        toldResults.set(event.job, event.result);
        break;
      case "refused":
        log.info(`GitHub refused ${runner.toLowerCase()}: ${plain(event.reason)}.`);
        break;
      case "ended":
        slot.state = "ended";
    }
  };

  return {
    slots,
    get broken() {
      return broken;
    },
    get unheard() {
      return unheard;
    },
    toldResults,
    listen(runners) {
      connection?.end.abort();
      const end = new AbortController();
      connection = { runners, end };
      unheard = undefined;
      let number = 0;
      const take = (event: MachineEvent) => {
        number += 1;
        if (end.signal.aborted || number <= heard) return;
        heard = number;
        learn(event);
      };
      runners.follow(take, end.signal).then(
        () => undefined,
        (error: unknown) => {
          if (end.signal.aborted) return;
          unheard = error;
          bell.ring();
        },
      );
    },
    async hire(slot, signal) {
      if (connection === undefined) return;
      try {
        if (slot.registration !== undefined) await unregister(slot.registration, deps, signal);
        delete slot.registration;
        delete slot.job;
        slot.state = "starting";
        slot.registration = await register(nameOf(), deps, signal);
        await connection.runners.start(slot.number, slot.registration.configuration, signal);
      } catch (error) {
        slot.state = "vacant";
        throw error;
      }
    },
    vacate(slot, end) {
      if (end === "finished" && slot.registration !== undefined) dropRecord(slot.registration.name, deps);
      if (end !== "idle") delete slot.registration;
      slot.failures = end === "idle" ? slot.failures + 1 : 0;
      slot.state = "vacant";
    },
    readBootLog: async (signal) => (await connection?.runners.readBootLog(signal)) ?? [],
    dismiss: () => connection?.end.abort(),
  };
}
