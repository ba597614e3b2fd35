/** All that a guard needs of this folder, as one chunk that main loads in runner mode only. */
export { composeBootPart, sampleBootPart } from "./boot-part.ts";
export { openMachineRunners } from "./machine-runners.ts";
export { openRunnerService } from "./service.ts";
