import * as z from "zod";
import { JournalFailure } from "./failure.ts";

/**
 * The lease journal: all that post needs to find and delete what was bought, and no secret. It is saved before a purchase
 * leaves and after every transition; the last saved value counts.
 */

const text = (longest: number) => z.string().max(longest);
const moment = z.number().nonnegative();
/** A machine and its disks and addresses; more of them in ten attempts could not be carried to post. */
const MOST_RESOURCES = 12;

/**
 * - `intended`: the purchase may have been sent; what came of it is not known
 * - `bought`: the marketplace said yes
 * - `nothing-bought`: the marketplace said no, or the request never left
 * - `gone`: deletion is proved
 */
export const attemptStages = ["intended", "bought", "nothing-bought", "gone"] as const;

const attemptSchema = z.object({
  number: z.int().positive(),
  stage: z.enum(attemptStages),
  leaseName: text(63),
  offerId: text(100),
  gpu: text(60),
  vendor: text(60),
  region: text(40),
  pricePerHour: z.number().nonnegative(),
  /** USD that the purchase itself costs, besides. */
  upfront: z.number().nonnegative().optional(),
  /** What the marketplace itself says that it billed: hours at the price, all fees among them, and the same in its own words. */
  billedHours: z.number().nonnegative().optional(),
  billedAs: text(80).optional(),
  resourceIds: z.array(text(64)).max(MOST_RESOURCES),
  /** Milliseconds since the epoch at which the lease is over. */
  expiresAt: moment,
  /** Why the attempt came to nothing. */
  failure: text(200).optional(),
  /** What showed that the machine is gone. */
  proof: text(200).optional(),
  /** Milliseconds since the epoch. `sent` is when the purchase was about to leave. */
  sent: moment,
  answered: moment.optional(),
  /** When it was known that the purchase's answer would not come. */
  lost: moment.optional(),
  ready: moment.optional(),
  usable: moment.optional(),
  workStarted: moment.optional(),
  workEnded: moment.optional(),
  deleteAccepted: moment.optional(),
  gone: moment.optional(),
});

/** One for each of 16 runners, and some that could not be removed at once. */
const MOST_RECORDS = 24;

/** What a guard has to tidy up on GitHub's side. Names and labels only; no configuration. */
const guardSchema = z.object({
  labels: z.array(text(100)).max(32),
  /** `owner/repo`, or the name of an organisation. */
  scope: text(201),
  /** Runner records that may still exist; one without an id was asked for, and its answer is not known. */
  records: z.array(z.object({ name: text(64), id: z.int().positive().optional() })).max(MOST_RECORDS),
  /** The jobs that the guard held for, for the report. */
  jobs: z.array(
    z.object({
      name: text(100),
      conclusion: text(20).optional(),
      /** Milliseconds since the epoch. */
      started: moment.optional(),
      completed: moment.optional(),
    }),
  ),
  /** No machine could be had: post cancels the run, whose GPU jobs would stay queued. */
  stranded: z.boolean().optional(),
  /** After a cancellation, the machine may live until then (milliseconds since the epoch) for the GPU jobs' last steps. */
  graceUntil: moment.optional(),
});

const journalSchema = z.object({
  version: z.literal(1),
  provider: text(40),
  apiUrl: z.string(),
  cleanupTimeout: z.number().positive(),
  /** Directory with key and known_hosts of this lease, to be removed by post. */
  files: z.string().optional(),
  /** Main got a signal. */
  cancelled: z.boolean().optional(),
  /** Runner mode only. */
  guard: guardSchema.optional(),
  attempts: z.array(attemptSchema),
});

export type AttemptRecord = Readonly<z.infer<typeof attemptSchema>>;
export type GuardRecord = Readonly<z.infer<typeof guardSchema>>;
export type HeldJob = GuardRecord["jobs"][number];
export type JournalRecord = Readonly<z.infer<typeof journalSchema>>;

/** Where the journal is kept between main and post. `save` throws JournalFailure when nothing was written. */
export interface JournalStore {
  save(encoded: string): void;
}

