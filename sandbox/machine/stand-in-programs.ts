import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Leaves `-o`, the file and the address as the arguments of a stand-in for curl. */
export const ARGUMENTS_OF_CURL = 'while [ "$1" != -o ]; do shift; done';
/** A stand-in for curl, for computers that have none: fetches what comes behind `-o FILE`. */
export const FETCH = `${ARGUMENTS_OF_CURL}
exec "$GPUP_SANDBOX_NODE" -e '
  fetch(process.argv[1]).then(async (answer) => {
    if (!answer.ok) throw new Error("The requested URL returned error: " + answer.status);
    require("node:fs").writeFileSync(process.argv[2], Buffer.from(await answer.arrayBuffer()));
  }).catch((error) => { console.error("curl: " + error.message); process.exit(22); });
' "$3" "$2"`;

/**
 * Programs that would change the computer that the machine is played on. Each writes its call down, and does what the caller needs
 * for going on: those that change the user run the command as it is.
 */
const programs: Readonly<Record<string, string>> = {
  systemctl: "exit 1",
  service: "exit 1",
  useradd: "exit 0",
  adduser: "exit 0",
  usermod: "exit 0",
  groupadd: "exit 0",
  chown: "exit 0",
  visudo: "exit 0",
  shutdown: "exit 0",
  poweroff: "exit 0",
  reboot: "exit 0",
  "apt-get": "exit 1",
  curl: FETCH,
  runuser: 'shift\nUSER=$1\nshift 2\nexport USER\nexec "$@"',
  sudo: 'while case $1 in -u | -g) shift ;; -*) ;; *) false ;; esac; do shift; done\nexec env "$@"',
};

/** Writes them into a directory of programs. `calls` is the file with a line for each call. */
export async function writeStandInPrograms(directory: string, calls: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const [name, body] of Object.entries(programs)) {
    const path = join(directory, name);
    await writeFile(path, `#!/bin/sh\nprintf '%s\\n' "${name} $*" >>'${calls}'\n${body}\n`);
    await chmod(path, 0o755);
  }
}
