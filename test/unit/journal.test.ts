import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JournalFailure } from "../../src/lease/failure.ts";
import {
  type AttemptRecord,
  attemptStages,
  decodeJournal,
  encodeJournal,
  type JournalRecord,
  openJournal,
  unproved,
} from "../../src/lease/journal.ts";
import { plain } from "../../src/lease/plain.ts";

const NOW = 1_780_000_000_123;

const attempt: AttemptRecord = {
  number: 1,
  stage: "intended",
  leaseName: "gpup-0123abcd-42-1-abc123-hqk3a",
  offerId: "0b8f6f0e-6a3c-4a3e-9d53-0f4d43d3f1aa",
  gpu: "1x H100",
  vendor: "nebius",
  region: "EU",
  pricePerHour: 2.95,
  resourceIds: [],
  expiresAt: NOW,
  sent: NOW,
};

const start: JournalRecord = {
  version: 1,
  provider: "compute-clear",
  apiUrl: "https://supply-api.compute-desk.com",
  cleanupTimeout: 600_000,
  attempts: [],
};

/** An attempt of which every field is as long as it can become, its texts made of a character of so many bytes. */
function fullAttempt(number: number, character: string): AttemptRecord {
  const text = (longest: number) => plain(character.repeat(longest), longest);
  return {
    ...attempt,
    number,
    leaseName: "g".repeat(63),
    offerId: "o".repeat(64),
    gpu: text(60),
    vendor: text(60),
    region: text(40),
    pricePerHour: 1_234.567_890_123_4,
    failure: text(200),
    proof: text(200),
    ...Object.fromEntries(
      (["answered", "ready", "usable", "workStarted", "workEnded", "deleteAccepted", "gone"] as const).map((key) => [key, NOW]),
    ),
  };
}

const manyIds = Array.from({ length: 40 }, (_, index) => `${index}-`.padEnd(64, "r"));

/** A store that keeps the last value, and can be made to fail. */
function memory() {
  const saved: string[] = [];
  return {
    saved,
    broken: false,
    save(encoded: string) {
      if (this.broken) throw new JournalFailure("The disk is full.", "Nothing is bought.");
      saved.push(encoded);
    },
  };
}

