import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";

const RUN = `#!/bin/bash
cd "$(dirname "$0")" || exit 1
# The real one asks the same; machines of the sandbox have no users of their own.
if [ "$(id -u)" -eq 0 ] && [ -z "$RUNNER_ALLOW_RUNASROOT" ] && [ -z "$SANDBOX_MACHINE" ]; then
  echo "Must not run interactively with sudo"
  exit 1
fi
exec ./bin/Runner.Listener run "$@"
`;
const LISTENER = `#!/bin/sh
exec "\${GPUP_SANDBOX_NODE:-node}" "$(dirname "$0")/Runner.Listener.cjs" "$@"
`;

/** A tar.gz with the layout of the real runner application, and a stand-in for what is in it. */
export async function buildRunnerArchive(version: string): Promise<{ readonly bytes: Uint8Array }> {
  const listener = await readFile(new URL("listener.cjs", import.meta.url), "utf8");
  const files = [
    { name: "./run.sh", content: RUN },
    { name: "./config.sh", content: "#!/bin/bash\nexit 1\n" },
    { name: "./env.sh", content: "#!/bin/bash\n" },
    { name: "./bin/Runner.Listener", content: LISTENER },
    { name: "./bin/Runner.Listener.cjs", content: listener.replace("@VERSION@", version) },
    { name: "./bin/installdependencies.sh", content: "#!/bin/bash\n" },
  ];
  const archive = pack();
  for (const name of ["./", "./bin/", "./externals/"]) archive.entry({ name, type: "directory", mode: 0o755 });
  for (const { name, content } of files) archive.entry({ name, mode: 0o755 }, content);
  archive.finalize();
  return { bytes: gzipSync(await buffer(archive)) };
}
