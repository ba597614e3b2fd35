import { shellWord } from "./shell-word.ts";

/** What the launcher says, after its nonce, on a line of stderr when it cannot start the script. */
export const refusals = ["no-temporary-directory", "cut-short", "no-directory", "no-shell"] as const;

export type Refusal = (typeof refusals)[number];

/** Where the files of one run lie on the machine. The nonce makes the path unguessable, and mkdir refuses one that exists. */
export function runDirectory(nonce: string): string {
  return `/tmp/gpup-${nonce}`;
}

/**
 * Runs on the machine under whatever POSIX shell `sh` is there (dash, busybox, bash). Its arguments are two sizes, a nonce and the
 * script's file extension; everything else comes over stdin: first the file `go`, then the script. Nothing more follows, so stdin
 * then ends exactly when the connection does, however that comes about, and the watcher ends the script's whole process group. What
 * the script leaves running at its own end stays, as in a workflow step: a server for the steps that follow.
 */
const LAUNCHER = `
go_size=$1 script_size=$2 nonce=$3 extension=$4
dir=/tmp/gpup-$nonce
job= watcher= target=

quietly() { "$@" 2>/dev/null; }
refuse() { printf "%s %s\\n" "$nonce" "$1" >&2; exit 125; }
pause() {
  if quietly sleep 0.1; then ticks=$((ticks + 1)); else sleep 1; ticks=$((ticks + 10)); fi
}
linger() {
  ticks=0
  while [ "$ticks" -lt 20 ] && quietly kill -0 "$target"; do pause; done
}
stop() {
  ticks=0
  quietly kill -TERM "$target" || { pause; quietly kill -TERM "$target"; }
  linger
  quietly kill -KILL "$target"
}
clean() {
  [ -z "$watcher" ] || quietly kill -TERM "$watcher"
  rm -rf "$dir"
}

mask=$(umask)
umask 077
quietly mkdir -m 700 "$dir" || refuse no-temporary-directory
trap clean EXIT
trap "exit 143" HUP INT TERM
head -c "$((go_size + script_size))" >"$dir/both" || refuse no-temporary-directory
head -c "$go_size" "$dir/both" >"$dir/go" || refuse no-temporary-directory
tail -c "+$((go_size + 1))" "$dir/both" >"$dir/script$extension" || refuse no-temporary-directory
[ "$(wc -c <"$dir/both")" -eq "$((go_size + script_size))" ] || refuse cut-short
rm -f "$dir/both"
umask "$mask"

exec 3<&0
if command -v setsid >/dev/null 2>&1; then
  setsid sh "$dir/go" </dev/null 3<&- &
  job=$! target=-$!
else
  quietly set -m
  sh "$dir/go" </dev/null 3<&- &
  job=$!
  case $- in *m*) target=-$job ;; *) target=$job ;; esac
  quietly set +m
fi
exec </dev/null >/dev/null 2>&1
trap "stop; exit 143" HUP INT TERM
(
  trap - HUP INT TERM EXIT
  while IFS= read -r line; do :; done
  : >"$dir/stopping"
  stop
  rm -rf "$dir"
) <&3 &
watcher=$!
exec 3<&-
wait "$job"
code=$?
if [ -e "$dir/stopping" ]; then
  wait "$watcher"
  watcher=
fi
exit "$code"
`;

/** The command that starts a script whose two files have these sizes in bytes. It says nothing about what is in them. */
export function launchCommand(goSize: number, scriptSize: number, nonce: string, extension: string): string {
  return `exec sh -c ${shellWord(LAUNCHER)} gpup ${goSize} ${scriptSize} ${nonce} ${shellWord(extension)}`;
}
