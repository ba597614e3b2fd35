/** What post needs of this folder. */
export { openRunnerService } from "./service.ts";
