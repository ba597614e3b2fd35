import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hashRepository, readLeaseName, writeLeaseName } from "../../src/lease/name.ts";

const MINUTE = 60_000;
const repository = fc.stringMatching(/^[A-Za-z0-9_.-]{1,100}\/[A-Za-z0-9_.-]{1,100}$/);
const lease = fc.record({
  repository,
  runId: fc.bigInt({ min: 1n, max: 10n ** 19n - 1n }).map(String),
  runAttempt: fc.integer({ min: 1, max: 99_999 }),
  // Up to the last moment that a Date can hold and that is read back.
  expiresAt: fc.integer({ min: 0, max: 36 ** 7 * MINUTE - MINUTE }),
});

describe("a lease's name", () => {
  test("is read back as it was written, with the expiry on the next full minute", () => {
    fc.assert(
      fc.property(lease, (written) => {
        const read = readLeaseName(writeLeaseName(written));
        expect(read).toMatchObject({
          repositoryHash: hashRepository(written.repository),
          runId: written.runId,
          runAttempt: written.runAttempt,
        });
        expect(read?.expiresAt).toBe(Math.ceil(written.expiresAt / MINUTE) * MINUTE);
      }),
    );
  });

  test("is at most 63 characters of [a-z0-9-], which every marketplace takes", () => {
    fc.assert(fc.property(lease, (written) => /^[a-z0-9-]{1,63}$/.test(writeLeaseName(written))));
  });

  test("is another one each time", () => {
    const one = { repository: "acme/kernels", runId: "42", runAttempt: 1, expiresAt: 0 };
    expect(writeLeaseName(one)).not.toBe(writeLeaseName(one));
  });

  test("says the same repository however its letters are cased", () => {
    fc.assert(fc.property(repository, (name) => hashRepository(name.toUpperCase()) === hashRepository(name.toLowerCase())));
    expect(hashRepository("acme/kernels")).not.toBe(hashRepository("acme/kernel"));
    expect(hashRepository("acme/kernels")).toMatch(/^[0-9a-f]{8}$/);
  });
});

/** What `readLeaseName` must have seen, made again of what it read. */
function rewrite(text: string): string | undefined {
  const read = readLeaseName(text);
  if (read === undefined) return undefined;
  const expiry = (read.expiresAt / MINUTE).toString(36);
  return `gpup-${read.repositoryHash}-${read.runId}-${read.runAttempt}-${read.random}-${expiry}`;
}

describe("reading a name", () => {
  const good = "gpup-0123abcd-42-1-abc123-hqk3a";

  test("takes exactly what it understands: what was read can only have been written so", () => {
    const near = fc.oneof(
      fc.stringMatching(/^gpup-[0-9a-f]{8}-\d{1,20}-\d{1,6}-[0-9a-z]{5,7}-[0-9a-z]{1,9}$/),
      fc.tuple(fc.nat(good.length), fc.string({ maxLength: 3 })).map(([at, text]) => good.slice(0, at) + text + good.slice(at)),
      fc.tuple(fc.nat(good.length - 1), fc.string({ maxLength: 1 })).map(([at, c]) => good.slice(0, at) + c + good.slice(at + 1)),
    );
    fc.assert(
      fc.property(near, (text) => {
        expect([undefined, text]).toContain(rewrite(text));
      }),
      { numRuns: 2_000 },
    );
  });

  test("an expiry that is read is a moment that a Date can hold", () => {
    const { expiresAt } = readLeaseName("gpup-0123abcd-42-1-abc123-zzzzzzz") ?? { expiresAt: Number.NaN };
    expect(new Date(expiresAt).toISOString()).toMatch(/^\+?\d+-/);
  });

  test.each([
    "",
    "gpup",
    `${good}\n`,
    ` ${good}`,
    `${good}-`,
    `x${good}`,
    good.toUpperCase(),
    "gpup-0123abcd-42-1-abc123",
    "gpup-0123abcg-42-1-abc123-hqk3a",
    "gpup-0123abcd--1-abc123-hqk3a",
    "gpup-0123abcd-42-0-abc123-hqk3a",
    "gpup-0123abcd-42-01-abc123-hqk3a",
    "gpup-0123abcd-42-1-abc12-hqk3a",
    "gpup-0123abcd-42-1-abc123-0hqk3a",
    "gpup-0123abcd-42-1-abc123-zzzzzzzz",
    "gpup-0123abcd-４２-1-abc123-hqk3a",
    "my-own-machine",
  ])("refuses %j", (text) => {
    expect(readLeaseName(good)).toBeDefined();
    expect(readLeaseName(text)).toBeUndefined();
  });
});
