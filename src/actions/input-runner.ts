import * as z from "zod";
import type { RunnerScope } from "../lease/plan.ts";
import { complain, list, quote } from "./input-values.ts";

/** Schemas of the inputs that say what runners are registered, and where. */

const MOST_LABELS = 10;
const LABEL = /^[^\p{Cc}'"`[\]{}]{1,100}$/u;

/** A label that jobs elsewhere name as well: a runner that carried it would be taken by any of them. */
function isCommon(label: string): boolean {
  return /^(?:self-hosted|linux|windows|macos|x64|x86|arm|arm64)$|^(?:ubuntu|windows|macos)-/i.test(label);
}

export function runnerLabels() {
  return list(
    "labels of up to 100 characters, without quotes, brackets and control characters",
    (word) => (LABEL.test(word) ? word : undefined),
    MOST_LABELS,
  ).superRefine((labels, context) => {
    const common = labels.find(isCommon);
    if (common === undefined) return;
    context.addIssue(
      `names ${quote(common)}, which other jobs name as well, so that any of them could take the machine; ` +
        "it takes labels that only the GPU jobs of this run have.",
    );
  });
}

const SCOPE = /^([A-Za-z0-9_][A-Za-z0-9_-]{0,99})(?:\/([\w.-]{1,100}))?$/;

export function runnerScope() {
  return z.string().transform((text, context): RunnerScope => {
    const [, owner, repository] = SCOPE.exec(text) ?? [];
    if (owner === undefined || repository === "." || repository === "..") {
      context.addIssue(complain(text, "'owner/repository', or the name of an organisation"));
      return z.NEVER;
    }
    return repository === undefined ? { kind: "organisation", owner } : { kind: "repository", owner, repository };
  });
}

/** `latest`, or a version without the `v` of its tag. */
export function runnerVersion() {
  return z
    .string()
    .regex(/^(?:latest|v?\d{1,4}\.\d{1,5}\.\d{1,5})$/, {
      error: ({ input }) => complain(input, "'latest', or a version of the runner application like '2.336.0'"),
    })
    .transform((text) => text.replace(/^v/, ""));
}
