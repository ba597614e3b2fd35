import { RunnerFailure, SshFailure } from "../lease/failure.ts";
import type { Log } from "../lease/log.ts";
import { plain } from "../lease/plain.ts";
import type { Machine } from "../machine/machine.ts";
import { LOG_PATH, SCRIPT_PATH } from "./boot-script.ts";
import type { MachineRunners } from "./contract.ts";
import { readEvent } from "./machine-events.ts";

const ANSWER_WITHIN = 30_000;
const LOG_LINES = 200;
/** A configuration is one long word; so is no line that a person has to read. */
const LONG_WORD = /[A-Za-z0-9+/=_-]{80,}/g;

/** The runners of a machine whose boot script is ours. Where the SSH user is not root, sudo has to work without a password. */
export function openMachineRunners(machine: Pick<Machine, "exec" | "run">, { log }: { readonly log: Log }): MachineRunners {
  return {
    async follow(onEvent, signal) {
      const take = (line: string) => {
        const event = readEvent(line);
        if (event !== undefined) onEvent(event);
      };
      const script = { text: asRoot(`tail -n +1 -F "\${GPU_PROVISION_ROOT-}${LOG_PATH}"`), shell: "sh", env: {} };
      await machine.run(script, { stdout: take, stderr: (line) => log.debug(plain(line)) }, signal);
      throw new SshFailure("The machine's boot log ended.", "The machine is deleted; its time until now is billed.");
    },
    async start(slot, configuration, signal) {
      const command = asRoot(`sh "\${GPU_PROVISION_ROOT-}${SCRIPT_PATH}" take ${slot}`);
      const { code, stderr } = await machine.exec(command, { stdin: configuration, signal, timeoutMs: ANSWER_WITHIN });
      if (code === 0) return;
      throw new RunnerFailure(
        `The machine did not take a configuration for runner ${slot} (exit code ${code}): ${plain(stderr)}`,
        "Another offer can be tried. This machine is deleted; its time until now is billed.",
      );
    },
    async readBootLog(signal) {
      const command = asRoot(`tail -n ${LOG_LINES} "\${GPU_PROVISION_ROOT-}${LOG_PATH}"`);
      const { stdout } = await machine.exec(command, { signal, timeoutMs: ANSWER_WITHIN });
      return stdout
        .split("\n")
        .map((line) => plain(line.replace(LONG_WORD, "***")))
        .filter((line) => line !== "");
    },
  };
}

/** The command is ours and holds no single quote. */
function asRoot(command: string): string {
  return `if [ "$(id -u)" = 0 ]; then exec ${command}; else exec sudo -n --preserve-env=GPU_PROVISION_ROOT ${command}; fi`;
}
