import { randomUUID } from "node:crypto";
import * as core from "@actions/core";
import { describe, Failure } from "../lease/failure.ts";
import type { Log, MachineOutput } from "../lease/log.ts";

export interface ActionLog extends Log {
  /** Ends all machine output and marks the step as failed: what failed, and what to do. */
  failWith(error: unknown): void;
  showMachineOutput(): MachineOutput;
}

/**
 * The step's log. While machine output is shown, workflow commands are switched off (`::stop-commands::`) but for the moment in
 * which one of ours is written.
 */
export function openLog(): ActionLog {
  let stopped: string | undefined;
  const stop = () => {
    stopped = randomUUID();
    core.info(`::stop-commands::${stopped}`);
  };
  const resume = () => {
    if (stopped !== undefined) core.info(`::${stopped}::`);
    stopped = undefined;
  };
  const command = (write: () => void) => {
    const wasStopped = stopped !== undefined;
    resume();
    write();
    if (wasStopped) stop();
  };
  const annotate = (title: string | undefined) => (title === undefined ? {} : { title: `gpu-provision: ${title}` });

  return {
    info: (sentence) => core.info(sentence),
    debug: (sentence) => command(() => core.debug(sentence)),
    notice: (sentence, title) => command(() => core.notice(sentence, annotate(title))),
    warn: (sentence, title) => command(() => core.warning(sentence, annotate(title))),
    error: (sentence, title) => command(() => core.error(sentence, annotate(title))),
    group: (title, work) => core.group(title, work),
    failWith(error) {
      resume();
      if (error instanceof Failure) core.error(`${describe(error)}\n${error.hint}`, annotate(error.code));
      else core.error(describe(error));
      process.exitCode = core.ExitCode.Failure;
    },
    showMachineOutput() {
      stop();
      return { stdout: (line) => core.info(line), stderr: (line) => core.info(line), close: resume };
    },
  };
}

/**
 * A runner that is gone leaves a broken pipe behind; a line that cannot be written must not end the process that deletes the
 * machine.
 */
export function surviveBrokenOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", () => {
      // There is nobody left to tell.
    });
  }
}

export function maskSecret(secret: string): void {
  core.setSecret(secret);
}
