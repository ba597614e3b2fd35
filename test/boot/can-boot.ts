import { spawnSync } from "node:child_process";

/** Why no machine can be booted here; undefined when one can. With REQUIRE_REAL=1 a reason is an error. */
export function findObstacle(): string | undefined {
  const obstacle = look();
  if (obstacle !== undefined && process.env["REQUIRE_REAL"] === "1") throw new Error(`REQUIRE_REAL is set, but ${obstacle}.`);
  return obstacle;
}

function look(): string | undefined {
  if (process.platform !== "linux") return "this test runs on Linux only";
  if (process.getuid?.() !== 0) return "this test has to run as root, which installs a Debian and mounts file systems";
  const missing = ["debootstrap", "unshare", "nsenter", "tar", "apt-get"].filter(
    (program) => spawnSync(program, ["--help"], { stdio: "ignore" }).error !== undefined,
  );
  return missing.length === 0 ? undefined : `these programs are missing: ${missing.join(", ")} (package: debootstrap)`;
}
