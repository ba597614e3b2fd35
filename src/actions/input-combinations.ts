import type { ProviderFacts } from "../lease/provider-facts.ts";
import { checkProvider } from "./input-container.ts";
import { checkRunnerInputs, refuseRunnerInputs } from "./input-modes.ts";
import { type InputName, inputDefaults } from "./input-names.ts";
import type { ReportProblem, SoundValues } from "./input-schema.ts";
import { quote } from "./input-values.ts";

type Given = Partial<Record<InputName, string>>;

/** Combinations that cannot be meant. An input that would do nothing is refused too: who wrote it expects something of it. */
export function checkCombinations(
  given: Given,
  values: SoundValues,
  facts: ProviderFacts | undefined,
  problem: ReportProblem,
): void {
  checkProvider(given, values, facts, problem);
  if (values.mode === "ssh") {
    checkWork(given, values, problem);
    refuseRunnerInputs(given, problem);
  } else if (values.mode === "runner") {
    checkRunnerInputs(given, values, problem);
  }
  const excluded = new Set(values["exclude-vendor"]?.map((vendor) => vendor.toLowerCase()));
  for (const vendor of values.vendor ?? []) {
    if (excluded.has(vendor.toLowerCase())) {
      problem("exclude-vendor", `names ${quote(vendor)}, and so does 'vendor'; name it in one of the two.`);
    }
  }
  const timeout = values["provision-timeout"];
  const lifetime = values["max-lifetime"];
  if (timeout !== undefined && lifetime !== undefined && timeout > lifetime) {
    problem(
      "provision-timeout",
      `is ${quote(given["provision-timeout"] ?? "")}, longer than 'max-lifetime' (${quote(given["max-lifetime"] ?? "")}); ` +
        "it takes at most that, for the machine is deleted then.",
    );
  }
}

function checkWork(given: Given, values: SoundValues, problem: ReportProblem): void {
  if (given.run === undefined) {
    for (const name of ["working-directory", "env", "download"] as const) {
      if (given[name] !== undefined) problem(name, "is set without 'run'; give 'run' the commands that it is for, or remove it.");
    }
    if (values.shell !== undefined && values.shell !== inputDefaults.shell) {
      problem("shell", `is ${quote(values.shell)} without 'run'; give 'run' the commands that it is for, or remove it.`);
    }
    if (values.release === "after-run") {
      problem("release", "is 'after-run' without 'run'; give 'run' the commands to wait for, or set it to 'post'.");
    }
  }
  if (given["upload-ignore"] !== undefined && given.upload === undefined) {
    problem("upload-ignore", "is set without 'upload'; give 'upload' what is to be copied, or remove it.");
  }
}
