import type { Reply } from "../reply.ts";
import type { RecordedRequest } from "../requests.ts";
import { parseRoute } from "../route.ts";
import type { WorldClock } from "../world-clock.ts";
import type { Api } from "./api.ts";
import type { App } from "./app.ts";
import { answerConditionally } from "./etag.ts";
import type { RateLimits } from "./rate-limits.ts";
import { badCredentials, unauthorized } from "./replies.ts";
import { ANONYMOUS, readAuthorization, type Tokens } from "./tokens.ts";

export interface GateOptions {
  readonly clock: WorldClock;
  readonly tokens: Tokens;
  readonly rateLimits: RateLimits;
  readonly app: App | undefined;
  readonly api: Api;
}

/** Answers a request to the API: sees to tokens, rate limits and ETags before and after the answer itself. */
export type Gate = (request: RecordedRequest, origin: string, apiUrl: string) => Reply;

export function openGate({ clock, tokens, rateLimits, app, api }: GateOptions): Gate {
  const appRoutes: readonly { readonly route: ReturnType<typeof parseRoute>; readonly answer: AppAnswer }[] = [
    {
      route: parseRoute("GET /repos/:owner/:repo/installation"),
      answer: (one, { owner, repo }) => one.installation(`${owner}/${repo}`),
    },
    { route: parseRoute("GET /orgs/:org/installation"), answer: (one, { org = "" }) => one.installation(org) },
    { route: parseRoute("POST /app/installations/:id/access_tokens"), answer: (one, { id = "" }) => one.makeToken(id) },
  ];
  const answerApp = (request: RecordedRequest, assertion: string | undefined): Reply | undefined => {
    for (const { route, answer } of appRoutes) {
      const parameters = route.match(request.method, request.path);
      if (!parameters) continue;
      if (!app) return unauthorized("A JSON web token could not be decoded");
      return app.refuse(assertion) ?? answer(app, parameters);
    }
    return undefined;
  };
  const answerToken = (request: RecordedRequest, token: string | undefined, origin: string, apiUrl: string): Reply => {
    const grant = token === undefined ? ANONYMOUS : tokens.find(token);
    if (!grant) return badCredentials;
    const refusal = rateLimits.refuse(grant);
    const reply = refusal ?? answerConditionally(request, grant.token, api({ request, grant, origin, apiUrl }));
    if (!refusal && reply.status !== 304) rateLimits.spend(grant);
    return { ...reply, headers: { ...rateLimits.headers(grant), ...reply.headers } };
  };
  return (request, origin, apiUrl) => {
    const token = readAuthorization(request.headers.authorization);
    const reply = answerApp(request, token) ?? answerToken(request, token, origin, apiUrl);
    const headers = { date: new Date(clock.now()).toUTCString(), "x-github-request-id": `STAND:${request.number}` };
    return { ...reply, headers: { ...headers, ...reply.headers } };
  };
}

type AppAnswer = (app: App, parameters: Readonly<Record<string, string>>) => Reply;
