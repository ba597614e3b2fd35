import { GitHub } from "@actions/github/lib/utils";
import type { Log } from "../lease/log.ts";
import { plain } from "../lease/plain.ts";

export type Octokit = InstanceType<typeof GitHub>;

/** A client without a token of its own: each request brings one. HTTPS_PROXY and NO_PROXY are honoured. */
export function openOctokit(apiUrl: string, log: Log): Octokit {
  const say = (message: string) => log.debug(plain(message));
  return new GitHub({ baseUrl: apiUrl, userAgent: "gpu-provision", log: { debug: say, info: say, warn: say, error: say } });
}
