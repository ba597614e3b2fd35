"use strict";
exports.id = 274;
exports.ids = [274];
exports.modules = {

/***/ 5274:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  a5: () => (/* reexport */ composeBootPart),
  h: () => (/* reexport */ openMachineRunners),
  US: () => (/* reexport */ openRunnerService),
  sampleBootPart: () => (/* reexport */ sampleBootPart)
});

;// CONCATENATED MODULE: ./build/runner/boot-script.js
/**
 * What makes a machine a runner: one shell script with a few commands, which cloud-init leaves on the machine and starts. It is POSIX
 * shell, for whatever `sh` an image has. `GPU_PROVISION_ROOT` is empty on a machine; with it the script works below a directory.
 */
/** Where it lies; only root may look into that directory. */
const SCRIPT_PATH = "/var/lib/gpu-provision/runner.sh";
/** All that happens while the machine becomes a runner, with the events that we follow. */
const LOG_PATH = "/var/log/gpu-provision-boot.log";
/** Begins a line that tells us something; runners' own lines are indented. */
const EVENT_MARK = "@gpup ";
function writeBootScript(settings) {
    const assignments = Object.entries(settings).map(([name, value]) => `${name}='${value}'`);
    return [HEAD, ...assignments, BODY].join("\n");
}
const HEAD = `#!/bin/sh
# gpu-provision: makes this machine a self-hosted runner, and powers it off when its lifetime is over.
umask 077
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/nvidia/bin:/usr/local/cuda/bin:/usr/lib/wsl/lib
ROOT=\${GPU_PROVISION_ROOT-}`;
const BODY = String.raw `home=$ROOT/var/lib/gpu-provision
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

;// CONCATENATED MODULE: ./build/runner/boot-part.js

const DIRECTORY = "/var/lib/gpu-provision";
/** A real one has about 4,000 characters; what the user's script has to leave free. */
const LONGEST_CONFIGURATION = 10_000;
/** The part of a machine's cloud-init document that makes it a runner. It holds a secret: the first runner's configuration. */
function composeBootPart(settings) {
    const { application, configuration } = settings;
    const script = writeBootScript({
        X64_URL: application.x64?.url ?? "",
        X64_SHA256: application.x64?.sha256 ?? "",
        ARM64_URL: application.arm64?.url ?? "",
        ARM64_SHA256: application.arm64?.sha256 ?? "",
        RUNNERS: String(settings.runners),
        GPUS: String(settings.gpuCount),
        EXPECTED_GPUS: String(settings.expectedGpus?.count ?? 0),
        DOCKER: settings.docker,
        LIFETIME: String(Math.ceil(settings.lifetime / 1000)),
        MINTED: String(Math.round(settings.mintedAt / 1000)),
    });
    return {
        writeFiles: [
            { path: SCRIPT_PATH, content: script, permissions: "0700" },
            { path: `${DIRECTORY}/configuration-1`, content: configuration, permissions: "0600" },
            ...units.map(({ name, text }) => ({ path: `/etc/systemd/system/${name}`, content: text, permissions: "0644" })),
        ],
        runcmd: [`sh "\${GPU_PROVISION_ROOT-}${SCRIPT_PATH}" launch`],
    };
}
/** A part as large as any, to see before a purchase that there is room for it. */
function sampleBootPart() {
    const archive = { url: `https://github.com/${"x".repeat(200)}`, sha256: "0".repeat(64) };
    return composeBootPart({
        application: { version: "2.336.0", x64: archive, arm64: archive },
        runners: 16,
        gpuCount: 64,
        docker: "require",
        lifetime: 1e9,
        expectedGpus: { count: 64 },
        configuration: "A".repeat(LONGEST_CONFIGURATION),
        mintedAt: 1e13,
    });
}
/** Started by the script where there is systemd, and by nothing else: a machine that boots again is no runner any more. */
const units = [
    unit("gpu-provision-boot.service", "Makes this machine a self-hosted runner", "boot"),
    unit("gpu-provision-lifetime.service", "Powers this machine off when its lease is over", "lifetime"),
    unit("gpu-provision-runner@.service", "Self-hosted runner %i, for one job", "slot %i", ["KillMode=mixed", "TimeoutStopSec=30"]),
];
function unit(name, description, command, more = []) {
    const lines = [
        "[Unit]",
        `Description=gpu-provision: ${description}`,
        "",
        "[Service]",
        `ExecStart=/bin/sh ${SCRIPT_PATH} ${command}`,
    ];
    return { name, text: `${[...lines, ...more].join("\n")}\n` };
}

// EXTERNAL MODULE: ./build/lease/failure.js
var lease_failure = __webpack_require__(4540);
// EXTERNAL MODULE: ./build/lease/plain.js
var plain = __webpack_require__(2042);
;// CONCATENATED MODULE: ./build/runner/machine-events.js

