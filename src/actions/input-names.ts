/** Every input, in the order of action.yml. A test holds the two together, defaults included. */
export const inputNames = [
  "provider",
  "token",
  "api-url",
  "gpu-type",
  "gpu-count",
  "contract-type",
  "region",
  "vendor",
  "exclude-vendor",
  "max-price-per-gpu-hour",
  "max-cost",
  "max-lifetime",
  "max-attempts",
  "wait-for-offer",
  "provision-timeout",
  "poll-interval",
  "verify-gpu",
  "host-key",
  "cloud-init",
  "cloud-init-file",
  "mode",
  "run",
  "shell",
  "working-directory",
  "env",
  "upload",
  "upload-ignore",
  "download",
  "release",
  "cleanup-timeout",
  "dry-run",
  "on-fork",
  "job-status",
] as const;

export type InputName = (typeof inputNames)[number];

/** The inputs as the runner hands them over: untrimmed, `""` where nothing was given. */
export type RawInputs = Readonly<Record<InputName, string>>;

/** The runner fills these in for an input that is not there, but not for one whose expression came out empty: we do. */
export const inputDefaults = {
  provider: "compute-clear",
  "gpu-count": "1",
  "contract-type": "ondemand",
  "max-lifetime": "2h",
  "max-attempts": "3",
  "wait-for-offer": "0s",
  "poll-interval": "15s",
  "verify-gpu": "true",
  "host-key": "strict",
  mode: "ssh",
  shell: "bash",
  release: "post",
  "cleanup-timeout": "10m",
  "dry-run": "false",
  "on-fork": "fail",
} as const satisfies Partial<RawInputs>;
