/** All that a purchase needs of this folder, as one chunk that main loads when it buys and post never does. */
export { applyParts } from "./apply-parts.ts";
export { composeCloudInit } from "./cloud-init.ts";
export { connect } from "./connect.ts";
export { checkGpus } from "./gpu-check.ts";
export { makeLeaseKeys } from "./keys.ts";
export { writeSshFiles } from "./ssh-files.ts";

export type MachineKit = typeof import("./kit.ts");