const LONGEST = 1_000;
/** What a line of a machine's boot log tells; undefined for all that is no event, or none that we know. */
function readEvent(line) {
    if (!line.startsWith(EVENT_MARK) || line.length > LONGEST)
        return undefined;
    const [, kind = "", rest = ""] = /^(\S+) ?(.*)$/.exec(line.slice(EVENT_MARK.length)) ?? [];
    if (kind === "failed")
        return { kind, reason: rest };
    if (kind === "powering-off")
        return { kind };
    const [, number = "", text = ""] = /^(\d{1,6})(?: (.*))?$/.exec(rest) ?? [];
    if (number === "")
        return undefined;
    const slot = Number(number);
    switch (kind) {
        case "phase":
            return { kind, seconds: slot, name: text };
        case "wants":
            return { kind: "wants-configuration", slot, why: text };
        case "started":
        case "listening":
        case "ended":
            return { kind, slot };
        case "job-started":
            return { kind, slot, job: text };
        case "refused":
            return { kind, slot, reason: text };
        case "job-ended": {
            const [, result = "", job = ""] = /^(\S+) (.*)$/.exec(text) ?? [];
            return { kind, slot, job, result };
        }
        default:
            return undefined;
    }
}

;// CONCATENATED MODULE: ./build/runner/machine-runners.js




const ANSWER_WITHIN = 30_000;
const LOG_LINES = 200;
/** A configuration is one long word; so is no line that a person has to read. */
const LONG_WORD = /[A-Za-z0-9+/=_-]{80,}/g;
/** The runners of a machine whose boot script is ours. Where the SSH user is not root, sudo has to work without a password. */
function openMachineRunners(machine, { log }) {
    return {
        async follow(onEvent, signal) {
            const take = (line) => {
                const event = readEvent(line);
                if (event !== undefined)
                    onEvent(event);
            };
            const script = { text: asRoot(`tail -n +1 -F "\${GPU_PROVISION_ROOT-}${LOG_PATH}"`), shell: "sh", env: {} };
            await machine.run(script, { stdout: take, stderr: (line) => log.debug((0,plain/* plain */.pj)(line)) }, signal);
            throw new lease_failure/* SshFailure */.dI("The machine's boot log ended.", "The machine is deleted; its time until now is billed.");
        },
        async start(slot, configuration, signal) {
            const command = asRoot(`sh "\${GPU_PROVISION_ROOT-}${SCRIPT_PATH}" take ${slot}`);
            const { code, stderr } = await machine.exec(command, { stdin: configuration, signal, timeoutMs: ANSWER_WITHIN });
            if (code === 0)
                return;
            throw new lease_failure/* RunnerFailure */.hV(`The machine did not take a configuration for runner ${slot} (exit code ${code}): ${(0,plain/* plain */.pj)(stderr)}`, "Another offer can be tried. This machine is deleted; its time until now is billed.");
        },
        async readBootLog(signal) {
            const command = asRoot(`tail -n ${LOG_LINES} "\${GPU_PROVISION_ROOT-}${LOG_PATH}"`);
            const { stdout } = await machine.exec(command, { signal, timeoutMs: ANSWER_WITHIN });
            return stdout
                .split("\n")
                .map((line) => (0,plain/* plain */.pj)(line.replace(LONG_WORD, "***")))
                .filter((line) => line !== "");
        },
    };
}
/** The command is ours and holds no single quote. */
function asRoot(command) {
    return `if [ "$(id -u)" = 0 ]; then exec ${command}; else exec sudo -n --preserve-env=GPU_PROVISION_ROOT ${command}; fi`;
}

// EXTERNAL MODULE: ./node_modules/@octokit/auth-app/dist-node/index.js + 9 modules
var dist_node = __webpack_require__(6479);
;// CONCATENATED MODULE: ./build/runner/access.js



function openBudget() {
    return { remaining: undefined, resetAt: 0, blockedUntil: 0 };
}
function accessByToken(input, token) {
    return { input, budget: openBudget(), token: async () => token, renewable: false };
}
/**
 * Access through a GitHub App that is installed where the runners go. Its tokens end after an hour; the library makes fresh ones.
 * Every one is masked before it is used.
 */
