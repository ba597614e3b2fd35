/**
 * What makes a machine a runner: one shell script with a few commands, which cloud-init leaves on the machine and starts. It is POSIX
 * shell, for whatever `sh` an image has. `GPU_PROVISION_ROOT` is empty on a machine; with it the script works below a directory.
 */

/** Where it lies; only root may look into that directory. */
export const SCRIPT_PATH = "/var/lib/gpu-provision/runner.sh";
/** All that happens while the machine becomes a runner, with the events that we follow. */
export const LOG_PATH = "/var/log/gpu-provision-boot.log";
/** Begins a line that tells us something; runners' own lines are indented. */
export const EVENT_MARK = "@gpup ";

/** Shell variables of the script, each safe to stand between single quotes. */
export type ScriptSettings = Readonly<
  Record<
    | "X64_URL"
    | "X64_SHA256"
    | "ARM64_URL"
    | "ARM64_SHA256"
    | "RUNNERS"
    | "GPUS"
    | "EXPECTED_GPUS"
    | "DOCKER"
    | "LIFETIME"
    | "MINTED",
    string
  >
>;

export function writeBootScript(settings: ScriptSettings): string {
  const assignments = Object.entries(settings).map(([name, value]) => `${name}='${value}'`);
  return [HEAD, ...assignments, BODY].join("\n");
}

const HEAD = `#!/bin/sh
# gpu-provision: makes this machine a self-hosted runner, and powers it off when its lifetime is over.
umask 077
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/nvidia/bin:/usr/local/cuda/bin:/usr/lib/wsl/lib
ROOT=\${GPU_PROVISION_ROOT-}`;

