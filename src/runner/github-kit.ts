/** What post and the sweep need of this folder. */
export { openRunStates } from "./run-states.ts";
export { openRunnerService } from "./service.ts";
