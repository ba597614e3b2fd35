import { formatDuration } from "./lease/duration.ts";
import { describe, RunFailure } from "./lease/failure.ts";
import type { Log } from "./lease/log.ts";
import { plain } from "./lease/plain.ts";
import type { Transfer } from "./lease/plan.ts";
import type { TransferTally } from "./machine/machine.ts";
import type { Purpose, Rented, StoryDeps } from "./story.ts";

/** Ssh mode: the machine does the work of this step, and stays for the next ones unless `release` says otherwise. */
export function workPurpose(deps: StoryDeps): Purpose {
  return {
    equip: async () => [],
    engage: async () => undefined,
    use: (rented) => work(rented, deps),
    handsOver: deps.plan.release === "post",
    provesInMain: true,
  };
}

/**
 * The work of ssh mode: upload, run, download. Results are fetched also when `run` failed; the failure of `run` is then the one
 * that is thrown (RunFailure, with the exit code), else TransferFailure or SshFailure.
 */
export async function work(rented: Rented, deps: StoryDeps): Promise<void> {
  const { clock, journal, plan } = deps;
  const { uploads, run, downloads } = plan.work;
  if (uploads.length === 0 && run === undefined) return;
  journal.note(rented.attempt, { workStarted: clock.now() });
  try {
    await upload(rented, deps);
    const exitCode = run === undefined ? 0 : await runCommands(run, rented, deps);
    try {
      if (downloads.length > 0) await download(rented, deps);
    } catch (error) {
      if (exitCode === 0) throw error;
      deps.log.warn(describe(error), "Download failed");
    }
    if (exitCode !== 0)
      throw new RunFailure(exitCode, "The machine is being deleted. The output above says why the commands failed.");
  } finally {
    journal.note(rented.attempt, { workEnded: clock.now() });
  }
}

async function upload({ machine, signal }: Rented, { log, plan }: StoryDeps): Promise<void> {
  const { uploads, uploadIgnore } = plan.work;
  if (uploads.length === 0) return;
  await log.group("Upload", async () => {
    for (const transfer of uploads) sayMoved("Uploaded", transfer, await machine.upload(transfer, uploadIgnore, signal), log);
  });
}

async function download({ machine, signal }: Rented, { log, plan }: StoryDeps): Promise<void> {
  await log.group("Download", async () => {
    for (const transfer of plan.work.downloads) sayMoved("Downloaded", transfer, await machine.download(transfer, signal), log);
  });
}

function sayMoved(verb: string, { from, to }: Transfer, { files, bytes }: TransferTally, log: Log): void {
  log.info(`${verb} ${plain(from)} to ${plain(to)}: ${files} ${files === 1 ? "file" : "files"}, ${(bytes / 1e6).toFixed(1)} MB.`);
}

async function runCommands(run: string, { machine, signal }: Rented, deps: StoryDeps): Promise<number> {
  const { clock, log, outputs, plan } = deps;
  const { shell, workingDirectory, env } = plan.work;
  const names = Object.keys(env);
  log.info(`Running the commands of 'run' with ${plain(shell, 60)}${names.length > 0 ? ` and ${names.join(", ")}` : ""}:`);
  const started = clock.ticks();
  const output = deps.showMachineOutput();
  let exitCode: number;
  try {
    const script = { text: run, shell, env, ...(workingDirectory === undefined ? {} : { workingDirectory }) };
    exitCode = await machine.run(script, output, signal);
  } finally {
    output.close();
  }
  outputs({ "exit-code": exitCode });
  log.info(`The commands ended with exit code ${exitCode} after ${formatDuration(clock.ticks() - started)}.`);
  return exitCode;
}
