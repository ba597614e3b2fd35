import { onTestFinished } from "vitest";
import { type GitHubOptions, type GitHubStand, startGitHub } from "../../sandbox/github/start-github.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** A stand that ends with the test. */
export async function standUp(options: GitHubOptions = {}): Promise<GitHubStand> {
  const stand = await startGitHub(options);
  onTestFinished(() => stand.close());
  return stand;
}

export async function call(
  url: string,
  token: string | undefined,
  options: { readonly method?: string; readonly body?: unknown; readonly etag?: string | null } = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method: options.method ?? "GET",
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(options.etag ? { "if-none-match": options.etag } : {}),
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

export function mint(stand: GitHubStand, name: string, labels: readonly string[] = ["gpu"], place = "repos/acme/kernels") {
  return call(`${stand.url}/${place}/actions/runners/generate-jitconfig`, stand.adminToken, {
    method: "POST",
    body: { name, runner_group_id: 1, labels },
  });
}

function decode(text: unknown): Record<string, unknown> {
  const value: unknown = JSON.parse(Buffer.from(String(text), "base64").toString());
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** What the runner application reads in the configuration of a minting's answer. */
export function readConfiguration({ text }: Answer) {
  const { encoded_jit_config: encoded } = JSON.parse(text);
  const files = decode(encoded);
  return {
    encoded: String(encoded),
    serverUrl: String(decode(files[".runner"])["serverUrl"]),
    credential: String(decode(files[".credentials"])["token"]),
  };
}

/** A runner that a test plays over the broker's protocol. */
export async function connectRunner(minted: Answer) {
  const { serverUrl, credential } = readConfiguration(minted);
  const opened = await call(`${serverUrl}/_broker/sessions`, credential, { method: "POST" });
  if (opened.status !== 201) throw new Error(`${opened.status} ${opened.text}`);
  const session = `${serverUrl}/_broker/sessions/${JSON.parse(opened.text).sessionId}`;
  return {
    message: () => call(`${session}/message`, undefined),
    log: (jobId: unknown, lines: readonly string[]) =>
      call(`${session}/log`, undefined, { method: "POST", body: { jobId, lines } }),
    complete: (jobId: unknown, result: string) =>
      call(`${session}/complete`, undefined, { method: "POST", body: { jobId, result, exitCode: 0 } }),
    leave: () => call(session, undefined, { method: "DELETE" }),
  };
}