function accessByApp({ appId, privateKey }, scope, octokit, maskSecret) {
    const app = (0,dist_node/* createAppAuth */.K)({ appId, privateKey, request: octokit.request });
    let installation;
    return {
        input: "github-app-id",
        budget: openBudget(),
        renewable: true,
        async token(signal, refresh = false) {
            signal.throwIfAborted();
            try {
                installation ??= await findInstallation();
                const { token } = await app({ type: "installation", installationId: installation, refresh });
                maskSecret(token);
                return token;
            }
            catch (error) {
                signal.throwIfAborted();
                if (error instanceof lease_failure/* GitHubTokenFailure */.tp)
                    throw error;
                throw new lease_failure/* GitHubTokenFailure */.tp(`The GitHub App ${(0,plain/* plain */.pj)(appId, 40)} got no token: ${(0,plain/* plain */.pj)(describeSafely(error))}`, "Are 'github-app-id' and 'github-app-private-key' of the same App, and is the key one that it still lists? Nothing more is bought.");
            }
        },
    };
    async function findInstallation() {
        const { token: jwt } = await app({ type: "app" });
        maskSecret(jwt);
        const headers = { authorization: `Bearer ${jwt}` };
        try {
            const { data } = scope.kind === "repository"
                ? await octokit.request("GET /repos/{owner}/{repo}/installation", {
                    owner: scope.owner,
                    repo: scope.repository,
                    headers,
                })
                : await octokit.request("GET /orgs/{org}/installation", { org: scope.owner, headers });
            return data.id;
        }
        catch (error) {
            if (statusOf(error) !== 404)
                throw error;
            const where = scope.kind === "repository" ? `${scope.owner}/${scope.repository}` : `organisation ${scope.owner}`;
            throw new lease_failure/* GitHubTokenFailure */.tp(`The GitHub App ${(0,plain/* plain */.pj)(appId, 40)} is not installed in ${(0,plain/* plain */.pj)(where)}.`, "Nothing was bought. Install it there, with the permission Administration: write (for an organisation, Self-hosted runners: write).");
        }
    }
}
/** The HTTP status that an error of the library carries; 0 where no answer came. */
function statusOf(error) {
    if (typeof error !== "object" || error === null || !("status" in error) || !("response" in error))
        return 0;
    return error.response === undefined ? 0 : Number(error.status);
}
/** Errors of the library hold the request with its headers: only their message is used. */
function describeSafely(error) {
    return error instanceof Error ? error.message : (0,lease_failure/* describe */.q0)(error);
}

// EXTERNAL MODULE: ./node_modules/zod/v4/classic/schemas.js + 15 modules
var schemas = __webpack_require__(9691);
// EXTERNAL MODULE: ./build/lease/clock.js + 1 modules
var lease_clock = __webpack_require__(4467);
// EXTERNAL MODULE: ./build/lease/duration.js
var duration = __webpack_require__(1256);
;// CONCATENATED MODULE: ./build/runner/client.js




const client_ANSWER_WITHIN = 20_000;
/** Pauses before a request that may be repeated is sent again. */
const REPEATS = [1_000, 4_000];
/** A limit that ends sooner than this is waited for. */
const LONGEST_BLOCK = 60_000;
/** No answer came: what was asked for may have happened all the same. */
class GitHubSilence extends lease_failure/* GitHubFailure */.iK {
}
function openClient(octokit, clock, log) {
    return {
        async send(request) {
            const { access, signal } = request;
            const mayRepeat = !request.route.startsWith("POST ");
            let renewed = false;
            for (let round = 0;; round += 1) {
                await waitForBudget(request);
                const outcome = await sendOnce(request, await access.token(signal, renewed));
                if (outcome.status === 401 && access.renewable && !renewed) {
                    renewed = true;
                    continue;
                }
                if (outcome.status === 401)
                    throw blameToken(access, outcome.message);
                if (isLimit(outcome, access, clock)) {
                    if (round < REPEATS.length && access.budget.blockedUntil - clock.now() <= LONGEST_BLOCK)
                        continue;
                    throw blameLimit(request);
                }
                if (outcome.status !== 0 && outcome.status < 500)
                    return outcome;
                const pause = mayRepeat ? REPEATS[round] : undefined;
                if (pause !== undefined) {
                    await clock.sleep(pause, signal);
                    continue;
                }
                if (outcome.status !== 0)
                    return outcome;
                throw new GitHubSilence(`GitHub did not answer ${nameOf(request)}: ${outcome.message}`, "Check the network of the runner, HTTPS_PROXY and NO_PROXY; githubstatus.com tells of outages.");
            }
        },
    };
    async function waitForBudget(request) {
        const wait = request.access.budget.blockedUntil - clock.now();
        if (wait > LONGEST_BLOCK)
            throw blameLimit(request);
        if (wait > 0)
            await clock.sleep(wait, request.signal);
    }
    function blameLimit(request) {
        const { budget, input } = request.access;
        return new lease_failure/* GitHubFailure */.iK(`GitHub's rate limit for '${input}' is used up for another ${(0,duration/* formatDuration */.a)(Math.max(0, budget.blockedUntil - clock.now()))}.`, "Other jobs of this repository share it. Fewer guards at a time, or an App's token of its own, help.");
    }
    /** Status 0 stands for no answer. */
    async function sendOnce({ route, parameters, access, etag, signal }, token) {
        const headers = {
            authorization: `Bearer ${token}`,
            "x-github-api-version": "2022-11-28",
            ...(etag === undefined ? {} : { "if-none-match": etag }),
        };
        const late = AbortSignal.timeout(client_ANSWER_WITHIN);
        const finish = (status, answered, data, message) => {
            noteBudget(access, status, answered, message, clock);
            log.debug(`${nameOf({ route })}: ${status || "no answer"}, ${access.budget.remaining ?? "unknown"} left for '${access.input}'`);
            const { etag: fresh } = answered;
            return { status, data, message, ...(typeof fresh === "string" ? { etag: fresh } : {}) };
        };
        try {
            const request = { signal: AbortSignal.any([signal, late]) };
            const answer = await octokit.request(route, { ...parameters, headers, request });
            return finish(answer.status, answer.headers, answer.data, "");
        }
        catch (error) {
            signal.throwIfAborted();
            const status = statusOf(error);
            const why = late.aborted
                ? `no answer within ${(0,duration/* formatDuration */.a)(client_ANSWER_WITHIN)}`
                : describeSafely(error).replaceAll(token, "***");
            return finish(status, headersOf(error), undefined, (0,plain/* plain */.pj)(why));
        }
    }
}
function nameOf({ route }) {
    return route;
}
function headersOf(error) {
    if (typeof error !== "object" || error === null || !("response" in error))
        return {};
    const { response } = error;
    if (typeof response !== "object" || response === null || !("headers" in response))
        return {};
    const { headers } = response;
    return typeof headers === "object" && headers !== null ? { ...headers } : {};
}
/** https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api */
function noteBudget({ budget }, status, headers, message, clock) {
    const number = (name) => (headers[name] === undefined ? undefined : Number(headers[name]));
    const remaining = number("x-ratelimit-remaining");
    const reset = number("x-ratelimit-reset");
    if (remaining !== undefined && Number.isFinite(remaining))
        budget.remaining = remaining;
    if (reset !== undefined && Number.isFinite(reset))
        budget.resetAt = reset * 1000;
    if (status !== 403 && status !== 429)
        return;
    const retryAfter = number("retry-after");
    if (retryAfter !== undefined && Number.isFinite(retryAfter))
        budget.blockedUntil = clock.now() + retryAfter * 1000;
    else if (remaining === 0)
        budget.blockedUntil = budget.resetAt;
    else if (status === 429 || /secondary rate limit|abuse detection/i.test(message))
        budget.blockedUntil = clock.now() + LONGEST_BLOCK;
}
/** A 403 can mean a limit or a permission that is missing. */
function isLimit({ status }, { budget }, clock) {
    return (status === 403 || status === 429) && budget.blockedUntil > clock.now();
}
function blameToken({ input }, message) {
    const hint = input === "run-token"
        ? "Leave 'run-token' unset: the default is the token of this job, which lasts as long as it does."
        : "It is wrong, was revoked or has expired. An App's token ends after an hour: give 'github-app-id' and 'github-app-private-key' instead, from which fresh ones are made.";
    return new lease_failure/* GitHubTokenFailure */.tp(`GitHub does not accept '${input}' (any more): ${message}`, hint);
}

