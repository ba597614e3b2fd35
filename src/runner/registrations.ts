import * as z from "zod";
import type { Clock } from "../lease/clock.ts";
import { deadlineAfter } from "../lease/clock.ts";
import { describe, GitHubFailure, GitHubTokenFailure } from "../lease/failure.ts";
import type { Log } from "../lease/log.ts";
import { plain } from "../lease/plain.ts";
import type { RunnerScope } from "../lease/plan.ts";
import type { Access } from "./access.ts";
import { type GitHubAnswer, type GitHubClient, GitHubSilence } from "./client.ts";
import type { Registration, Registrations } from "./contract.ts";

/** Names that are tried where one is taken. */
const SUFFIXES = ["", "-b", "-c", "-d"];
const LONGEST_NAME = 64;
/** GitHub removes no runner that has a job; how long it is asked again. */
const BUSY_FOR = 60_000;
const BUSY_PAUSE = 5_000;

const runner = z.object({
  id: z.int().positive(),
  name: z.string(),
  status: z.string().catch("unknown"),
  busy: z.boolean().catch(false),
  labels: z.array(z.object({ name: z.string() })).catch([]),
});
const list = z.object({ runners: z.array(runner) });
const minted = z.object({
  runner: z.object({ id: z.int().positive(), name: z.string() }),
  encoded_jit_config: z.string().min(1),
});

export interface RegistrationsOptions {
  readonly client: GitHubClient;
  readonly access: Access;
  readonly scope: RunnerScope;
  readonly groupId: number;
  readonly labels: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
  readonly maskSecret: (secret: string) => void;
}