export interface Journal {
  read(): JournalRecord;
  attempt(number: number): AttemptRecord;
  /** Adds an attempt. Throws JournalFailure when it cannot be saved: then nothing may be bought. */
  intend(attempt: AttemptRecord): void;
  /** Saves a transition of an attempt; when saving fails it is kept in memory and reported once, for deletion must go on. */
  note(number: number, change: Partial<Omit<AttemptRecord, "number">>): void;
  noteLease(change: Partial<Pick<JournalRecord, "files" | "cancelled">>): void;
  /** Saves a change of what the guard leaves on GitHub's side. Does nothing in ssh mode. */
  noteGuard(change: Partial<GuardRecord>): void;
}

// The runner hands the journal to post as an environment variable, of which Linux takes up to 128 KB; we stay far below.
const LARGEST = 15_500;

/** What only reports show is left out where space is short, the longest first; what deletion needs is never. */
const FORMS: readonly ((record: JournalRecord) => JournalRecord)[] = [
  (record) => record,
  (record) => ({ ...record, ...(record.guard === undefined ? {} : { guard: { ...record.guard, jobs: [] } }) }),
  (record) => mapAttempts(record, ({ failure, proof, billedAs, ...attempt }) => attempt),
  (record) => mapAttempts(record, (attempt) => ({ ...attempt, gpu: "", vendor: "", region: "" })),
];

function mapAttempts(record: JournalRecord, form: (attempt: AttemptRecord) => AttemptRecord): JournalRecord {
  return { ...record, attempts: record.attempts.map(form) };
}

/** The journal as one line, or JournalFailure when it is too large to be carried to post. */
export function encodeJournal(record: JournalRecord): string {
  let size = 0;
  let lean = record;
  for (const form of FORMS) {
    lean = form(lean);
    const encoded = JSON.stringify(lean);
    size = Buffer.byteLength(encoded);
    if (size <= LARGEST) return encoded;
  }
  throw new JournalFailure(
    `The lease journal has grown to ${size} bytes; post could not be handed so much.`,
    "Nothing more is bought. This is a defect of gpu-provision: please report it.",
  );
}

/** Reads what main saved. Throws JournalFailure when it is damaged, for then post cannot know what to delete. */
export function decodeJournal(encoded: string): JournalRecord {
  const parsed = z.string().transform((value, context) => {
    try {
      return JSON.parse(value) as unknown;
    } catch {
      context.addIssue("is not JSON");
      return z.NEVER;
    }
  });
  const result = parsed.pipe(journalSchema).safeParse(encoded);
  if (result.success) return result.data;
  throw new JournalFailure(
    `The lease journal that main left cannot be read: ${z.prettifyError(result.error).replaceAll("\n", " ")}`,
    "A machine may still be billing. Look at the marketplace's console for a machine whose name begins with 'gpup-' and delete it.",
    { cause: result.error },
  );
}

export function openJournal(start: JournalRecord, store: JournalStore, onLost: (error: unknown) => void): Journal {
  let record = start;
  let told = false;
  const keep = (next: JournalRecord) => {
    record = next;
    try {
      store.save(encodeJournal(record));
    } catch (error) {
      if (!told) onLost(error);
      told = true;
    }
  };
  const find = (number: number) => {
    const attempt = record.attempts.find((one) => one.number === number);
    if (!attempt)
      throw new JournalFailure(`There is no attempt ${number} in the lease journal.`, "This is a defect of gpu-provision.");
    return attempt;
  };
  return {
    read: () => record,
    attempt: find,
    intend(attempt) {
      const next = { ...record, attempts: [...record.attempts, attempt] };
      store.save(encodeJournal(next));
      record = next;
    },
    note(number, change) {
      const noted = { ...find(number), ...change };
      const capped = { ...noted, resourceIds: noted.resourceIds.slice(0, MOST_RESOURCES) };
      keep({ ...record, attempts: record.attempts.map((one) => (one.number === number ? capped : one)) });
    },
    noteLease: (change) => keep({ ...record, ...change }),
    noteGuard(change) {
      if (record.guard === undefined) return;
      const guard = { ...record.guard, ...change };
      keep({ ...record, guard: { ...guard, records: guard.records.slice(-MOST_RECORDS) } });
    },
  };
}

/** Attempts of which something may still exist. */
export function unproved(record: JournalRecord): readonly AttemptRecord[] {
  return record.attempts.filter((attempt) => attempt.stage === "intended" || attempt.stage === "bought");
}
