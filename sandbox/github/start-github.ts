import { createServer } from "node:http";
import { answerThrough, type Faults, scriptFaults } from "../faults.ts";
import type { Reply } from "../reply.ts";
import { type RecordedRequest, readRequest } from "../requests.ts";
import type { Moment, Watcher } from "../serve.ts";
import { trackTimers } from "../timers.ts";
import { startWorldClock, type WorldClock } from "../world-clock.ts";
import { openApi, type Repository } from "./api.ts";
import { type AppOptions, openApp } from "./app.ts";
import { openBroker } from "./broker.ts";
import { announceChanges } from "./changes.ts";
import { type ApplicationOptions, offerDownloads } from "./downloads.ts";
import { openGate } from "./gate.ts";
import { keepRateLimits, type SecondaryStrike } from "./rate-limits.ts";
import { keepRunners, type RunnerState } from "./runners.ts";
import { keepRuns, type RunSpec, type StandRun } from "./runs.ts";
import { keepSessions } from "./sessions.ts";
import { keepTokens, type TokenGrant } from "./tokens.ts";

export interface GitHubOptions {
  /** One private repository, `acme/kernels`, unless told. Their owners are organisations. */
  readonly repositories?: readonly Repository[];
  /** Differences of the token of the run: actions (write), 1,000 requests an hour, the first repository. */
  readonly runToken?: Partial<TokenGrant>;
  /** Differences of the token that registers runners: administration and an organisation's runners (write), actions (read), 5,000 an hour. */
  readonly adminToken?: Partial<TokenGrant>;
  /** Further ones. */
  readonly tokens?: readonly TokenGrant[];
  readonly app?: AppOptions;
  readonly application?: ApplicationOptions;
  /** World milliseconds for which a configuration is good; for ever unless told. */
  readonly jitLifetimeMs?: number;
  /** Real milliseconds after which a runner that is not heard of is offline; a world minute (a real second at least) unless told. */
  readonly sessionTimeoutMs?: number;
  /** Real milliseconds after which the job of a lost runner fails; 10 world minutes unless told. */
  readonly lostJobMs?: number;
  /** Real milliseconds that a request of a runner for a message waits; 20,000 unless told. */
  readonly pollMs?: number;
  readonly clock?: WorldClock;
}

export interface GitHubStand {
  /** For GITHUB_API_URL. Without a trailing slash. */
  readonly url: string;
  /** The same API as GitHub Enterprise Server has it, below `/api/v3`. */
  readonly enterpriseUrl: string;
  readonly runToken: string;
  readonly adminToken: string;
  /** Their routes are without the prefix of Enterprise; requests for messages (`/_broker/…`) and downloads can be struck too. */
  readonly faults: Faults;
  readonly clock: WorldClock;
  /** Every request that came, in the order in which they were read; paths as they were sent. */
  readonly requests: readonly RecordedRequest[];
  /** Is told of each moment of each request from now on, but for those in which runners wait for work. */
  watch(watcher: Watcher): void;
  /** Those of them that went to the API: neither downloads nor what runners ask. */
  apiRequests(): readonly RecordedRequest[];
  /** Requests of this token that counted against its limit. */
  counted(token: string): number;
  addToken(grant: TokenGrant): void;
  revokeToken(token: string): void;
  /** Leaves so many requests to the token's current window. Throws when there is no such token. */
  leaveRequests(token: string, remaining: number): void;
  /** The next requests with this token are refused for being too many at once. */
  strikeSecondaryLimit(token: string, strike?: SecondaryStrike): void;
  startRun(spec: RunSpec): StandRun;
  /** Records of runners in the order in which they were made, those that are gone included. */
  runners(): readonly Readonly<RunnerState>[];
  /** The existing runner of this name is no more, whatever it does. Throws when there is none. */
  forgetRunner(name: string): void;
  /** Looks at the condition whenever something changes. Rejects after `limitMs` real milliseconds (20,000 unless told). */
  waitUntil(what: string, condition: () => boolean, limitMs?: number): Promise<void>;
  /** Ends the server and its timers. */
  close(): Promise<void>;
}

const ENTERPRISE = "/api/v3";
const MINUTE = 60_000;
const SECOND = 1_000;

