import type { Reply } from "../reply.ts";
import type { RecordedRequest } from "../requests.ts";
import { parseRoute } from "../route.ts";
import type { Downloads } from "./downloads.ts";
import { conflict, notAccessible, notFound, paginate, unprocessable } from "./replies.ts";
import { showJob, showRun } from "./run-replies.ts";
import { encodeJitConfig, readJitRequest, showRunner } from "./runner-replies.ts";
import type { Runners } from "./runners.ts";
import { listedJobs, type Runs } from "./runs.ts";
import { type Access, allows, type Permissions, type TokenGrant } from "./tokens.ts";

export interface Repository {
  /** `owner/name` */
  readonly name: string;
  /** Those without access do not learn that it exists; true unless told. */
  readonly isPrivate?: boolean;
}

export interface ApiOptions {
  readonly repositories: readonly Repository[];
  readonly runs: Runs;
  readonly runners: Runners;
  readonly downloads: Downloads;
  changed(): void;
}

/** A request that came with a living token, or with none. */
export interface Call {
  readonly request: RecordedRequest;
  readonly grant: TokenGrant;
  /** Address of the stand. */
  readonly origin: string;
  /** Address of the API as this client uses it. */
  readonly apiUrl: string;
}

/** Answers what the API answers to tokens. https://docs.github.com/en/rest/actions */
export type Api = (call: Call) => Reply;

type Parameters = Readonly<Record<string, string>>;
type Handler = (call: Call, parameters: Parameters) => Reply;

