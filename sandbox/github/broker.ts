import type { ServerResponse } from "node:http";
import * as z from "zod";
import { encodeReply, type Reply } from "../reply.ts";
import type { RecordedRequest } from "../requests.ts";
import { parseRoute } from "../route.ts";
import type { Changes } from "./changes.ts";
import type { Conclusion } from "./job.ts";
import { notFound, unprocessable } from "./replies.ts";
import type { Session, Sessions } from "./sessions.ts";
import { readAuthorization } from "./tokens.ts";

const CONCLUSIONS: Readonly<Record<"Succeeded" | "Failed" | "Canceled", Conclusion>> = {
  Succeeded: "success",
  Failed: "failure",
  Canceled: "cancelled",
};
const logBody = z.object({ jobId: z.number(), lines: z.array(z.string()) });
const completeBody = z.object({ jobId: z.number(), result: z.enum(["Succeeded", "Failed", "Canceled"]) });
const done: Reply = { status: 204, body: "" };
const lost: Reply = { status: 410, body: { message: "The runner no longer exists on the server" } };
const messageRoute = parseRoute("GET /_broker/sessions/:id/message");

/** How the stand-in runner application talks to the stand: its own protocol, for GitHub's is not public. */
export interface Broker {
  /** The answer to anything; what asks for a message is told what there is now. */
  answer(request: RecordedRequest): Reply;
  /** Whether the request waits for a message. */
  isWait(request: RecordedRequest): boolean;
  /** Answers when there is a message, the runner is gone, or the patience is over. */
  wait(request: RecordedRequest, response: ServerResponse): Promise<void>;
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Refused with 422 as any other body that is not what was agreed.
    return undefined;
  }
}

/** `pollMs`: real milliseconds that a request for a message waits. */
export function openBroker(sessions: Sessions, changes: Changes, pollMs: number): Broker {
  const nextMessage = (session: Session): Reply | undefined => {
    const message = session.takeMessage();
    if (message) return { status: 200, body: message };
    return session.runner.gone === undefined ? undefined : lost;
  };
  type Handler = (session: Session, request: RecordedRequest, id: string) => Reply;
  const handlers: Readonly<Record<string, Handler>> = {
    "GET /_broker/sessions/:id/message": (session) => nextMessage(session) ?? done,
    "POST /_broker/sessions/:id/log": (session, { body }) => {
      const parsed = logBody.safeParse(parseBody(body));
      if (!parsed.success) return unprocessable(parsed.error.message);
      session.log(parsed.data.jobId, parsed.data.lines);
      return done;
    },
    "POST /_broker/sessions/:id/complete": (session, { body }) => {
      const parsed = completeBody.safeParse(parseBody(body));
      if (!parsed.success) return unprocessable(parsed.error.message);
      session.complete(parsed.data.jobId, CONCLUSIONS[parsed.data.result]);
      return done;
    },
    "DELETE /_broker/sessions/:id": (_session, _request, id) => {
      sessions.close(id);
      return done;
    },
  };
  const routes = Object.entries(handlers).map(([pattern, handler]) => ({ route: parseRoute(pattern), handler }));

  return {
    answer(request) {
      if (request.method === "POST" && request.path === "/_broker/sessions") {
        const opened = sessions.open(readAuthorization(request.headers.authorization));
        return "refusal" in opened
          ? { status: 401, body: { message: opened.refusal } }
          : { status: 201, body: { sessionId: opened.id } };
      }
      for (const { route, handler } of routes) {
        const id = route.match(request.method, request.path)?.["id"];
        if (id === undefined) continue;
        const session = sessions.find(id);
        return session ? handler(session, request, id) : lost;
      }
      return notFound;
    },
    isWait: ({ method, path }) => messageRoute.match(method, path) !== undefined,
    async wait({ method, path }, response) {
      const send = (reply: Reply) => {
        const { text, headers } = encodeReply(reply);
        response.writeHead(reply.status, headers).end(text);
      };
      const session = sessions.find(messageRoute.match(method, path)?.["id"] ?? "");
      if (!session) return send(lost);
      const { runner } = session;
      const abandoned = new Promise<void>((resolve) => {
        response.once("close", () => {
          session.endWaiting();
          resolve();
        });
      });
      session.beginWaiting();
      const ready = changes.until(
        "a message",
        () => response.closed || runner.inbox.length > 0 || runner.gone !== undefined,
        pollMs,
      );
      // A rejection means that nothing came in time, or that the stand ends: there is no message.
      await Promise.race([abandoned, ready.catch(() => undefined)]);
      if (!response.closed) send(nextMessage(session) ?? done);
    },
  };
}
