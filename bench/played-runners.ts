import * as z from "zod";
import type { GuardDeps } from "../src/guard.ts";
import type { Clock } from "../src/lease/clock.ts";
import type { MachineEvent } from "../src/runner/contract.ts";

const runnerFile = z.object({ serverUrl: z.string() });
const credentialsFile = z.object({ token: z.string() });
const jobMessage = z.object({ type: z.literal("job"), jobId: z.number(), name: z.string() });

/** A machine whose runner connects to the sandbox's GitHub, and whose jobs take `worksFor` milliseconds of the clock. */
export function playRunners(clock: Clock, worksFor: number): GuardDeps["runners"] {
  let configuration = "";
  return {
    compose(settings) {
      configuration = settings.configuration;
      return {};
    },
    open: () => {
      let listener: ((event: MachineEvent) => void) | undefined;
      const tell = (event: MachineEvent) => listener?.(event);
      return {
        async follow(onEvent, signal) {
          listener = onEvent;
          await clock.sleep(60_000, signal);
          await work(configuration, tell, signal);
          await clock.sleep(Number.MAX_SAFE_INTEGER, signal);
        },
        start: async () => undefined,
        readBootLog: async () => [],
      };
    },
  };

  async function work(encoded: string, tell: (event: MachineEvent) => void, signal: AbortSignal): Promise<void> {
    const decode = (text: string): unknown => JSON.parse(Buffer.from(text, "base64").toString());
    const files = z.record(z.string(), z.string()).parse(decode(encoded));
    const { serverUrl } = runnerFile.parse(decode(files[".runner"] ?? ""));
    const { token } = credentialsFile.parse(decode(files[".credentials"] ?? ""));
    const ask = (method: string, path: string, body?: unknown) =>
      fetch(`${serverUrl}/_broker/sessions${path}`, {
        method,
        signal,
        headers: { authorization: `Bearer ${token}` },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    const { sessionId } = z.object({ sessionId: z.string() }).parse(await (await ask("POST", "")).json());
    tell({ kind: "listening", slot: 1 });
    for (;;) {
      const answer = await ask("GET", `/${sessionId}/message`);
      if (answer.status !== 200) continue;
      const { jobId, name } = jobMessage.parse(await answer.json());
      tell({ kind: "job-started", slot: 1, job: name });
      // A runner that waits for its next message is online.
      const waiting = ask("GET", `/${sessionId}/message`).catch(() => undefined);
      await clock.sleep(worksFor, signal);
      await ask("POST", `/${sessionId}/complete`, { jobId, result: "Succeeded", exitCode: 0 });
      await waiting;
      tell({ kind: "job-ended", slot: 1, job: name, result: "Succeeded" });
      tell({ kind: "ended", slot: 1 });
      return;
    }
  }
}
