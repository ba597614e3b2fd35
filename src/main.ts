import { openLog, surviveBrokenOutput } from "./actions/log.ts";
import { provision } from "./provision.ts";
import { wireMain } from "./wiring.ts";
import { workPurpose } from "./work.ts";

const log = openLog();
surviveBrokenOutput();
try {
  const deps = await wireMain(log);
  if (deps !== undefined) {
    try {
      if (deps.plan.guarding === undefined) await provision(deps, workPurpose(deps));
      else await (await import("./wiring-guard.ts")).guardWith(deps, deps.plan.guarding);
    } finally {
      await deps.market.close();
    }
  }
} catch (error) {
  log.failWith(error);
}
