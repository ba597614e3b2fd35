import type { CloudInitPart } from "../machine/cloud-init-parts.ts";
import { SCRIPT_PATH, writeBootScript } from "./boot-script.ts";
import type { BootSettings } from "./contract.ts";

const DIRECTORY = "/var/lib/gpu-provision";
/** A real one has about 4,000 characters; what the user's script has to leave free. */
const LONGEST_CONFIGURATION = 10_000;

/** The part of a machine's cloud-init document that makes it a runner. It holds a secret: the first runner's configuration. */
export function composeBootPart(settings: BootSettings): CloudInitPart {
  const { application, configuration } = settings;
  const script = writeBootScript({
    X64_URL: application.x64?.url ?? "",
    X64_SHA256: application.x64?.sha256 ?? "",
    ARM64_URL: application.arm64?.url ?? "",
    ARM64_SHA256: application.arm64?.sha256 ?? "",
    RUNNERS: String(settings.runners),
    GPUS: String(settings.gpuCount),
    EXPECTED_GPUS: String(settings.expectedGpus?.count ?? 0),
    DOCKER: settings.docker,
    LIFETIME: String(Math.ceil(settings.lifetime / 1000)),
    MINTED: String(Math.round(settings.mintedAt / 1000)),
  });
  return {
    writeFiles: [
      { path: SCRIPT_PATH, content: script, permissions: "0700" },
      { path: `${DIRECTORY}/configuration-1`, content: configuration, permissions: "0600" },
      ...units.map(({ name, text }) => ({ path: `/etc/systemd/system/${name}`, content: text, permissions: "0644" })),
    ],
    runcmd: [`sh "\${GPU_PROVISION_ROOT-}${SCRIPT_PATH}" launch`],
  };
}

/** A part as large as any, to see before a purchase that there is room for it. */
export function sampleBootPart(): CloudInitPart {
  const archive = { url: `https://github.com/${"x".repeat(200)}`, sha256: "0".repeat(64) };
  return composeBootPart({
    application: { version: "2.336.0", x64: archive, arm64: archive },
    runners: 16,
    gpuCount: 64,
    docker: "require",
    lifetime: 1e9,
    expectedGpus: { count: 64 },
    configuration: "A".repeat(LONGEST_CONFIGURATION),
    mintedAt: 1e13,
  });
}

/** Started by the script where there is systemd, and by nothing else: a machine that boots again is no runner any more. */
const units = [
  unit("gpu-provision-boot.service", "Makes this machine a self-hosted runner", "boot"),
  unit("gpu-provision-lifetime.service", "Powers this machine off when its lease is over", "lifetime"),
  unit("gpu-provision-runner@.service", "Self-hosted runner %i, for one job", "slot %i", ["KillMode=mixed", "TimeoutStopSec=30"]),
] as const;

function unit(name: string, description: string, command: string, more: readonly string[] = []): { name: string; text: string } {
  const lines = [
    "[Unit]",
    `Description=gpu-provision: ${description}`,
    "",
    "[Service]",
    `ExecStart=/bin/sh ${SCRIPT_PATH} ${command}`,
  ];
  return { name, text: `${[...lines, ...more].join("\n")}\n` };
}
