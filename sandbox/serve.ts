import { createServer } from "node:http";
import { answerThrough, type Faults } from "./faults.ts";
import type { Reply } from "./reply.ts";
import { type RecordedRequest, readRequest } from "./requests.ts";
import type { Timers } from "./timers.ts";
import type { WorldClock } from "./world-clock.ts";

/** `arrived`: read, and without effect yet; `took-effect`: and not answered yet; `answered`: the answer has left. */
export type Moment = "arrived" | "took-effect" | "answered";
export type Watcher = (request: RecordedRequest, moment: Moment) => void;

export interface ServeOptions {
  readonly clock: WorldClock;
  readonly faults: Faults;
  readonly timers: Timers;
  /** Takes a request as it came; what it returns is what rules, watchers and answers see. */
  readonly admit?: (request: RecordedRequest) => RecordedRequest;
  /** Does what is asked for, and says the answer. */
  readonly answer: (request: RecordedRequest) => Reply;
}

export interface Server {
  /** Without a trailing slash. */
  readonly url: string;
  /** Every request that came, in the order in which they were read. */
  readonly requests: readonly RecordedRequest[];
  /** Is told of each moment of each request from now on. */
  watch(watcher: Watcher): void;
  close(): Promise<void>;
}

/** Serves a stand-in API on a free port of loopback; requests meet the faults that were scripted for them. */
export async function serve({ admit = (request) => request, answer, clock, faults, timers }: ServeOptions): Promise<Server> {
  const requests: RecordedRequest[] = [];
  const watchers: Watcher[] = [];
  const http = createServer(async (message, response) => {
    let read: RecordedRequest;
    try {
      read = await readRequest(message, requests.length + 1, clock.now());
    } catch {
      // The client went away while it was sending, as a killed one does: there is nobody to answer.
      response.destroy();
      return;
    }
    const request = admit({ ...read, number: requests.length + 1 });
    requests.push(request);
    const tell = (moment: Moment) => {
      for (const watcher of watchers) watcher(request, moment);
    };
    tell("arrived");
    response.once("finish", () => tell("answered"));
    const effect = () => {
      const reply = answer(request);
      tell("took-effect");
      return reply;
    };
    answerThrough(faults.strike(request), effect, response, timers.later);
  });
  await new Promise<void>((resolve, reject) => {
    http.once("error", reject);
    http.listen(0, "127.0.0.1", resolve);
  });
  const address = http.address();
  if (address === null || typeof address === "string") throw new Error("The stand-in has no port.");
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    watch: (watcher) => watchers.push(watcher),
    async close() {
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      http.closeAllConnections();
      await closed;
    },
  };
}
