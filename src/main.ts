import { openLog, surviveBrokenOutput } from "./actions/log.ts";
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
  log.failWith(error);
}