describe("the encoded journal", () => {
  test("is read back as it was, on one line", () => {
    const record = {
      ...start,
      files: "/tmp/gpu",
      cancelled: true,
      attempts: [attempt, { ...fullAttempt(2, "é"), failure: "a\nb" }],
    };
    expect(decodeJournal(encodeJournal(record))).toEqual(record);
    expect(encodeJournal(record)).not.toContain("\n");
  });

  test.each(["a", '"', "\\", "é", "大", "😀", "\ud800"])(
    "stays under 16 KB with ten attempts of maximal text, made of %j, and everything noted",
    (character) => {
      const store = memory();
      const lost: unknown[] = [];
      const files = `/home/runner/work/_temp/${"d".repeat(200)}`;
      const journal = openJournal({ ...start, files, cancelled: true }, store, (error) => lost.push(error));
      for (let number = 1; number <= 10; number += 1) {
        const full = fullAttempt(number, character);
        journal.intend({ ...full, stage: "intended" });
        journal.note(number, { ...full, stage: "bought", resourceIds: manyIds });
      }
      expect(lost).toEqual([]);
      expect(store.saved).toHaveLength(20);
      for (const encoded of store.saved) expect(Buffer.byteLength(encoded)).toBeLessThanOrEqual(16_000);
      const read = decodeJournal(store.saved.at(-1) ?? "");
      expect(read.attempts).toHaveLength(10);
      expect(unproved(read)).toHaveLength(10);
      for (const one of read.attempts) {
        expect(one).toMatchObject({ leaseName: "g".repeat(63), offerId: "o".repeat(64), stage: "bought", sent: NOW });
        expect(one.resourceIds.length).toBeGreaterThanOrEqual(8);
        expect(manyIds.slice(0, one.resourceIds.length)).toEqual(one.resourceIds);
      }
    },
  );

  test("leaves out what only reports show, before anything that is needed to delete", () => {
    const attempts = Array.from({ length: 15 }, (_, index) => fullAttempt(index + 1, "大"));
    const lean = decodeJournal(encodeJournal({ ...start, attempts }));
    expect(lean.attempts.map(({ failure, proof }) => [failure, proof])).toEqual(attempts.map(() => [undefined, undefined]));
    expect(lean.attempts.map(({ vendor }) => vendor)).toEqual(attempts.map(({ vendor }) => vendor));
  });

  test("of a guard drops its jobs first, then what else only reports show, and never a runner record", () => {
    const records = Array.from({ length: 24 }, (_, index) =>
      index % 2 === 0 ? { name: `${index}-`.padEnd(64, "r"), id: 9_007_199_254_740_000 + index } : { name: "n".repeat(64) },
    );
    const job = { name: plain("😀".repeat(100), 100), conclusion: "c".repeat(20), started: NOW, completed: NOW };
    const guard = {
      labels: Array.from({ length: 3 }, (_, index) => `${index}-`.padEnd(100, "l")),
      scope: `${"o".repeat(100)}/${"r".repeat(100)}`,
      records,
      jobs: Array.from({ length: 100 }, () => job),
      stranded: true,
      graceUntil: NOW,
    };
    const files = `/home/runner/work/_temp/${"d".repeat(200)}`;
    const attempts = Array.from({ length: 10 }, (_, index) => ({
      ...fullAttempt(index + 1, "大"),
      resourceIds: manyIds.slice(0, 8),
    }));
    for (const count of [0, 1, 3, 10]) {
      const record = { ...start, files, cancelled: true, guard, attempts: attempts.slice(0, count) };
      const encoded = encodeJournal(record);
      expect(Buffer.byteLength(encoded)).toBeLessThanOrEqual(16_000);
      const read = decodeJournal(encoded);
      expect(read.guard).toEqual({ ...guard, jobs: [] });
      expect(read.attempts.map(({ leaseName, resourceIds }) => [leaseName, resourceIds])).toEqual(
        record.attempts.map(({ leaseName, resourceIds }) => [leaseName, resourceIds]),
      );
      if (count <= 3) expect(read.attempts).toEqual(record.attempts);
    }
  });

  test("of a guard keeps its jobs where there is room", () => {
    const jobs = [{ name: "test (1)", conclusion: "success", started: NOW, completed: NOW }];
    const record = { ...start, guard: { labels: ["gpu-1-1"], scope: "o/r", records: [], jobs }, attempts: [attempt] };
    expect(decodeJournal(encodeJournal(record))).toEqual(record);
  });

  test("refuses what cannot be carried to post", () => {
    const attempts = Array.from({ length: 60 }, (_, index) => fullAttempt(index + 1, "x"));
    expect(() => encodeJournal({ ...start, attempts })).toThrow(JournalFailure);
  });
});

describe("a damaged journal", () => {
  const whole = encodeJournal({ ...start, attempts: [attempt] });

  test.each([
    ["empty", ""],
    ["not JSON", "lease"],
    ["null", "null"],
    ["a list", "[]"],
    ["of another version", whole.replace('"version":1', '"version":2')],
    ["of an unknown stage", whole.replace("intended", "sold")],
    ["without its attempts", whole.replace('"attempts"', '"attempt"')],
    ["with a text for a number", whole.replace('"number":1', '"number":"1"')],
    ["with a negative price", whole.replace("2.95", "-2.95")],
    ["without a limit", whole.replace("600000", "0")],
  ])("that is %s is refused, with a hint where to look", (_how, encoded) => {
    expect(() => decodeJournal(encoded)).toThrow(
      expect.objectContaining({ code: "journal", hint: expect.stringContaining("gpup-") }),
    );
  });

  test("cut off anywhere is refused", () => {
    fc.assert(
      fc.property(fc.nat(whole.length - 1), (length) => {
        expect(() => decodeJournal(whole.slice(0, length))).toThrow(JournalFailure);
      }),
    );
  });

  test("is told in one line", () => {
    expect(() => decodeJournal(whole.replace("intended", "sold").replace("2.95", "-1"))).toThrow(/^[^\n]+$/);
  });
});

