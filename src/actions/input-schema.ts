import * as z from "zod";
import type { RunContext } from "../lease/plan.ts";
import type { Providers } from "../lease/provider-facts.ts";
import { baseUrl, marketToken } from "./input-account.ts";
import { containerEnvironment, imageName, publishedPorts } from "./input-container.ts";
import { appId, privateKey, secretToken } from "./input-credentials.ts";
import { downloads, environment, patterns, shellCommand, uploads } from "./input-lines.ts";
import type { InputName } from "./input-names.ts";
import { runnerLabels, runnerScope, runnerVersion } from "./input-runner.ts";
import type { Secrets } from "./input-secrets.ts";
import { choice, duration, flag, gpuTypes, line, money, names, share, wholeNumber, wordsOf } from "./input-values.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const LONGEST_HOSTED_JOB = 6 * HOUR;

/** The machine that the step runs on, as far as inputs depend on it. Paths are absolute. */
export interface MachineSurroundings {
  /** Environment of the step. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The job runs on a machine of GitHub's, where it ends after 6 hours. */
  readonly hosted: boolean;
  readonly fileSystem: {
    /** Undefined when nothing is there. */
    inspect(path: string): { readonly isFile: boolean; readonly bytes: number } | undefined;
    /** Throws when the file cannot be read or is not UTF-8. */
    readText(path: string): string;
  };
  /** Where relative local paths start. */
  readonly workspace: string;
  readonly home: string;
}

/** All that inputs depend on beside themselves. */
export interface Surroundings extends MachineSurroundings {
  readonly providers: Providers;
  readonly run: Pick<RunContext, "repository" | "runId" | "runAttempt">;
}

/** What each input may be on its own. Blank inputs are left out of what is parsed, defaults are filled in before. */
export function inputSchema(
  { env, hosted, fileSystem, workspace, home, providers }: Omit<Surroundings, "run">,
  secrets: Secrets,
) {
  const roots = { workspace, home };
  const lifetime = hosted
    ? duration(
        10 * SECOND,
        LONGEST_HOSTED_JOB,
        ". A job on a GitHub-hosted runner ends after 6 hours, and nothing would be there to delete the machine; use a self-hosted runner for more",
      )
    : duration(10 * SECOND, 120 * HOUR);
  return z.object({
    provider: choice(Object.keys(providers)),
    token: marketToken(),
    "api-url": baseUrl().optional(),
    "gpu-type": gpuTypes(),
    "gpu-count": wholeNumber(1, 64),
    "contract-type": choice(["ondemand", "spot"]),
    region: wordsOf(["US", "EU", "APAC", "Other"]).optional(),
    vendor: names("names of vendors").optional(),
    "exclude-vendor": names("names of vendors").optional(),
    "min-reliability": share().optional(),
    "max-price-per-gpu-hour": money().optional(),
    "max-cost": money().optional(),
    "max-lifetime": lifetime,
    "max-attempts": wholeNumber(1, 10),
    "wait-for-offer": duration(0, 6 * HOUR),
    "provision-timeout": duration(10 * SECOND, 2 * HOUR).optional(),
    "poll-interval": duration(SECOND, 5 * MINUTE),
    "verify-gpu": flag(),
    "host-key": choice(["strict", "first-sight"]),
    "cloud-init": z.string().optional(),
    "cloud-init-file": line("the path of a file").optional(),
    image: imageName(),
    currency: choice([...new Set(Object.values(providers).flatMap(({ currencies }) => currencies))]),
    ports: publishedPorts().optional(),
    "container-env": containerEnvironment(env, secrets).optional(),
    mode: choice(["ssh", "runner"]),
    run: z.string().optional(),
    shell: shellCommand(),
    "working-directory": line("a directory on the machine").optional(),
    env: environment(env, secrets).optional(),
    upload: uploads(roots, (path) => fileSystem.inspect(path) !== undefined).optional(),
    "upload-ignore": patterns().optional(),
    download: downloads(roots).optional(),
    release: choice(["post", "after-run"]),
    "github-token": secretToken().optional(),
    "github-app-id": appId().optional(),
    "github-app-private-key": privateKey().optional(),
    "run-token": secretToken().optional(),
    "runner-label": runnerLabels().optional(),
    "runner-scope": runnerScope().optional(),
    "runner-group-id": wholeNumber(1, 999_999_999),
    "runner-version": runnerVersion(),
    runners: wholeNumber(1, 16),
    docker: choice(["auto", "require", "none"]),
    "wait-for-job": duration(0, 6 * HOUR),
    "require-job": flag(),
    hold: flag(),
    mirror: flag(),
    "idle-timeout": duration(30 * SECOND, 2 * HOUR),
    linger: duration(0, 10 * MINUTE),
    "cancel-grace": duration(0, 3 * MINUTE),
    "cancel-run-on-failure": flag(),
    "cleanup-timeout": duration(10 * SECOND, HOUR),
    "dry-run": flag(),
    "on-fork": choice(["fail", "skip", "allow"]),
    "job-status": z.string().optional(),
    "job-total": wholeNumber(1, 10_000).optional(),
    "job-index": wholeNumber(0, 10_000).optional(),
  } satisfies Record<InputName, z.ZodType>);
}

export type InputValues = z.output<ReturnType<typeof inputSchema>>;
/** The values of those inputs that are right by themselves. */
export type SoundValues = z.output<ReturnType<ReturnType<typeof inputSchema>["partial"]>>;
/** Takes a problem of an input; `what` follows the words `Input '<name>'`. */
export type ReportProblem = (name: InputName, what: string) => void;