/** https://docs.github.com/en/rest/actions/self-hosted-runners */
export function openRegistrations(options: RegistrationsOptions): Registrations {
  const { client, access, scope, clock, log } = options;
  const base = scope.kind === "repository" ? "/repos/{owner}/{repo}/actions/runners" : "/orgs/{org}/actions/runners";
  const place = scope.kind === "repository" ? { owner: scope.owner, repo: scope.repository } : { org: scope.owner };
  const etags = new Map<number, { etag: string; state: "online" | "offline"; busy: boolean }>();
  const ask = (route: string, parameters: Readonly<Record<string, unknown>>, signal: AbortSignal, etag?: string) =>
    client.send({ route, parameters: { ...place, ...parameters }, access, signal, etag });

  async function find(name: string, signal: AbortSignal) {
    const answer = await ask(`GET ${base}`, { name, per_page: 100 }, signal);
    refuseUnlessAllowed(answer, scope, access);
    const parsed = list.safeParse(answer.data);
    if (!parsed.success) throw unreadable("list of runners", answer);
    return parsed.data.runners.find((one) => one.name === name);
  }

  /** A record carries exactly our labels, and nobody uses it: it came of a request of ours whose answer was lost. */
  async function clear(name: string, signal: AbortSignal): Promise<void> {
    const found = await find(name, signal);
    if (found === undefined) return;
    const theirs = found.labels.map((label) => label.name.toLowerCase()).toSorted();
    const ours = options.labels.map((label) => label.toLowerCase()).toSorted();
    const isOurs = theirs.length === ours.length && theirs.every((label, index) => label === ours[index]);
    if (!isOurs || found.status !== "offline" || found.busy) {
      log.info(`There is a runner '${plain(name, LONGEST_NAME)}' that is not a leftover of ours; it is let be.`);
      return;
    }
    await removeById(found.id, signal);
  }

  async function removeById(id: number, signal: AbortSignal): Promise<void> {
    const patience = deadlineAfter(clock, BUSY_FOR);
    for (;;) {
      const answer = await ask(`DELETE ${base}/{runner_id}`, { runner_id: id }, signal);
      if (answer.status === 204 || answer.status === 404) return;
      if (answer.status !== 422 || patience.passed()) {
        refuseUnlessAllowed(answer, scope, access);
        throw new GitHubFailure(
          `GitHub does not remove runner ${id} (HTTP ${answer.status}: ${answer.message}).`,
          "It costs nothing, and GitHub removes it by itself within a day. The repository's settings list it.",
        );
      }
      await clock.sleep(BUSY_PAUSE, signal);
    }
  }

  return {
    async mint(name, { signal, onIntent }) {
      let trouble: unknown;
      for (const suffix of SUFFIXES) {
        const tried = `${name.slice(0, LONGEST_NAME - suffix.length)}${suffix}`;
        onIntent(tried);
        const parameters = { name: tried, runner_group_id: options.groupId, labels: options.labels, work_folder: "_work" };
        try {
          const answer = await ask(`POST ${base}/generate-jitconfig`, parameters, signal);
          const registration = answer.status === 201 ? readMinted(answer) : undefined;
          if (registration !== undefined) return registration;
          trouble = refusalOf(answer);
        } catch (error) {
          if (!(error instanceof GitHubSilence)) throw error;
          trouble = error;
        }
        log.info(
          `The runner '${plain(tried, LONGEST_NAME)}' was not registered (${plain(describe(trouble))}); another name is tried.`,
        );
        await clear(tried, signal);
      }
      throw new GitHubFailure(
        `No runner could be registered under ${SUFFIXES.length} names: ${plain(describe(trouble))}`,
        "Nothing more is bought.",
        { cause: trouble },
      );
    },
    async status({ id }, signal) {
      const known = etags.get(id);
      const answer = await ask(`GET ${base}/{runner_id}`, { runner_id: id }, signal, known?.etag);
      if (answer.status === 304 && known !== undefined) return known;
      if (answer.status === 404) return { state: "gone", busy: false };
      const parsed = runner.safeParse(answer.data);
      if (answer.status !== 200 || !parsed.success) throw unreadable("runner", answer);
      const { status, busy } = parsed.data;
      const fresh = { state: status === "online" ? ("online" as const) : ("offline" as const), busy };
      if (answer.etag !== undefined) etags.set(id, { ...fresh, etag: answer.etag });
      return fresh;
    },
    async remove({ name, id }, signal) {
      if (id === undefined) await clear(name, signal);
      else await removeById(id, signal);
    },
  };

  function readMinted(answer: GitHubAnswer): Registration | undefined {
    const parsed = minted.safeParse(answer.data);
    if (!parsed.success) return undefined;
    const { runner: record, encoded_jit_config: configuration } = parsed.data;
    options.maskSecret(configuration);
    return { id: record.id, name: record.name, configuration, mintedAt: clock.ticks() };
  }

  /** Why there is no configuration, where another name may help; thrown where it may not. */
  function refusalOf(answer: GitHubAnswer): GitHubFailure {
    refuseUnlessAllowed(answer, scope, access);
    const failure = new GitHubFailure(
      `GitHub does not register a runner (HTTP ${answer.status}${answer.message === "" ? "" : `: ${answer.message}`}).`,
      "Nothing was bought for it. Do 'runner-group-id', 'runner-scope' and 'runner-label' exist and fit?",
    );
    if (answer.status === 422 || answer.status === 400) throw failure;
    return failure;
  }
}

export function refuseUnlessAllowed({ status, message }: GitHubAnswer, scope: RunnerScope, { input }: Access): void {
  if (status !== 403 && status !== 404) return;
  const [where, permission] =
    scope.kind === "repository"
      ? [`${scope.owner}/${scope.repository}`, "Administration: write"]
      : [`organisation ${scope.owner}`, "Self-hosted runners: write"];
  throw new GitHubTokenFailure(
    `'${input}' may not manage the runners of ${plain(where)} (HTTP ${status}: ${message}).`,
    `Nothing was bought. Give it the permission ${permission} there: a fine-grained personal access token or a GitHub App. The job's own GITHUB_TOKEN can never have it.`,
  );
}

export function unreadable(what: string, { status, message }: GitHubAnswer): GitHubFailure {
  return new GitHubFailure(
    `GitHub's ${what} cannot be read (HTTP ${status}${message === "" ? "" : `: ${message}`}).`,
    "It may be an outage, see githubstatus.com, or a proxy in between.",
  );
}