describe("an open journal", () => {
  test("an intent that cannot be saved throws, and is not kept", () => {
    const store = memory();
    const journal = openJournal(start, store, () => undefined);
    store.broken = true;
    expect(() => journal.intend(attempt)).toThrow(JournalFailure);
    expect(journal.read().attempts).toEqual([]);
    store.broken = false;
    journal.intend(attempt);
    expect(decodeJournal(store.saved.at(-1) ?? "").attempts).toEqual([attempt]);
  });

  test("an intent is saved before it is known", () => {
    const journal = openJournal(start, { save: () => expect(journal.read().attempts).toEqual([]) }, () => undefined);
    journal.intend(attempt);
    expect(journal.read().attempts).toEqual([attempt]);
  });

  test("a note outlives a store that fails, is reported once, and is saved with the next", () => {
    const store = memory();
    const lost: unknown[] = [];
    const journal = openJournal(start, store, (error) => lost.push(error));
    journal.intend(attempt);
    store.broken = true;
    journal.note(1, { stage: "bought", resourceIds: ["r-1"] });
    journal.note(1, { ready: NOW });
    journal.noteLease({ cancelled: true });
    expect(lost).toHaveLength(1);
    expect(lost[0]).toBeInstanceOf(JournalFailure);
    expect(journal.attempt(1)).toMatchObject({ stage: "bought", resourceIds: ["r-1"], ready: NOW });
    store.broken = false;
    journal.note(1, { usable: NOW });
    expect(decodeJournal(store.saved.at(-1) ?? "")).toEqual(journal.read());
    expect(journal.read()).toMatchObject({ cancelled: true, attempts: [{ stage: "bought", ready: NOW, usable: NOW }] });
  });

  test("every transition is saved", () => {
    const store = memory();
    const journal = openJournal(start, store, () => undefined);
    journal.intend(attempt);
    journal.note(1, { stage: "bought" });
    journal.noteLease({ files: "/tmp/gpu" });
    expect(store.saved.map((encoded) => decodeJournal(encoded).attempts[0]?.stage)).toEqual(["intended", "bought", "bought"]);
  });

  test("a note of the guard is saved, and does nothing where there is no guard", () => {
    const store = memory();
    const guard = { labels: ["gpu-1-1"], scope: "o/r", records: [], jobs: [] };
    const guarded = openJournal({ ...start, guard }, store, () => undefined);
    guarded.noteGuard({ records: [{ name: "gpup-1" }], stranded: true });
    expect(decodeJournal(store.saved.at(-1) ?? "").guard).toEqual({ ...guard, records: [{ name: "gpup-1" }], stranded: true });
    const bare = openJournal(start, { save: () => expect.unreachable() }, () => undefined);
    bare.noteGuard({ stranded: true });
    expect(bare.read()).toEqual(start);
  });

  test("a note changes its own attempt only", () => {
    const journal = openJournal(start, memory(), () => undefined);
    journal.intend(attempt);
    journal.intend({ ...attempt, number: 2 });
    journal.note(2, { stage: "gone" });
    expect(journal.read().attempts.map(({ stage }) => stage)).toEqual(["intended", "gone"]);
  });

  test("an attempt that was never intended cannot be noted", () => {
    const journal = openJournal(start, memory(), () => undefined);
    expect(() => journal.note(1, { stage: "bought" })).toThrow(JournalFailure);
    expect(() => journal.attempt(7)).toThrow(/no attempt 7/);
  });

  test("what may still exist is what is intended or bought", () => {
    const attempts = attemptStages.map((stage, index) => ({ ...attempt, number: index + 1, stage }));
    expect(unproved({ ...start, attempts }).map(({ stage }) => stage)).toEqual(["intended", "bought"]);
  });
});