/** Starts a stand-in for GitHub's REST API, its queue of jobs and what its runners connect to, on a free port of loopback. */
export async function startGitHub(options: GitHubOptions = {}): Promise<GitHubStand> {
  const clock = options.clock ?? startWorldClock();
  const repositories = options.repositories ?? [{ name: "acme/kernels" }];
  const firstRepository = repositories[0]?.name ?? "acme/kernels";
  const runGrant: TokenGrant = {
    token: "sandbox-job-token",
    permissions: { actions: "write" },
    limit: 1_000,
    repositories: [firstRepository.toLowerCase()],
    ...options.runToken,
  };
  const adminGrant: TokenGrant = {
    token: "sandbox-admin-token-0000000000",
    permissions: { actions: "read", administration: "write", organization_self_hosted_runners: "write" },
    limit: 5_000,
    ...options.adminToken,
  };
  const tokens = keepTokens(clock, [runGrant, adminGrant, ...(options.tokens ?? [])]);
  const rateLimits = keepRateLimits(clock);
  const faults = scriptFaults();
  const timers = trackTimers();
  const changes = announceChanges();
  const requests: RecordedRequest[] = [];
  const runners = keepRunners(clock);
  const changed = () => {
    runs.advance();
    runners.dispatch(runs.all());
    changes.announce();
  };
  const runs = keepRuns(clock, changes, changed);
  const downloads = await offerDownloads(options.application ?? {});
  const sessions = keepSessions({
    clock,
    timers,
    runners,
    changed,
    sessionTimeoutMs: options.sessionTimeoutMs ?? Math.max(SECOND, MINUTE / clock.scale),
    lostJobMs: options.lostJobMs ?? (10 * MINUTE) / clock.scale,
    ...(options.jitLifetimeMs === undefined ? {} : { jitLifetimeMs: options.jitLifetimeMs }),
  });
  const broker = openBroker(sessions, changes, options.pollMs ?? 20 * SECOND);
  const api = openApi({ repositories, runs, runners, downloads, changed });
  const owners = repositories.map(({ name }) => name.split("/")[0] ?? "");
  const places = [...repositories.map(({ name }) => name), ...owners];
  const app = options.app === undefined ? undefined : openApp(options.app, places, tokens, clock);

  const gate = openGate({ clock, tokens, rateLimits, app, api });

  const answer = (request: RecordedRequest, origin: string, apiUrl: string): Reply => {
    const [, file] = /^\/_downloads\/([^/]+)$/.exec(request.path) ?? [];
    if (file !== undefined && request.method === "GET") return downloads.file(file);
    return request.path.startsWith("/_broker/") ? broker.answer(request) : gate(request, origin, apiUrl);
  };

  const watchers: Watcher[] = [];
  const server = createServer(async (message, response) => {
    let request: RecordedRequest;
    try {
      request = await readRequest(message, requests.length + 1, clock.now());
    } catch {
      // The client went away while it was sending, as a killed one does: there is nobody to answer.
      response.destroy();
      return;
    }
    const numbered = { ...request, number: requests.length + 1 };
    requests.push(numbered);
    const prefix = numbered.path.startsWith(`${ENTERPRISE}/`) ? ENTERPRISE : "";
    const inner = { ...numbered, path: numbered.path.slice(prefix.length) };
    const fault = faults.strike(inner);
    if (fault === undefined && broker.isWait(inner)) return broker.wait(inner, response);
    const tell = (moment: Moment) => {
      for (const watcher of watchers) watcher(inner, moment);
    };
    tell("arrived");
    response.once("finish", () => tell("answered"));
    const effect = () => {
      const reply = answer(inner, url, `${url}${prefix}`);
      tell("took-effect");
      return reply;
    };
    answerThrough(fault, effect, response, timers.later);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The stand-in GitHub has no port.");
  const url = `http://127.0.0.1:${address.port}`;

  return {
    url,
    enterpriseUrl: `${url}${ENTERPRISE}`,
    runToken: runGrant.token,
    adminToken: adminGrant.token,
    faults,
    clock,
    requests,
    watch(watcher) {
      watchers.push(watcher);
    },
    apiRequests: () => requests.filter(({ path }) => !/^\/_(?:broker|downloads)\//.test(path)),
    counted: (token) => rateLimits.counted(token),
    addToken: (grant) => tokens.add(grant),
    revokeToken: (token) => tokens.revoke(token),
    leaveRequests(token, remaining) {
      const grant = tokens.find(token);
      if (!grant) throw new Error("There is no such token.");
      rateLimits.leave(grant, remaining);
    },
    strikeSecondaryLimit: (token, strike = {}) => rateLimits.strikeSecondary(token, strike),
    startRun: (spec) => runs.start(spec, spec.repository ?? firstRepository),
    runners: () => runners.all(),
    forgetRunner(name) {
      const runner = runners.all().find((one) => one.name === name && one.gone === undefined);
      if (!runner) throw new Error(`There is no runner '${name}'.`);
      runner.gone = "forgotten";
      changed();
    },
    waitUntil: (what, condition, limitMs = 20_000) => changes.until(what, condition, limitMs),
    async close() {
      timers.clear();
      changes.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
