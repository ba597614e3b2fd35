import { type InputName, inputDefaults } from "./input-names.ts";
import type { ReportProblem, SoundValues } from "./input-schema.ts";
import { orList, quote } from "./input-values.ts";

/** Inputs that say nothing in one of the modes. Who writes one there expects something of it, so it is refused. */

type Given = Partial<Record<InputName, string>>;

const onlySsh = ["run", "shell", "working-directory", "env", "upload", "upload-ignore", "download", "release"] as const;
const onlyRunner = [
  "github-token",
  "github-app-id",
  "github-app-private-key",
  "runner-label",
  "runner-scope",
  "runner-group-id",
  "runner-version",
  "runners",
  "docker",
  "wait-for-job",
  "require-job",
  "hold",
  "mirror",
  "idle-timeout",
  "linger",
  "cancel-grace",
  "cancel-run-on-failure",
] as const;
const onlyHold = ["idle-timeout", "linger", "cancel-grace", "runners"] as const;

/** The runner fills defaults in, so an input that is written with its default cannot be told from one that is not there. */
function isSet(name: InputName, given: Given): boolean {
  const standard = Object.entries(inputDefaults).find(([one]) => one === name)?.[1];
  return given[name] !== undefined && given[name] !== standard;
}

export function refuseRunnerInputs(given: Given, problem: ReportProblem): void {
  for (const name of onlyRunner) {
    if (isSet(name, given)) problem(name, "does nothing in mode 'ssh'; set 'mode' to 'runner', or remove it.");
  }
}

export function checkRunnerInputs(given: Given, values: SoundValues, problem: ReportProblem): void {
  for (const name of onlySsh) {
    if (!isSet(name, given)) continue;
    const instead =
      name === "release"
        ? "the machine is deleted when its jobs are over"
        : "the steps of the GPU job do what is to be done on the machine";
    problem(name, `does not go with mode 'runner', where ${instead}; remove it, or set 'mode' to 'ssh'.`);
  }
  if (values.hold === false) {
    for (const name of onlyHold) {
      // A value that is refused by itself may be a secret in the wrong place, and is not quoted.
      if (!isSet(name, given) || values[name] === undefined) continue;
      problem(name, `is ${quote(given[name] ?? "")} without 'hold', which it is for; remove one of the two.`);
    }
  }
  const { runners, "gpu-count": gpus, "max-lifetime": lifetime } = values;
  if (runners !== undefined && gpus !== undefined && gpus % runners !== 0) {
    const counts = Array.from({ length: gpus }, (_, index) => index + 1).filter((count) => gpus % count === 0);
    problem(
      "runners",
      `is '${runners}', among which ${gpus === 1 ? "one GPU" : `${gpus} GPUs`} ('gpu-count') cannot be split evenly; it takes ${orList(counts.map(String))}.`,
    );
  }
  for (const name of ["idle-timeout", "linger"] as const) {
    const value = values[name];
    if (isSet(name, given) && value !== undefined && lifetime !== undefined && value > lifetime) {
      problem(
        name,
        `is ${quote(given[name] ?? "")}, longer than 'max-lifetime' (${quote(given["max-lifetime"] ?? "")}); ` +
          "it takes at most that, for the machine is deleted then.",
      );
    }
  }
}
