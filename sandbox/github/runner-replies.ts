import * as z from "zod";
import type { RunnerState } from "./runners.ts";

/** https://docs.github.com/en/rest/actions/self-hosted-runners#create-configuration-for-a-just-in-time-runner-for-a-repository */
const jitRequest = z.object({
  name: z.string().min(1).max(64),
  runner_group_id: z.number().int().positive(),
  labels: z.array(z.string().min(1).max(256)).min(1).max(100),
  work_folder: z.string().optional(),
});

/** The real configuration holds an RSA key; so many bytes make ours about as large. */
const KEY_SIZE = 1700;

/** What is wrong with the body of a request for a configuration, in words, or what it asks for. */
export function readJitRequest(body: string): z.infer<typeof jitRequest> | string {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    // Not JSON: said in the answer.
    return "Problems parsing JSON";
  }
  const parsed = jitRequest.safeParse(value);
  if (parsed.success) return parsed.data;
  return `Invalid request.\n\n${parsed.error.issues.map(({ path, message }) => `${path.join("/")}: ${message}`).join("\n")}`;
}

/** A runner as `GET …/actions/runners/{runner_id}` shows it. */
export function showRunner(runner: RunnerState): unknown {
  return {
    id: runner.id,
    name: runner.name,
    os: runner.hasConnected ? "Linux" : "unknown",
    status: runner.status,
    busy: runner.work !== undefined,
    ephemeral: true,
    runner_group_id: runner.groupId,
    labels: runner.labels.map((name, index) => ({ id: index + 1, name, type: "custom" })),
  };
}

/** The configuration that the runner application gets: files by name, each in base64, the whole in base64 again. */
export function encodeJitConfig(runner: RunnerState, serverUrl: string): string {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64");
  return encode({
    ".runner": encode({ agentId: runner.id, agentName: runner.name, serverUrl, ephemeral: true, disableUpdate: true }),
    ".credentials": encode({ scheme: "sandbox", token: runner.credential }),
    ".credentials_rsaparams": encode({ padding: "0".repeat(KEY_SIZE) }),
  });
}
