import { createRequire, syncBuiltinESMExports } from "node:module";

/**
 * Imported before everything else in a test file: minutes pass in seconds in its process, for what keeps to a rate by timers that no
 * clock is handed to. The shipped code is what runs.
 */
process.env["SANDBOX_TIME_SCALE"] = "20";
createRequire(import.meta.url)("../sandbox/scale-time.cjs");
syncBuiltinESMExports();
