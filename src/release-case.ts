import type { Clock } from "./lease/clock.ts";
import { DeadlineFailure } from "./lease/failure.ts";
import type { AttemptRecord } from "./lease/journal.ts";
import type { Holdings, Progress } from "./market/provider.ts";

/** Something that an attempt may have left behind, and what is known of it. Times are ticks of the clock. */
export interface Suspect {
  readonly id: string;
  readonly kind: string;
  /** Provably of this purchase; else it is only watched, never deleted. */
  ours: boolean;
  /** It carries another lease's name. */
  isAnothers: boolean;
  /** It was looked at before its deletion is asked for. */
  looked: boolean;
  status: string;
  /** It was seen alive at some time. */
  seenAlive: boolean;
  /** It was seen, or not yet listed, after its deletion was asked for. */
  stillThere: boolean;
  /** A deletion is not asked for before. */
  notBefore: number;
  erasedAt?: number;
  absentSince?: number;
  /** The proof that it is gone. */
  goneBy?: string;
}

/** What is known of one attempt while it is being released. */
export interface Case {
  readonly attempt: AttemptRecord;
  readonly suspects: readonly Suspect[];
  progress: Progress | undefined;
  /** How many living resources the offer lists; undefined while no list could be read. */
  listed: number | undefined;
  doubtful: Holdings["doubtful"];
  soldToAnother: boolean;
  /** The last request failed so; `since` is when requests began to fail. */
  readonly trouble: { readonly error: unknown; readonly since: number } | undefined;
  knows(id: string): boolean;
  suspect(id: string, known: { kind: string; ours: boolean; status: string; goneBy?: string }): void;
  /** Takes a proof back: the marketplace lists it as alive. */
  reopen(id: string): void;
  /** Keeps why a request failed. Throws the outer signal's reason when that is what ended it. */
  endure(error: unknown, deps: { clock: Clock; signal?: AbortSignal }): void;
  forgive(): void;
}

export function openCase(attempt: AttemptRecord): Case {
  const suspects: Suspect[] = [];
  let trouble: { error: unknown; since: number } | undefined;
  const open: Case = {
    attempt,
    suspects,
    progress: undefined,
    listed: undefined,
    doubtful: [],
    soldToAnother: false,
    get trouble() {
      return trouble;
    },
    knows: (id) => suspects.some((one) => one.id === id),
    suspect: (id, known) =>
      suspects.push({ id, ...known, isAnothers: false, looked: false, seenAlive: false, stillThere: false, notBefore: 0 }),
    reopen(id) {
      const suspect = suspects.find((one) => one.id === id);
      if (suspect === undefined || suspect.isAnothers) return;
      delete suspect.goneBy;
      suspect.seenAlive = true;
      suspect.stillThere = true;
    },
    endure(error, { clock, signal }) {
      signal?.throwIfAborted();
      // That our own time is over says nothing about the marketplace.
      if (error instanceof DeadlineFailure) return;
      trouble = { error, since: trouble?.since ?? clock.ticks() };
    },
    forgive() {
      trouble = undefined;
    },
  };
  for (const id of attempt.resourceIds) open.suspect(id, { kind: "machine", ours: true, status: "not looked at yet" });
  return open;
}

/** A purchase that failed may show its remains only seconds later. */
const REMAINS_APPEAR_WITHIN = 15_000;

export function isFresh(sentAgo: number): boolean {
  return sentAgo < REMAINS_APPEAR_WITHIN;
}