const BODY = String.raw`home=$ROOT/var/lib/gpu-provision
here=$home/runner.sh
log=$ROOT/var/log/gpu-provision-boot.log
why=

event() { printf '@gpup %s\n' "$*" >>"$log"; }
fail() { event "failed $*"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }
has_systemd() { [ -d "$ROOT/run/systemd/system" ]; }

# Runs a phase, its output in the log, and tells how long it took.
phase() {
  name=$1
  shift
  began=$(date +%s)
  printf -- '--- %s\n' "$name" >>"$log"
  "$@" >>"$log" 2>&1 </dev/null || return 1
  event "phase $(($(date +%s) - began)) $name"
}

# Runs a command of this script on its own, so that it outlives whoever asked for it. What a shell starts with '&' ignores SIGINT,
# and so would every step of a job, to which a cancellation comes as one.
detach() {
  if setsid -f true 2>/dev/null; then setsid -f sh "$here" "$@" </dev/null >/dev/null 2>&1
  elif has setsid; then setsid sh "$here" "$@" </dev/null >/dev/null 2>&1 &
  else nohup sh "$here" "$@" </dev/null >/dev/null 2>&1 &
  fi
}

launch() {
  (umask 022; mkdir -p "$ROOT/var/log")
  : >>"$log"
  if has_systemd; then
    systemctl daemon-reload
    systemctl start --no-block gpu-provision-lifetime.service gpu-provision-boot.service
  else
    detach lifetime
    detach boot
  fi
}

boot() {
  phase driver await_driver || fail "$why"
  phase docker prepare_docker || fail "$why"
  phase users make_users || fail "$why"
  phase download download || fail "$why"
  phase dependencies install_dependencies
  # The user's own commands are to be done before a job starts.
  phase cloud-init await_cloud_init
  age=$(($(date +%s) - MINTED))
  if [ "$age" -ge -60 ] && [ "$age" -le 240 ]; then
    start_slot 1
  else
    rm -f "$home/configuration-1"
    event "wants 1 the one that came with the machine is $age s old"
  fi
  slot=2
  while [ "$slot" -le "$RUNNERS" ]; do
    event "wants $slot it has none yet"
    slot=$((slot + 1))
  done
}

await_driver() {
  [ "$EXPECTED_GPUS" -gt 0 ] || return 0
  waited=0
  until
    seen=$(timeout 30 nvidia-smi --query-gpu=index --format=csv,noheader | grep -c '^ *[0-9]')
    [ "$seen" -ge "$EXPECTED_GPUS" ]
  do
    why="nvidia-smi shows $seen GPUs instead of $EXPECTED_GPUS"
    [ "$waited" -lt 180 ] || return 1
    sleep 5
    waited=$((waited + 5))
  done
}

# Locks of every kind stand in /proc/locks by the inode of their file.
dpkg_is_locked() {
  for file in "$ROOT/var/lib/dpkg/lock-frontend" "$ROOT/var/lib/dpkg/lock" "$ROOT/var/lib/apt/lists/lock"; do
    inode=$(stat -c %i "$file" 2>/dev/null) || continue
    if grep -q ":$inode " /proc/locks 2>/dev/null; then return 0; fi
  done
  return 1
}

await_dpkg() {
  waited=0
  while dpkg_is_locked; do
    if [ "$waited" -eq 0 ]; then echo 'another process installs packages; waiting for it'; fi
    [ "$waited" -lt 600 ] || return 1
    sleep 5
    waited=$((waited + 5))
  done
}

install() {
  if has apt-get; then
    await_dpkg
    apt-get -q update
    DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@"
  elif has dnf; then
    dnf -q -y install "$@"
  else
    echo 'there is neither apt-get nor dnf'
    return 1
  fi
}

restart_docker() {
  if has_systemd; then systemctl restart docker; else service docker restart; fi
}

add_nvidia_repository() {
  source=https://nvidia.github.io/libnvidia-container
  if has apt-get; then
    key=/usr/share/keyrings/nvidia-container-toolkit.asc
    fetch "$source/gpgkey" "$ROOT$key" || return 1
    chmod 644 "$ROOT$key"
    # shellcheck disable=SC2016 # apt itself fills in the architecture
    printf 'deb [signed-by=%s] %s/stable/deb/$(ARCH) /\n' "$key" "$source" \
      >"$ROOT/etc/apt/sources.list.d/nvidia-container-toolkit.list"
    chmod 644 "$ROOT/etc/apt/sources.list.d/nvidia-container-toolkit.list"
  else
    fetch "$source/stable/rpm/nvidia-container-toolkit.repo" "$ROOT/etc/yum.repos.d/nvidia-container-toolkit.repo"
  fi
}

prepare_docker() {
  [ "$DOCKER" = require ] || return 0
  if ! has docker; then
    why='docker could not be installed'
    if has apt-get; then install docker.io || return 1; else install moby-engine || install docker || return 1; fi
  fi
  if ! has nvidia-ctk; then
    why='nvidia-container-toolkit could not be installed'
    add_nvidia_repository && install nvidia-container-toolkit || return 1
  fi
  why='docker could not be set up for GPUs'
  nvidia-ctk runtime configure --runtime=docker && restart_docker || return 1
  why="'docker run --gpus all' does not show the GPUs"
  docker run --rm --gpus all ubuntu:24.04 nvidia-smi
}

make_users() {
  slot=1
  while [ "$slot" -le "$RUNNERS" ]; do
    user=gpup-runner-$slot
    why="the user $user could not be made"
    if ! id "$user" >/dev/null 2>&1; then
      useradd --create-home --shell /bin/bash "$user" || adduser -D "$user" || return 1
    fi
    for group in docker video render; do
      if [ "$group$DOCKER" != dockernone ] && getent group "$group" >/dev/null 2>&1; then usermod -aG "$group" "$user"; fi
    done
    slot=$((slot + 1))
  done
  # Passwordless, as on GitHub's own machines. A file that sudo could not read would take sudo from everybody.
  if [ -d "$ROOT/etc/sudoers.d" ]; then
    rules=$home/sudoers
    slot=1
    while [ "$slot" -le "$RUNNERS" ]; do
      echo "gpup-runner-$slot ALL=(ALL) NOPASSWD:ALL"
      slot=$((slot + 1))
    done >"$rules"
    chmod 440 "$rules"
    if visudo -cqf "$rules"; then mv -f "$rules" "$ROOT/etc/sudoers.d/gpu-provision"; else rm -f "$rules"; fi
  fi
}

fetch() {
  if has curl; then curl -fsSL --connect-timeout 20 --max-time 900 -o "$2" "$1"
  elif has wget; then wget -q -T 60 -t 1 -O "$2" "$1"
  else python3 -c 'import sys, urllib.request; urllib.request.urlretrieve(sys.argv[1], sys.argv[2])' "$1" "$2"
  fi
}

download() {
  case $(uname -m) in
    x86_64 | amd64) url=$X64_URL sum=$X64_SHA256 ;;
    aarch64 | arm64) url=$ARM64_URL sum=$ARM64_SHA256 ;;
    *) url='' sum='' ;;
  esac
  why="GitHub offers no runner application for $(uname -m)"
  [ -n "$url" ] || return 1
  archive=$home/application.tar.gz
  for pause in 2 10 0; do
    rm -f "$archive"
    if fetch "$url" "$archive"; then
      found=$(sha256sum "$archive" | cut -d ' ' -f 1)
      if [ "$found" = "$sum" ]; then
        unpack
        return
      fi
      why="the runner application has the SHA-256 checksum $found instead of $sum, so it is not started"
    else
      why="the runner application could not be downloaded from $url"
    fi
    echo "$why"
    sleep "$pause"
  done
  rm -f "$archive"
  return 1
}

unpack() {
  why='the runner application could not be unpacked'
  slot=1
  while [ "$slot" -le "$RUNNERS" ]; do
    directory=$ROOT/opt/gpu-provision/runner-$slot
    (umask 022; mkdir -p "$directory" && tar -xzf "$archive" -C "$directory" --no-same-owner) || return 1
    chown -R "gpup-runner-$slot:" "$directory" || return 1
    slot=$((slot + 1))
  done
  rm -f "$archive"
}

# Never fatal: what is missing shows when the runner starts.
install_dependencies() {
  bin=$ROOT/opt/gpu-provision/runner-1/bin
  [ -f "$bin/libcoreclr.so" ] || return 0
  if ldd "$bin/libcoreclr.so" "$bin"/libSystem.*.so 2>/dev/null | grep -q 'not found' || ! ldconfig -p | grep -q libicu; then
    await_dpkg
    sh "$bin/installdependencies.sh" || bash "$bin/installdependencies.sh" || echo 'not all of it could be installed'
  fi
}

await_cloud_init() {
  if [ ! -d "$ROOT/run/cloud-init" ] || [ ! -d "$ROOT/var/lib/cloud/instance" ]; then return 0; fi
  waited=0
  until [ -e "$ROOT/var/lib/cloud/instance/boot-finished" ] || [ "$waited" -ge 1800 ]; do
    sleep 1
    waited=$((waited + 1))
  done
}

start_slot() {
  if has_systemd; then systemctl restart --no-block "gpu-provision-runner@$1.service"; else detach slot "$1"; fi
}

# Takes a configuration from standard input and starts a runner with it.
take() {
  cat >"$home/configuration-$1.new" && mv -f "$home/configuration-$1.new" "$home/configuration-$1" && start_slot "$1"
}

as_user() {
  if has runuser; then runuser -u "$user" -- "$@"
  elif has setpriv; then setpriv --reuid "$user" --regid "$user" --init-groups "$@"
  else su "$user" -s /bin/sh -c "$*"
  fi
}

# The GPUs of a slot: 0,1 for the first of two runners on four.
share() {
  size=$((GPUS / RUNNERS))
  index=$((($1 - 1) * size))
  end=$((index + size))
  list=$index
  while [ $((index += 1)) -lt "$end" ]; do list=$list,$index; done
  echo "$list"
}

# Runs one runner, for one job.
slot() {
  slot=$1
  user=gpup-runner-$slot
  directory=$ROOT/opt/gpu-provision/runner-$slot
  file=$home/configuration-$slot
  cd "$directory" || exit 1
  echo $$ >"$home/slot-$slot.pid"
  rm -rf _work _diag .runner .credentials .credentials_rsaparams .env .path
  ACTIONS_RUNNER_INPUT_JITCONFIG=$(cat "$file")
  rm -f "$file"
  export ACTIONS_RUNNER_INPUT_JITCONFIG
  if [ "$RUNNERS" -gt 1 ]; then
    CUDA_VISIBLE_DEVICES=$(share "$slot")
    NVIDIA_VISIBLE_DEVICES=$CUDA_VISIBLE_DEVICES
    export CUDA_VISIBLE_DEVICES NVIDIA_VISIBLE_DEVICES
  fi
  HOME=$(getent passwd "$user" 2>/dev/null | cut -d : -f 6)
  if [ -z "$HOME" ]; then HOME=$directory; fi
  USER=$user LOGNAME=$user
  export HOME USER LOGNAME
  event "started $slot"
  umask 022
  as_user ./run.sh 2>&1 </dev/null | while IFS= read -r line || [ -n "$line" ]; do
    printf '  runner %s: %s\n' "$slot" "$line" >>"$log"
    case $line in
      *'Listening for Jobs'*) event "listening $slot" ;;
      *'Running job: '*) event "job-started $slot ${"$"}{line#*Running job: }" ;;
      *'Job '*' completed with result: '*)
        job=${"$"}{line#*Job }
        event "job-ended $slot ${"$"}{job##* completed with result: } ${"$"}{job% completed with result: *}"
        ;;
      *'no longer exists on the server'* | *'registration has been deleted'* | *'cannot receive messages'* | *'Unauthorized'* | \
        *'not authorized'* | *'Forbidden'* | *'404 (Not Found)'* | *'Must not run '*' sudo'*)
        event "refused $slot $line"
        ;;
    esac
  done
  rm -f "$home/slot-$slot.pid"
  event "ended $slot"
}

lifetime() {
  sleep "$LIFETIME"
  event powering-off
  if has_systemd; then systemctl stop 'gpu-provision-runner@*.service'; fi
  for file in "$home"/slot-*.pid; do
    if [ -e "$file" ]; then kill -TERM "-$(cat "$file")" 2>/dev/null; fi
  done
  shutdown -h now || poweroff || poweroff -f
}

case $1 in
  launch | boot | lifetime) "$1" ;;
  take | slot) "$1" "$2" ;;
esac
`;
