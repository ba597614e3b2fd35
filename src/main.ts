import { openLog, surviveBrokenOutput } from "./actions/log.ts";
import { describe, Failure } from "./lease/failure.ts";
import { provision } from "./provision.ts";
import { wireMain } from "./wiring.ts";

const log = openLog();
surviveBrokenOutput();
try {
  const deps = await wireMain(log);
  if (deps !== undefined) {
    try {
      await provision(deps);
    } finally {
      await deps.market.close();
    }
  }
} catch (error) {
  log.fail(
    error instanceof Failure ? `${describe(error)}\n${error.hint}` : describe(error),
    error instanceof Failure ? error.code : undefined,
  );
}
