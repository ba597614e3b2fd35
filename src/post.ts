import { openLog, surviveBrokenOutput } from "./actions/log.ts";
import { AT_EXPIRY } from "./expiry-watch.ts";
import { finish, waitForExpiry } from "./finish.ts";
import { takeOverFromMain, wirePost } from "./wiring-post.ts";

const log = openLog();
surviveBrokenOutput();
try {
  const isWatch = process.argv[2] === AT_EXPIRY;
  if (isWatch) takeOverFromMain();
  const deps = await wirePost(log);
  if (deps === undefined) log.info("Nothing was bought, so there is nothing to delete.");
  else {
    if (isWatch) await waitForExpiry(deps);
    await finish(deps);
  }
} catch (error) {
  log.failWith(error);
}
