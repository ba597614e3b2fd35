import { openLog, surviveBrokenOutput } from "./actions/log.ts";
import { reap } from "./reap.ts";
import { wireSweep } from "./wiring-sweep.ts";

const log = openLog();
surviveBrokenOutput();
try {
  const { deps, order, tell } = await wireSweep(log);
  try {
    await reap(order, deps, tell);
  } finally {
    await deps.market.close();
  }
} catch (error) {
  log.failWith(error);
}
