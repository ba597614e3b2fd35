import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { canStartOpenSsh } from "../sandbox/machine/openssh-service.ts";

/**
 * Which real programs a test may use: `describe.runIf(hasSshd)`. What is missing skips those tests, on a machine that has none of
 * them; with REQUIRE_REAL=1 it fails every file that asks.
 */
export const hasSshd = demand("sshd that this user may start", canStartOpenSsh());
export const hasSshClient = demand("ssh", isOnPath("ssh"));
export const hasCloudInit = demand("cloud-init", isOnPath("cloud-init"));
export const hasShellcheck = demand("shellcheck", isOnPath("shellcheck"));

function demand(program: string, present: boolean): boolean {
  if (!present && process.env["REQUIRE_REAL"] === "1")
    throw new Error(`REQUIRE_REAL is set, and this machine has no ${program}. .ci/run installs what is missing.`);
  return present;
}

function isOnPath(program: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false; // not in this directory
    }
  });
}
