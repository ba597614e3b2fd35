import { showRunnerMode } from "./demo-runner.ts";
import { showSshMode } from "./demo-ssh.ts";

/**
 * `npm run demo`: one job, from the purchase to the proof of deletion, against a marketplace and a machine on this computer. It
 * runs the shipped bundles as GitHub's runner would. No account and no money is involved. `npm run demo -- runner` shows runner mode; `-- clore` and `-- clore runner` show
 * the same with Clore as the marketplace.
 */
const demos = new Map([
  ["ssh", showSshMode],
  ["runner", showRunnerMode],
]);
const words = process.argv.slice(2);
const provider = words.includes("clore") ? "clore" : "compute-clear";
const asked = words.filter((word) => word !== "clore").join(" ") || "ssh";
const demo = demos.get(asked);
if (demo === undefined) {
  console.error(`There is no demo '${asked}'; there are: ${[...demos.keys()].join(", ")}, each with 'clore' before it or not.`);
  process.exitCode = 2;
} else await demo(provider);
