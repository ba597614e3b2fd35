import type { Slot } from "./crew.ts";
import type { JobsView } from "./gpu-jobs.ts";

/**
 * What a guard does next.
 * - `hire`: jobs are queued that no living runner is left for, and slots are free
 * - `work`: a runner has a job; `wind-up`: one has ended, and GitHub does not call its job completed yet
 * - `idle`: a job is queued (or not even that) and does not start
 * - `linger`: nothing is left to do, but the run goes on and may queue another job
 * - `end`: nothing is left to do, and nothing can come
 */
export type Decision =
  | { readonly kind: "hire"; readonly slots: readonly Slot[] }
  | { readonly kind: "work" | "wind-up" | "idle" | "linger" | "end" };

/** `view` is what GitHub said last; slots know sooner that a runner has ended. */
export function decide(view: JobsView, slots: readonly Slot[]): Decision {
  const ready = slots.filter(({ state }) => state === "starting" || state === "online");
  const vacant = slots.filter(({ state }) => state === "vacant");
  const unserved = view.queued.length - ready.length;
  if (unserved > 0 && vacant.length > 0) return { kind: "hire", slots: vacant.slice(0, unserved) };
  if (slots.some((slot) => isWorking(slot, view))) return { kind: "work" };
  if (view.queued.length > 0 || view.held.length > 0) return { kind: "idle" };
  return { kind: view.nothingElse ? "end" : "linger" };
}

/** A job that GitHub calls completed is over, even while its runner still tidies up. */
function isWorking({ state, registration }: Slot, { running, completed }: JobsView): boolean {
  const isItsJob = ({ runnerName }: { readonly runnerName?: string }) =>
    runnerName !== undefined && runnerName === registration?.name;
  if (state === "busy") return !completed.some(isItsJob);
  return (state === "online" || state === "starting") && running.some(isItsJob);
}
