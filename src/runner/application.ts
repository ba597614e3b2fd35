import * as z from "zod";
import { GitHubFailure } from "../lease/failure.ts";
import { plain } from "../lease/plain.ts";
import type { RunnerScope } from "../lease/plan.ts";
import type { Access } from "./access.ts";
import type { GitHubClient } from "./client.ts";
import type { RunnerApplication, RunnerArchive } from "./contract.ts";
import { refuseUnlessAllowed, unreadable } from "./registrations.ts";

const downloads = z.array(
  z.object({
    os: z.string(),
    architecture: z.string(),
    download_url: z.string(),
    filename: z.string(),
    sha256_checksum: z.string().optional(),
  }),
);
const release = z.object({
  assets: z.array(z.object({ name: z.string(), browser_download_url: z.string(), digest: z.string().nullish() })),
});

const ARCHITECTURES = ["x64", "arm64"] as const;
type Architecture = (typeof ARCHITECTURES)[number];

/**
 * The runner application: `latest` as GitHub offers it to this repository or organisation, else a version of its releases. Every
 * archive has a checksum; throws GitHubFailure when none is to be had.
 */
export async function resolveApplication(
  version: string,
  { client, scope, runners, run }: { client: GitHubClient; scope: RunnerScope; runners: Access; run: Access },
  signal: AbortSignal,
): Promise<RunnerApplication> {
  const [base, place] =
    scope.kind === "repository"
      ? ["/repos/{owner}/{repo}", { owner: scope.owner, repo: scope.repository }]
      : ["/orgs/{org}", { org: scope.owner }];
  // Asked for whatever the version: it shows, before anything is bought, that the token may manage runners.
  const answer = await client.send({
    route: `GET ${base}/actions/runners/downloads`,
    parameters: place,
    access: runners,
    signal,
  });
  refuseUnlessAllowed(answer, scope, runners);
  const offered = downloads.safeParse(answer.data);
  if (answer.status !== 200 || !offered.success) throw unreadable("list of runner applications", answer);
  const linux = offered.data.filter(({ os }) => os === "linux");
  const newest = linux.map(({ filename }) => versionIn(filename)).find((found) => found !== undefined);
  const wanted = version === "latest" ? newest : version;
  if (wanted === undefined) throw blameMissing(version);

  const archives: { [architecture in Architecture]?: RunnerArchive } = {};
  for (const architecture of ARCHITECTURES) {
    const fit = linux.find((one) => one.architecture === architecture && versionIn(one.filename) === wanted);
    const archive = toArchive(fit?.download_url, fit?.sha256_checksum);
    if (archive !== undefined) archives[architecture] = archive;
  }
  if (Object.keys(archives).length === 0) {
    const assets = await readRelease(wanted);
    for (const architecture of ARCHITECTURES) {
      const asset = assets.find(({ name }) => name === `actions-runner-linux-${architecture}-${wanted}.tar.gz`);
      const archive = toArchive(asset?.browser_download_url, asset?.digest?.replace(/^sha256:/, ""));
      if (archive !== undefined) archives[architecture] = archive;
    }
  }
  if (Object.keys(archives).length === 0) throw blameMissing(wanted);
  return { version: wanted, ...archives };

  /** https://docs.github.com/en/rest/releases/releases#get-a-release-by-tag-name */
  async function readRelease(tagged: string): Promise<z.infer<typeof release>["assets"]> {
    const parameters = { owner: "actions", repo: "runner", tag: `v${tagged}` };
    const found = await client.send({ route: "GET /repos/{owner}/{repo}/releases/tags/{tag}", parameters, access: run, signal });
    if (found.status === 404) throw blameMissing(tagged);
    const parsed = release.safeParse(found.data);
    if (found.status !== 200 || !parsed.success) throw unreadable("release of the runner application", found);
    return parsed.data.assets;
  }
}

/** `2.336.0` in `actions-runner-linux-x64-2.336.0.tar.gz`. */
function versionIn(filename: string): string | undefined {
  return /-(\d+\.\d+\.\d+)\.tar\.gz$/.exec(filename)?.[1];
}

function toArchive(url: string | undefined, checksum: string | undefined): RunnerArchive | undefined {
  const sha256 = checksum?.toLowerCase() ?? "";
  if (url === undefined || !/^[0-9a-f]{64}$/.test(sha256) || !URL.canParse(url) || /[\s'"\\]/.test(url)) return undefined;
  const { protocol, hostname } = new URL(url);
  const isLoopback = hostname === "localhost" || hostname === "[::1]" || /^127\./.test(hostname);
  return protocol === "https:" || (protocol === "http:" && isLoopback) ? { url, sha256 } : undefined;
}

function blameMissing(version: string): GitHubFailure {
  return new GitHubFailure(
    `There is no runner application '${plain(version, 40)}' for Linux that comes with a checksum.`,
    "Nothing was bought. Nothing is installed whose checksum is not known; leave 'runner-version' unset for the one that GitHub offers.",
  );
}
