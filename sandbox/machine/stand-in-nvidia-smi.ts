/** What the stand-in `nvidia-smi` shows: so many GPUs of a name, or the two ways in which a driver is not ready. */
export type ShownGpus = { readonly name: string; readonly count: number } | "missing" | "broken";

const DRIVER = "570.124.06";

function memoryOf(name: string): number {
  const gigabytes = /(\d+)\s?GB/.exec(name)?.[1];
  return gigabytes === undefined ? 24_564 : Math.round(Number(gigabytes) * 1019);
}

/** A shell script that answers as nvidia-smi does to `-L`, to `--query-gpu=… --format=csv[,noheader][,nounits]` and to nothing. */
export function nvidiaSmiScript(gpus: ShownGpus): string {
  if (gpus === "missing") return "#!/bin/sh\necho 'sh: 1: nvidia-smi: not found' >&2\nexit 127\n";
  if (gpus === "broken")
    return (
      "#!/bin/sh\necho \"NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. " +
      'Make sure that the latest NVIDIA driver is installed and running."\nexit 9\n'
    );
  const name = gpus.name.replaceAll("'", "");
  return `#!/bin/sh
name='${name}' count=${gpus.count} memory=${memoryOf(name)} driver=${DRIVER}
fields= header=yes units=' MiB' list=
for word in "$@"; do
  case $word in
    --query-gpu=*) fields=\${word#*=} ;;
    --format=*) case $word in *noheader*) header= ;; esac; case $word in *nounits*) units= ;; esac ;;
    -L|--list-gpus) list=yes ;;
  esac
done
show() {
  case $1 in
    index) echo "$gpu" ;;
    name|gpu_name) echo "$name" ;;
    memory.total) echo "$memory$units" ;;
    driver_version) echo "$driver" ;;
    uuid|gpu_uuid) echo "GPU-00000000-0000-0000-0000-00000000000$gpu" ;;
    count) echo "$count" ;;
    *) echo "[N/A]" ;;
  esac
}
[ -n "$fields" ] && [ -n "$header" ] && echo "$fields" | sed 's/,/, /g'
[ -n "$fields$list" ] || echo "NVIDIA-SMI $driver   Driver Version: $driver   CUDA Version: 12.8"
gpu=0
while [ "$gpu" -lt "$count" ]; do
  if [ -n "$fields" ]; then
    line=
    for field in $(echo "$fields" | tr ',' ' '); do line="$line\${line:+, }$(show "$field")"; done
    echo "$line"
  elif [ -n "$list" ]; then
    echo "GPU $gpu: $name (UUID: $(show uuid))"
  else
    echo "|  $gpu  $name   \${memory}MiB |"
  fi
  gpu=$((gpu + 1))
done
`;
}
