import { SshFailure } from "../lease/failure.ts";
import { plain } from "../lease/plain.ts";
import type { CloudInitFile, CloudInitPart } from "./cloud-init-parts.ts";
import type { Machine } from "./machine.ts";
import { shellWord } from "./shell-word.ts";

const WITHIN = 60_000;

/**
 * Does over SSH what cloud-init would do with our parts, on a machine that has none: writes the files, then runs the commands. Files
 * may hold secrets, so everything goes over standard input. Rejects with SshFailure when it could not be done.
 */
export async function applyParts(
  machine: Pick<Machine, "exec">,
  parts: readonly CloudInitPart[],
  signal: AbortSignal,
): Promise<void> {
  if (parts.length === 0) return;
  const script = [
    "set -e",
    "umask 077",
    ...parts.flatMap(({ writeFiles = [] }) => writeFiles.map(writeFile)),
    ...parts.flatMap(({ bootcmd = [], runcmd = [] }) => [...bootcmd, ...runcmd]),
    "",
  ].join("\n");
  const { code, stderr } = await machine.exec("sh -s", { stdin: script, signal, timeoutMs: WITHIN });
  if (code === 0) return;
  throw new SshFailure(
    `The machine could not be set up over SSH (exit code ${code}): ${plain(stderr) || "it said nothing"}`,
    "Another offer can be tried. This machine is deleted; its time until now is billed.",
  );
}

function writeFile({ content, encoding, path, permissions }: CloudInitFile): string {
  const bytes = encoding === "b64" ? content : Buffer.from(content).toString("base64");
  const at = `"\${GPU_PROVISION_ROOT-}"${shellWord(path)}`;
  return [
    `(umask 022; mkdir -p "$(dirname ${at})")`,
    `base64 -d >${at} <<'GPU_PROVISION_END'`,
    ...(bytes.match(/.{1,76}/g) ?? []),
    "GPU_PROVISION_END",
    `chmod ${permissions} ${at}`,
  ].join("\n");
}