export function openApi({ repositories, runs, runners, downloads, changed }: ApiOptions): Api {
  const pathOf = ({ owner, repo }: Parameters) => `${owner}/${repo}`.toLowerCase();
  const organisations = new Set(repositories.map(({ name }) => name.split("/")[0]?.toLowerCase()));

  /** In a repository that the token sees, when it has the permission there. */
  const inRepository = (permission: keyof Permissions, access: Access, handler: Handler): Handler => {
    return (call, parameters) => {
      const path = pathOf(parameters);
      const repository = repositories.find(({ name }) => name.toLowerCase() === path);
      const { grant } = call;
      const isPublic = repository?.isPrivate === false;
      const mayEnter = grant.token !== "" && (grant.repositories === undefined || grant.repositories.includes(path));
      if (!repository || !(isPublic || mayEnter)) return notFound;
      const isOpen = isPublic && permission === "actions" && access === "read";
      const isGranted = mayEnter && allows(grant.permissions[permission], access);
      return isOpen || isGranted ? handler(call, parameters) : notAccessible;
    };
  };
  const inOrganisation = (access: Access, handler: Handler): Handler => {
    return (call, parameters) => {
      if (!organisations.has((parameters["org"] ?? "").toLowerCase()) || call.grant.token === "") return notFound;
      return allows(call.grant.permissions.organization_self_hosted_runners, access) ? handler(call, parameters) : notAccessible;
    };
  };

  const here = ({ apiUrl, request }: Call) => `${apiUrl}${request.path}`;
  const runOf = (parameters: Parameters) => {
    const attempt = parameters["attempt"];
    return runs.find(pathOf(parameters), Number(parameters["id"]), attempt === undefined ? undefined : Number(attempt));
  };
  const listJobs: Handler = (call, parameters) => {
    const run = runOf(parameters);
    if (!run) return notFound;
    const jobs = listedJobs(run);
    const { page, headers } = paginate(call.request, here(call), jobs);
    return { status: 200, headers, body: { total_count: jobs.length, jobs: page.map((job) => showJob(run, job, call.apiUrl)) } };
  };
  const cancelRun: Handler = (_call, parameters) => {
    const run = runOf(parameters);
    if (!run) return notFound;
    return runs.cancel(run) ? { status: 202, body: {} } : conflict("Cannot cancel a workflow run that is completed.");
  };

  type PlaceHandler = (call: Call, place: string, parameters: Parameters) => Reply;
  const makeConfiguration: PlaceHandler = (call, place) => {
    const asked = readJitRequest(call.request.body);
    if (typeof asked === "string") return unprocessable(asked);
    const runner = runners.add({ name: asked.name, place, labels: asked.labels, groupId: asked.runner_group_id });
    if (!runner) return conflict(`Already exists - A runner with the name ${asked.name} already exists.`);
    changed();
    return { status: 201, body: { runner: showRunner(runner), encoded_jit_config: encodeJitConfig(runner, call.origin) } };
  };
  const listRunners: PlaceHandler = (call, place) => {
    const name = call.request.query.get("name");
    const found = runners.in(place).filter((runner) => name === null || runner.name === name);
    const { page, headers } = paginate(call.request, here(call), found);
    return { status: 200, headers, body: { total_count: found.length, runners: page.map(showRunner) } };
  };
  const getRunner: PlaceHandler = (_call, place, { id }) => {
    const runner = runners.find(place, Number(id));
    return runner ? { status: 200, body: showRunner(runner) } : notFound;
  };
  const deleteRunner: PlaceHandler = (_call, place, { id }) => {
    const runner = runners.find(place, Number(id));
    if (!runner) return notFound;
    if (runner.work !== undefined)
      return unprocessable(`Bad request - Runner "${runner.name}" is currently running a job and cannot be deleted.`);
    runner.gone = "deleted";
    changed();
    return { status: 204, body: "" };
  };
  const listDownloads: PlaceHandler = ({ origin }) => downloads.list(origin);
  const inBoth = (method: string, path: string, access: Access, handler: PlaceHandler): Record<string, Handler> => ({
    [`${method} /repos/:owner/:repo/actions/runners${path}`]: inRepository("administration", access, (call, parameters) =>
      handler(call, pathOf(parameters), parameters),
    ),
    [`${method} /orgs/:org/actions/runners${path}`]: inOrganisation(access, (call, parameters) =>
      handler(call, parameters["org"] ?? "", parameters),
    ),
  });

  const handlers: Readonly<Record<string, Handler>> = {
    "GET /repos/actions/runner/releases/tags/:tag": ({ origin }, { tag = "" }) => downloads.release(tag, origin),
    "GET /repos/:owner/:repo/actions/runs/:id/attempts/:attempt/jobs": inRepository("actions", "read", listJobs),
    "GET /repos/:owner/:repo/actions/runs/:id/attempts/:attempt": inRepository("actions", "read", ({ apiUrl }, parameters) => {
      const run = runOf(parameters);
      return run ? { status: 200, body: showRun(run, apiUrl) } : notFound;
    }),
    "GET /repos/:owner/:repo/actions/runs/:id/jobs": inRepository("actions", "read", listJobs),
    "GET /repos/:owner/:repo/actions/jobs/:id": inRepository("actions", "read", ({ apiUrl }, parameters) => {
      const found = runs.findJob(pathOf(parameters), Number(parameters["id"]));
      return found ? { status: 200, body: showJob(found.run, found.job, apiUrl) } : notFound;
    }),
    "GET /repos/:owner/:repo/actions/runs/:id": inRepository("actions", "read", ({ apiUrl }, parameters) => {
      const run = runOf(parameters);
      return run ? { status: 200, body: showRun(run, apiUrl) } : notFound;
    }),
    "POST /repos/:owner/:repo/actions/runs/:id/cancel": inRepository("actions", "write", cancelRun),
    ...inBoth("POST", "/generate-jitconfig", "write", makeConfiguration),
    ...inBoth("GET", "/downloads", "read", listDownloads),
    ...inBoth("GET", "", "read", listRunners),
    ...inBoth("GET", "/:id", "read", getRunner),
    ...inBoth("DELETE", "/:id", "write", deleteRunner),
  };
  const routes = Object.entries(handlers).map(([pattern, handler]) => ({ route: parseRoute(pattern), handler }));

  return (call) => {
    for (const { route, handler } of routes) {
      const parameters = route.match(call.request.method, call.request.path);
      if (parameters) return handler(call, parameters);
    }
    return notFound;
  };
}
