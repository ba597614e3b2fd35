import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunnerArchive } from "../../src/runner/contract.ts";
import { demandProgram } from "./program.ts";

/** What the stand-in tells of itself lies in this file, next to the application. */
export const REPORT = "report.txt";
/** A runner whose configuration ends like this gets no job. */
export const IDLE = "IDLE";

// It says what the real application says. What it sees of the machine goes into a file, its configuration only as a checksum.
const RUN = `#!/bin/sh
{
  echo "user=$(id -un) sudo=$(sudo -n id -un) home=$HOME"
  echo "gpus=$CUDA_VISIBLE_DEVICES"
  echo "configuration=$(printf %s "$ACTIONS_RUNNER_INPUT_JITCONFIG" | sha256sum | cut -d ' ' -f 1)"
  echo "arguments=$#"
  echo "after-commands=$(cat /var/lib/users-command)"
  for file in /var/lib/gpu-provision /var/lib/cloud/instance/user-data.txt /var/log/gpu-provision-boot.log; do
    if cat "$file" >/dev/null 2>&1 || ls "$file/" >/dev/null 2>&1; then echo "readable=$file"; fi
  done
} >${REPORT}
echo '√ Connected to GitHub'
echo '2026-11-21 08:00:00Z: Listening for Jobs'
case $ACTIONS_RUNNER_INPUT_JITCONFIG in *${IDLE})
  while :; do sleep 1; done
esac
echo '2026-11-21 08:00:01Z: Running job: train'
echo '2026-11-21 08:00:02Z: Job train completed with result: Succeeded'
`;

export interface Download {
  readonly archive: RunnerArchive;
  stop(): Promise<void>;
}

/** Serves an archive with a stand-in for the runner application on loopback. */
export async function serveApplication(): Promise<Download> {
  const directory = await mkdtemp(join(tmpdir(), "boot-runner-"));
  const at = (name: string) => join(directory, name);
  await writeFile(at("run.sh"), RUN, { mode: 0o755 });
  await demandProgram(["tar", "-czf", at("runner.tar.gz"), "-C", directory, "./run.sh"]);
  const content = await readFile(at("runner.tar.gz"));
  await rm(directory, { recursive: true });

  const server = createServer((_request, response) => response.end(content));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("A server on loopback has a port.");
  return {
    archive: {
      url: `http://127.0.0.1:${address.port}/runner.tar.gz`,
      sha256: createHash("sha256").update(content).digest("hex"),
    },
    async stop() {
      server.closeAllConnections();
      await once(server.close(), "close");
    },
  };
}
