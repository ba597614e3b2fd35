import { openLog, surviveBrokenOutput } from "./actions/log.ts";
import { AT_EXPIRY } from "./expiry-watch.ts";
import { finish } from "./finish.ts";
import { waitForExpiry } from "./lease/expiry.ts";
import { describe, Failure } from "./lease/failure.ts";
import { wirePost } from "./wiring-post.ts";

const log = openLog();
surviveBrokenOutput();
try {
  const deps = wirePost(log);
  if (deps === undefined) log.info("Nothing was bought, so there is nothing to delete.");
  else {
    if (process.argv[2] === AT_EXPIRY) await waitForExpiry(deps.journal.read(), deps.clock);
    await finish(deps);
  }
} catch (error) {
  log.fail(
    error instanceof Failure ? `${describe(error)}\n${error.hint}` : describe(error),
    error instanceof Failure ? error.code : undefined,
  );
}