;// CONCATENATED MODULE: ./build/runner/registrations.js





/** Names that are tried where one is taken. */
const SUFFIXES = ["", "-b", "-c", "-d"];
const LONGEST_NAME = 64;
/** GitHub removes no runner that has a job; how long it is asked again. */
const BUSY_FOR = 60_000;
const BUSY_PAUSE = 5_000;
const runner = schemas/* object */.Ikc({
    id: schemas/* int */.Whr().positive(),
    name: schemas/* string */.YjP(),
    status: schemas/* string */.YjP().catch("unknown"),
    busy: schemas/* boolean */.zMY().catch(false),
    labels: schemas/* array */.YOg(schemas/* object */.Ikc({ name: schemas/* string */.YjP() })).catch([]),
});
const list = schemas/* object */.Ikc({ runners: schemas/* array */.YOg(runner) });
const minted = schemas/* object */.Ikc({
    runner: schemas/* object */.Ikc({ id: schemas/* int */.Whr().positive(), name: schemas/* string */.YjP() }),
    encoded_jit_config: schemas/* string */.YjP().min(1),
});
/** https://docs.github.com/en/rest/actions/self-hosted-runners */
function openRegistrations(options) {
    const { client, access, scope, clock, log } = options;
    const base = scope.kind === "repository" ? "/repos/{owner}/{repo}/actions/runners" : "/orgs/{org}/actions/runners";
    const place = scope.kind === "repository" ? { owner: scope.owner, repo: scope.repository } : { org: scope.owner };
    const etags = new Map();
    const ask = (route, parameters, signal, etag) => client.send({ route, parameters: { ...place, ...parameters }, access, signal, etag });
    async function find(name, signal) {
        const answer = await ask(`GET ${base}`, { name, per_page: 100 }, signal);
        refuseUnlessAllowed(answer, scope, access);
        const parsed = list.safeParse(answer.data);
        if (!parsed.success)
            throw unreadable("list of runners", answer);
        return parsed.data.runners.find((one) => one.name === name);
    }
    /** A record carries exactly our labels, and nobody uses it: it came of a request of ours whose answer was lost. */
    async function clear(name, signal) {
        const found = await find(name, signal);
        if (found === undefined)
            return;
        const theirs = found.labels.map((label) => label.name.toLowerCase()).toSorted();
        const ours = options.labels.map((label) => label.toLowerCase()).toSorted();
        const isOurs = theirs.length === ours.length && theirs.every((label, index) => label === ours[index]);
        if (!isOurs || found.status !== "offline" || found.busy) {
            log.info(`There is a runner '${(0,plain/* plain */.pj)(name, LONGEST_NAME)}' that is not a leftover of ours; it is let be.`);
            return;
        }
        await removeById(found.id, signal);
    }
    async function removeById(id, signal) {
        const patience = (0,lease_clock/* deadlineAfter */.d8)(clock, BUSY_FOR);
        for (;;) {
            const answer = await ask(`DELETE ${base}/{runner_id}`, { runner_id: id }, signal);
            if (answer.status === 204 || answer.status === 404)
                return;
            if (answer.status !== 422 || patience.passed()) {
                refuseUnlessAllowed(answer, scope, access);
                throw new lease_failure/* GitHubFailure */.iK(`GitHub does not remove runner ${id} (HTTP ${answer.status}: ${answer.message}).`, "It costs nothing, and GitHub removes it by itself within a day. The repository's settings list it.");
            }
            await clock.sleep(BUSY_PAUSE, signal);
        }
    }
    return {
        async mint(name, { signal, onIntent }) {
            let trouble;
            for (const suffix of SUFFIXES) {
                const tried = `${name.slice(0, LONGEST_NAME - suffix.length)}${suffix}`;
                onIntent(tried);
                const parameters = { name: tried, runner_group_id: options.groupId, labels: options.labels, work_folder: "_work" };
                try {
                    const answer = await ask(`POST ${base}/generate-jitconfig`, parameters, signal);
                    const registration = answer.status === 201 ? readMinted(answer) : undefined;
                    if (registration !== undefined)
                        return registration;
                    trouble = refusalOf(answer);
                }
                catch (error) {
                    if (!(error instanceof GitHubSilence))
                        throw error;
                    trouble = error;
                }
                log.info(`The runner '${(0,plain/* plain */.pj)(tried, LONGEST_NAME)}' was not registered (${(0,plain/* plain */.pj)((0,lease_failure/* describe */.q0)(trouble))}); another name is tried.`);
                await clear(tried, signal);
            }
            throw new lease_failure/* GitHubFailure */.iK(`No runner could be registered under ${SUFFIXES.length} names: ${(0,plain/* plain */.pj)((0,lease_failure/* describe */.q0)(trouble))}`, "Nothing more is bought.", { cause: trouble });
        },
        async status({ id }, signal) {
            const known = etags.get(id);
            const answer = await ask(`GET ${base}/{runner_id}`, { runner_id: id }, signal, known?.etag);
            if (answer.status === 304 && known !== undefined)
                return known;
            if (answer.status === 404)
                return { state: "gone", busy: false };
            const parsed = runner.safeParse(answer.data);
            if (answer.status !== 200 || !parsed.success)
                throw unreadable("runner", answer);
            const { status, busy } = parsed.data;
            const fresh = { state: status === "online" ? "online" : "offline", busy };
            if (answer.etag !== undefined)
                etags.set(id, { ...fresh, etag: answer.etag });
            return fresh;
        },
        async remove({ name, id }, signal) {
            if (id === undefined)
                await clear(name, signal);
            else
                await removeById(id, signal);
        },
    };
    function readMinted(answer) {
        const parsed = minted.safeParse(answer.data);
        if (!parsed.success)
            return undefined;
        const { runner: record, encoded_jit_config: configuration } = parsed.data;
        options.maskSecret(configuration);
        return { id: record.id, name: record.name, configuration, mintedAt: clock.ticks() };
    }
    /** Why there is no configuration, where another name may help; thrown where it may not. */
    function refusalOf(answer) {
        refuseUnlessAllowed(answer, scope, access);
        const failure = new lease_failure/* GitHubFailure */.iK(`GitHub does not register a runner (HTTP ${answer.status}${answer.message === "" ? "" : `: ${answer.message}`}).`, "Nothing was bought for it. Do 'runner-group-id', 'runner-scope' and 'runner-label' exist and fit?");
        if (answer.status === 422 || answer.status === 400)
            throw failure;
        return failure;
    }
}
function refuseUnlessAllowed({ status, message }, scope, { input }) {
    if (status !== 403 && status !== 404)
        return;
    const [where, permission] = scope.kind === "repository"
        ? [`${scope.owner}/${scope.repository}`, "Administration: write"]
        : [`organisation ${scope.owner}`, "Self-hosted runners: write"];
    throw new lease_failure/* GitHubTokenFailure */.tp(`'${input}' may not manage the runners of ${(0,plain/* plain */.pj)(where)} (HTTP ${status}: ${message}).`, `Nothing was bought. Give it the permission ${permission} there: a fine-grained personal access token or a GitHub App. The job's own GITHUB_TOKEN can never have it.`);
}
function unreadable(what, { status, message }) {
    return new lease_failure/* GitHubFailure */.iK(`GitHub's ${what} cannot be read (HTTP ${status}${message === "" ? "" : `: ${message}`}).`, "It may be an outage, see githubstatus.com, or a proxy in between.");
}

