import { EVENT_MARK } from "./boot-script.ts";
import type { MachineEvent } from "./contract.ts";

const LONGEST = 1_000;

/** What a line of a machine's boot log tells; undefined for all that is no event, or none that we know. */
export function readEvent(line: string): MachineEvent | undefined {
  if (!line.startsWith(EVENT_MARK) || line.length > LONGEST) return undefined;
  const [, kind = "", rest = ""] = /^(\S+) ?(.*)$/.exec(line.slice(EVENT_MARK.length)) ?? [];
  if (kind === "failed") return { kind, reason: rest };
  if (kind === "powering-off") return { kind };
  const [, number = "", text = ""] = /^(\d{1,6})(?: (.*))?$/.exec(rest) ?? [];
  if (number === "") return undefined;
  const slot = Number(number);
  switch (kind) {
    case "phase":
      return { kind, seconds: slot, name: text };
    case "wants":
      return { kind: "wants-configuration", slot, why: text };
    case "started":
    case "listening":
    case "ended":
      return { kind, slot };
    case "job-started":
      return { kind, slot, job: text };
    case "refused":
      return { kind, slot, reason: text };
    case "job-ended": {
      const [, result = "", job = ""] = /^(\S+) (.*)$/.exec(text) ?? [];
      return { kind, slot, job, result };
    }
    default:
      return undefined;
  }
}
