import type { OurCloudInit } from "./cloud-init-parts.ts";
import { shellWord } from "./shell-word.ts";

/** Where our files lie on the machine; only root may look into it. */
export const LEASE_DIRECTORY = "/var/lib/gpu-provision";

const ADMIT = `"\${GPU_PROVISION_ROOT-}${LEASE_DIRECTORY}/admit.sh"`;

/** The command that runs the boot script once more, for whatever changed keys in the meantime. */
export const admitAgain = `sh ${ADMIT}`;

/**
 * The command that leaves the boot script on the machine and runs it. The script comes as a here-document, for arguments
 * of a process can be read by everyone on the machine and it holds the private key.
 */
export function admitAtBoot(ours: OurCloudInit): string {
  return `(umask 077; mkdir -p "\${GPU_PROVISION_ROOT-}${LEASE_DIRECTORY}"; cat >${ADMIT}) <<'GPU_PROVISION_END'
${writeAdmitScript(ours)}GPU_PROVISION_END
${admitAgain}
`;
}

/**
 * The boot script: it makes sshd serve our host key and root admit our client, and changes nothing when both is so.
 * Some images serve a key of their own before cloud-init runs, or change keys while it does. `GPU_PROVISION_ROOT` is empty
 * on a machine; with it the same script works on a directory.
 */
export function writeAdmitScript(ours: OurCloudInit): string {
  return `#!/bin/sh
# gpu-provision: this lease's host key for sshd, and this lease's client key for root.
umask 077
PATH=$PATH:/usr/sbin:/sbin
ROOT=\${GPU_PROVISION_ROOT-}
host_private=${shellWord(ours.hostKey.privateKey.trim())}
host_public=${shellWord(ours.hostKey.publicKey.trim())}
client=${shellWord(ours.clientPublicKey.trim())}
${SCRIPT_BODY}`;
}

const SCRIPT_BODY = String.raw`ssh=$ROOT/etc/ssh
key=$ssh/ssh_host_ed25519_key
changed=
failed=

# Writes stdin to a file for root only, in one step, unless the file is so already.
put() {
  if ! { rm -f "$1.new" && cat >"$1.new"; }; then
    echo "gpu-provision: cannot write $1" >&2
    failed=yes
    return
  fi
  case $(ls -ld "$1" 2>/dev/null) in
    -rw-------*)
      if [ "$(cat "$1"; echo .)" = "$(cat "$1.new"; echo .)" ]; then
        rm -f "$1.new"
        return
      fi
      ;;
  esac
  if ! mv -f "$1.new" "$1"; then
    echo "gpu-provision: cannot replace $1" >&2
    failed=yes
    return
  fi
  if command -v restorecon >/dev/null 2>&1; then restorecon "$1"; fi
  changed=yes
}

# What sshd has been told. When sshd cannot say (without any host key it refuses), its files are read instead.
settings() {
  if [ -n "$ROOT" ]; then set -- -f "$ssh/sshd_config"; fi
  sshd -T "$@" 2>/dev/null && return
  if grep -Eiq '^[[:space:]]*Include[[:space:]].*sshd_config\.d' "$ssh/sshd_config" 2>/dev/null; then
    cat "$ssh"/sshd_config.d/*.conf 2>/dev/null
  fi
  cat "$ssh/sshd_config" 2>/dev/null
}

# The lines that sshd_config lacks.
missing() {
  told=$(settings)
  keys=$(printf '%s\n' "$told" | grep -Ei '^[[:space:]]*HostKey[[:space:]=]')
  if [ -n "$keys" ] && ! printf '%s\n' "$keys" | grep -Eq "[[:space:]=\"]$key(\$|[[:space:]\"])"; then
    echo "HostKey $key"
  fi
  if printf '%s\n' "$told" | grep -Ei '^[[:space:]]*PermitRootLogin[[:space:]=]' | head -n 1 |
    grep -Eiq '(no|forced-commands-only)[[:space:]]*$'; then
    echo 'PermitRootLogin prohibit-password'
  fi
}

# Only an sshd that runs. Waiting for systemd here would wait for the boot that waits for us.
restart_sshd() {
  if [ -d "$ROOT/run/systemd/system" ]; then
    for unit in ssh.service sshd.service; do
      systemctl --no-block try-restart "$unit" 2>/dev/null
    done
    return
  fi
  pid=$(cat "$ROOT/run/sshd.pid" 2>/dev/null)
  case $(cat "/proc/$pid/comm" 2>/dev/null) in
    sshd*)
      kill -HUP "$pid"
      return
      ;;
  esac
  for name in ssh sshd; do
    if service "$name" status >/dev/null 2>&1; then service "$name" restart; fi
  done
}

(umask 022; mkdir -p "$ssh")
put "$key" <<EOF
$host_private
EOF
put "$key.pub" <<EOF
$host_public
EOF

if command -v sshd >/dev/null 2>&1; then
  # Debian's sshd answers nothing while this directory is missing, which it is until sshd's first start.
  (umask 022; mkdir -p "$ROOT/run/sshd")
  # First the drop-in; sshd_config itself where drop-ins are not read. The first value of a setting counts.
  for file in "$ssh/sshd_config.d/00-gpu-provision.conf" "$ssh/sshd_config"; do
    lines=$(missing)
    if [ -z "$lines" ]; then break; fi
    if [ ! -d "$(dirname "$file")" ]; then continue; fi
    put "$file" <<EOF
$(printf '%s\n' "$lines"; cat "$file" 2>/dev/null)
EOF
  done
fi

if [ -n "$changed" ]; then restart_sshd; fi

# sshd takes the first line with a key, so one with a forced command would win over ours.
keys=$ROOT/root/.ssh/authorized_keys
blob=$(printf '%s\n' "$client" | cut -d ' ' -f 2)
mkdir -p "$ROOT/root/.ssh"
if [ "$(grep -F "$blob" "$keys" 2>/dev/null)" != "$client" ]; then
  put "$keys" <<EOF
$(grep -vF "$blob" "$keys" 2>/dev/null; printf '%s\n' "$client")
EOF
fi

[ -z "$failed" ]
`;