;// CONCATENATED MODULE: ./build/runner/application.js




const downloads = schemas/* array */.YOg(schemas/* object */.Ikc({
    os: schemas/* string */.YjP(),
    architecture: schemas/* string */.YjP(),
    download_url: schemas/* string */.YjP(),
    filename: schemas/* string */.YjP(),
    sha256_checksum: schemas/* string */.YjP().optional(),
}));
const release = schemas/* object */.Ikc({
    assets: schemas/* array */.YOg(schemas/* object */.Ikc({ name: schemas/* string */.YjP(), browser_download_url: schemas/* string */.YjP(), digest: schemas/* string */.YjP().nullish() })),
});
const ARCHITECTURES = ["x64", "arm64"];
/**
 * The runner application: `latest` as GitHub offers it to this repository or organisation, else a version of its releases. Every
 * archive has a checksum; throws GitHubFailure when none is to be had.
 */
async function resolveApplication(version, { client, scope, runners, run }, signal) {
    const [base, place] = scope.kind === "repository"
        ? ["/repos/{owner}/{repo}", { owner: scope.owner, repo: scope.repository }]
        : ["/orgs/{org}", { org: scope.owner }];
    // Asked for whatever the version: it shows, before anything is bought, that the token may manage runners.
    const answer = await client.send({
        route: `GET ${base}/actions/runners/downloads`,
        parameters: place,
        access: runners,
        signal,
    });
    refuseUnlessAllowed(answer, scope, runners);
    const offered = downloads.safeParse(answer.data);
    if (answer.status !== 200 || !offered.success)
        throw unreadable("list of runner applications", answer);
    const linux = offered.data.filter(({ os }) => os === "linux");
    const newest = linux.map(({ filename }) => versionIn(filename)).find((found) => found !== undefined);
    const wanted = version === "latest" ? newest : version;
    if (wanted === undefined)
        throw blameMissing(version);
    const archives = {};
    for (const architecture of ARCHITECTURES) {
        const fit = linux.find((one) => one.architecture === architecture && versionIn(one.filename) === wanted);
        const archive = toArchive(fit?.download_url, fit?.sha256_checksum);
        if (archive !== undefined)
            archives[architecture] = archive;
    }
    if (Object.keys(archives).length === 0) {
        const assets = await readRelease(wanted);
        for (const architecture of ARCHITECTURES) {
            const asset = assets.find(({ name }) => name === `actions-runner-linux-${architecture}-${wanted}.tar.gz`);
            const archive = toArchive(asset?.browser_download_url, asset?.digest?.replace(/^sha256:/, ""));
            if (archive !== undefined)
                archives[architecture] = archive;
        }
    }
    if (Object.keys(archives).length === 0)
        throw blameMissing(wanted);
    return { version: wanted, ...archives };
    /** https://docs.github.com/en/rest/releases/releases#get-a-release-by-tag-name */
    async function readRelease(tagged) {
        const parameters = { owner: "actions", repo: "runner", tag: `v${tagged}` };
        const found = await client.send({ route: "GET /repos/{owner}/{repo}/releases/tags/{tag}", parameters, access: run, signal });
        if (found.status === 404)
            throw blameMissing(tagged);
        const parsed = release.safeParse(found.data);
        if (found.status !== 200 || !parsed.success)
            throw unreadable("release of the runner application", found);
        return parsed.data.assets;
    }
}
/** `2.336.0` in `actions-runner-linux-x64-2.336.0.tar.gz`. */
function versionIn(filename) {
    return /-(\d+\.\d+\.\d+)\.tar\.gz$/.exec(filename)?.[1];
}
function toArchive(url, checksum) {
    const sha256 = checksum?.toLowerCase() ?? "";
    if (url === undefined || !/^[0-9a-f]{64}$/.test(sha256) || !URL.canParse(url) || /[\s'"\\]/.test(url))
        return undefined;
    const { protocol, hostname } = new URL(url);
    const isLoopback = hostname === "localhost" || hostname === "[::1]" || /^127\./.test(hostname);
    return protocol === "https:" || (protocol === "http:" && isLoopback) ? { url, sha256 } : undefined;
}
function blameMissing(version) {
    return new lease_failure/* GitHubFailure */.iK(`There is no runner application '${(0,plain/* plain */.pj)(version, 40)}' for Linux that comes with a checksum.`, "Nothing was bought. Nothing is installed whose checksum is not known; leave 'runner-version' unset for the one that GitHub offers.");
}

;// CONCATENATED MODULE: ./build/runner/jobs.js


const PER_PAGE = 100;
/** More jobs than any run may have: a list that claims them is not followed. */
const MOST_PAGES = 50;
/** Of what is left of a rate limit: the rest is for the ends of jobs, which are looked at at once. */
const SHARE = 0.5;
const moment = schemas/* string */.YjP()
    .transform((text) => Date.parse(text))
    .refine(Number.isFinite)
    .optional()
    .catch(undefined);
const step = schemas/* object */.Ikc({ name: schemas/* string */.YjP().catch(""), status: schemas/* string */.YjP().catch("") });
const job = schemas/* object */.Ikc({
    id: schemas/* number */.aig(),
    name: schemas/* string */.YjP().catch(""),
    status: schemas/* string */.YjP().catch("unknown"),
    conclusion: schemas/* string */.YjP().nullish().catch(undefined),
    labels: schemas/* array */.YOg(schemas/* string */.YjP()).catch([]),
    runner_name: schemas/* string */.YjP().nullish().catch(undefined),
    started_at: moment,
    completed_at: moment,
    html_url: schemas/* string */.YjP().nullish().catch(undefined),
    steps: schemas/* array */.YOg(step).nullish().catch(undefined),
});
const page = schemas/* object */.Ikc({ total_count: schemas/* number */.aig().int().nonnegative(), jobs: schemas/* array */.YOg(job) });
/**
 * The jobs of a run attempt, with as few requests as it takes: a page that has not changed costs nothing (304), and one whose
 * jobs are all over is not asked for again. https://docs.github.com/en/rest/actions/workflow-jobs
 */
function openRunJobs(options) {
    const { client, clock, labels, matrix, run, runners } = options;
    const [owner = "", repo = ""] = options.repository.split("/");
    const pages = new Map();
    const wanted = new Set(labels.map((label) => label.toLowerCase()));
    // Undefined until it was tried: whether the runners' access sees the jobs, which it need not.
    let runnersSee = runners === undefined ? false : undefined;
    let asked = false;
    let total = 0;
    // Jobs are listed as the workflow has them, so a GPU job is likely to stand where its guard does, in a matrix of its own behind or
    // before that of the guards.
    const guesses = [matrix.total + matrix.index, matrix.index].map((position) => Math.floor(position / PER_PAGE) + 1);
    const etags = new Map();
    const ask = (number, access, signal) => client.send({
        route: "GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}/jobs",
        parameters: { owner, repo, run_id: options.runId, attempt_number: options.runAttempt, per_page: PER_PAGE, page: number },
        access,
        // GitHub makes it of the answer and of who asks.
        etag: etags.get(`${access.input} ${number}`),
        signal,
    });
    async function read(number, signal) {
        if (asked && runners !== undefined && nextAccess() === runners) {
            const answer = await refusable(ask(number, runners, signal));
            if (answer !== undefined && answer.status !== 403 && answer.status !== 404) {
                runnersSee = true;
                return keep(number, runners, answer);
            }
            runnersSee = false;
        }
        const answer = await ask(number, run, signal);
        asked = true;
        return keep(number, run, answer);
    }
    function keep(number, access, answer) {
        const known = pages.get(number);
        if (answer.status === 304 && known !== undefined)
            return known;
        if (answer.status === 403 || answer.status === 404)
            throw blamePermission(answer);
        const parsed = answer.status === 200 ? page.safeParse(answer.data) : undefined;
        if (parsed?.success !== true) {
            throw new lease_failure/* GitHubFailure */.iK(`GitHub's list of this run's jobs cannot be read (HTTP ${answer.status}${answer.message === "" ? "" : `: ${answer.message}`}).`, "It is asked for again.");
        }
        const fresh = { etag: answer.etag, total: parsed.data.total_count, jobs: parsed.data.jobs.map(toJob) };
        pages.set(number, fresh);
        if (answer.etag !== undefined)
            etags.set(`${access.input} ${number}`, answer.etag);
        return fresh;
    }
    /** A page on which nothing can change any more, as long as the list does not shrink. */
    const isSettled = (one) => one?.jobs.length === PER_PAGE && one.jobs.every(({ status }) => status === "completed");
    return {
        async look({ signal, thorough = false }) {
            const before = total;
            const fresh = new Set();
            const refresh = async (number) => {
                if (fresh.has(number))
                    return;
                if (!isSettled(pages.get(number)))
                    ({ total } = await read(number, signal));
                fresh.add(number);
            };
            // Every page tells how many jobs there are; new ones are on the last.
            await refresh(before === 0 ? (guesses[0] ?? 1) : (allPages().find(isOurs) ?? lastPage()));
            if (total < before)
                pages.clear();
            if (total > before && before > 0)
                await refresh(lastPage());
            const isNews = (number) => pages.get(number) === undefined || isOurs(number);
            for (const number of byLikelihood()) {
                if (thorough && canAffordAll())
                    await refresh(number);
                // Where our jobs are known, what is on pages that nobody has looked at is not ours.
                else if (isNews(number) && (isOurs(number) || !knowsOurs()))
                    await refresh(number);
            }
            for (const number of pages.keys())
                if (number > lastPage())
                    pages.delete(number);
            return { jobs: known(), whole: allPages().every((number) => fresh.has(number) || isSettled(pages.get(number))) };
        },
        known: () => ({ jobs: known(), whole: false }),
        pause(least) {
            const { remaining, resetAt, blockedUntil } = nextAccess().budget;
            const untilReset = Math.max(0, resetAt - clock.now());
            const blocked = Math.max(0, blockedUntil - clock.now());
            if (remaining === 0 || blocked > 0)
                return Math.max(least, blocked, remaining === 0 ? untilReset : 0);
            if (remaining === undefined || untilReset === 0)
                return least;
            return Math.max(least, Math.min(untilReset, (untilReset * matrix.total) / (remaining * SHARE)));
        },
    };
    function known() {
        return [...pages.entries()].toSorted(([one], [other]) => one - other).flatMap(([, { jobs }]) => jobs);
    }
    function lastPage() {
        return Math.min(MOST_PAGES, Math.max(1, Math.ceil(total / PER_PAGE)));
    }
    function allPages() {
        return Array.from({ length: lastPage() }, (_, index) => index + 1);
    }
    function byLikelihood() {
        return [...new Set([...guesses, ...allPages()])].filter((number) => number <= lastPage());
    }
    function knowsOurs() {
        return allPages().some(isOurs);
    }
    function isOurs(number) {
        const jobs = pages.get(number)?.jobs ?? [];
        return jobs.some((one) => one.labels.some((label) => wanted.has(label.toLowerCase())));
    }
    /** Whether every guard of the matrix could look at everything now, and most of the budget would still be there. */
    function canAffordAll() {
        const { remaining } = nextAccess().budget;
        return remaining === undefined || lastPage() * matrix.total <= remaining / 4;
    }
    function nextAccess() {
        return runners !== undefined && runnersSee !== false && hasRoom(runners) ? runners : run;
    }
    function hasRoom({ budget }) {
        return budget.blockedUntil <= clock.now() && (budget.remaining !== 0 || budget.resetAt <= clock.now());
    }
}
/** A token that may not be used for this is no trouble: the other one is. */
async function refusable(asking) {
    try {
        return await asking;
    }
    catch (error) {
        if (error instanceof lease_failure/* GitHubTokenFailure */.tp)
            return undefined;
        throw error;
    }
}
function blamePermission({ status, message }) {
    return new lease_failure/* GitHubTokenFailure */.tp(`'run-token' may not see the jobs of this run (HTTP ${status}: ${message}).`, "Give the guard's job this line:\n    permissions: { actions: write }\nIt takes all other permissions away from that job; the GPU job keeps its own.");
}
function toJob(one) {
    return {
        id: one.id,
        name: one.name,
        status: one.status,
        labels: one.labels,
        runningSteps: (one.steps ?? []).filter(({ status }) => status === "in_progress").map(({ name }) => name),
        ...(one.conclusion ? { conclusion: one.conclusion } : {}),
        ...(one.runner_name ? { runnerName: one.runner_name } : {}),
        ...(one.started_at === undefined ? {} : { startedAt: one.started_at }),
        ...(one.completed_at === undefined ? {} : { completedAt: one.completed_at }),
        ...(one.html_url ? { url: one.html_url } : {}),
    };
}

// EXTERNAL MODULE: ./node_modules/@actions/github/lib/utils.js + 15 modules
var utils = __webpack_require__(1137);
;// CONCATENATED MODULE: ./build/runner/octokit.js


/** A client without a token of its own: each request brings one. HTTPS_PROXY and NO_PROXY are honoured. */
function openOctokit(apiUrl, log) {
    const say = (message) => log.debug((0,plain/* plain */.pj)(message));
    return new utils/* GitHub */.gq({ baseUrl: apiUrl, userAgent: "gpu-provision", log: { debug: say, info: say, warn: say, error: say } });
}

;// CONCATENATED MODULE: ./build/runner/service.js







/** GitHub's side of runner mode. Without a token, what needs it throws GitHubTokenFailure. */
function openRunnerService(options) {
    const { clock, guarding, log, maskSecret, repository, runId } = options;
    const { credentials, labels, runToken, scope } = guarding;
    const octokit = openOctokit(options.apiUrl, log);
    const client = openClient(octokit, clock, log);
    const run = runToken === undefined ? without("run-token") : accessByToken("run-token", runToken);
    const runners = openRunnersAccess();
    const [owner = "", repo = ""] = repository.split("/");
    return {
        jobs: openRunJobs({ ...options, client, labels, run, runners: credentials && runners, matrix: guarding.matrix }),
        registrations: openRegistrations({
            client,
            access: runners,
            scope,
            groupId: guarding.groupId,
            labels,
            clock,
            log,
            maskSecret,
        }),
        resolveApplication: (version, signal) => resolveApplication(version, { client, scope, runners, run }, signal),
        async cancelRun(signal) {
            const parameters = { owner, repo, run_id: runId };
            const answer = await client.send({
                route: "POST /repos/{owner}/{repo}/actions/runs/{run_id}/cancel",
                parameters,
                access: run,
                signal,
            });
            // A run that is over cannot be cancelled.
            if (answer.status === 202 || answer.status === 409)
                return;
            throw new lease_failure/* GitHubFailure */.iK(`GitHub does not cancel this run (HTTP ${answer.status}: ${answer.message}).`, "Give the guard's job this line:\n    permissions: { actions: write }");
        },
    };
    function openRunnersAccess() {
        if (credentials === undefined)
            return without("github-token");
        if (credentials.kind === "token")
            return accessByToken("github-token", credentials.token);
        return accessByApp(credentials, scope, octokit, maskSecret);
    }
}
function without(input) {
    return {
        ...accessByToken(input, ""),
        async token() {
            throw new lease_failure/* GitHubTokenFailure */.tp(`There is no '${input}'.`, "It is evaluated anew for the post step: is the secret still there?");
        },
    };
}

;// CONCATENATED MODULE: ./build/runner/kit.js
/** All that a guard needs of this folder, as one chunk that main loads in runner mode only. */





/***/ })

};
;