import { LEASE_DIRECTORY } from "./cloud-init-admit.ts";
import type { CloudInitPart } from "./cloud-init-parts.ts";

const SCRIPT = `${LEASE_DIRECTORY}/user-script`;
const LOG = "/var/log/gpu-provision-user-script.log";

/**
 * A `#!` script as a file and the command that runs it. Its output goes to a log that root may read, its exit code to a
 * file; a failed script makes `cloud-init status` an error, as it does when cloud-init is given the script alone.
 */
export function carryScript(text: string): CloudInitPart {
  return {
    writeFiles: [{ path: SCRIPT, encoding: "b64", content: Buffer.from(text).toString("base64"), permissions: "0700" }],
    runcmd: [
      `(
  script="\${GPU_PROVISION_ROOT-}${SCRIPT}"
  log="\${GPU_PROVISION_ROOT-}${LOG}"
  (umask 077; : >"$log")
  "$script" >>"$log" 2>&1 </dev/null
  code=$?
  echo "$code" >"$script.exit"
  echo "gpu-provision: the script of the cloud-init input ended with exit code $code; its output is in $log"
  exit "$code"
)
`,
    ],
  };
}
