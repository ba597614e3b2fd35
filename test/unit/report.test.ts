import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { followCommands } from "../../sandbox/runner/workflow-commands.ts";
import { renderOffers, renderReport } from "../../src/actions/report.ts";
import { type AttemptRecord, attemptStages, type GuardRecord, type JournalRecord } from "../../src/lease/journal.ts";
import type { Offer } from "../../src/lease/offer.ts";

const T0 = Date.UTC(2026, 0, 2, 3, 4, 5);
const MINUTE = 60_000;

const used: AttemptRecord = {
  number: 2,
  stage: "gone",
  leaseName: "gpup-0123abcd-42-1-abc123-hqk3a",
  offerId: "offer-2",
  gpu: "1x H100",
  vendor: "nebius",
  region: "EU",
  pricePerHour: 3,
  resourceIds: ["r-1"],
  expiresAt: T0 + 120 * MINUTE,
  proof: "r-1 reads 'deleted', and the offer lists nothing alive",
  sent: T0,
  answered: T0 + MINUTE,
  ready: T0 + 2 * MINUTE,
  usable: T0 + 3 * MINUTE,
  workStarted: T0 + 3 * MINUTE,
  workEnded: T0 + 13 * MINUTE,
  deleteAccepted: T0 + 19 * MINUTE,
  gone: T0 + 20 * MINUTE,
};

const refused: AttemptRecord = {
  number: 1,
  stage: "nothing-bought",
  leaseName: "gpup-0123abcd-42-1-abc124-hqk3a",
  offerId: "offer-1",
  gpu: "1x H100",
  vendor: "hyperstack",
  region: "US",
  pricePerHour: 2,
  resourceIds: [],
  expiresAt: T0,
  failure: "The purchase was refused: HTTP 410",
  sent: T0 - MINUTE,
  answered: T0 - MINUTE,
};

const record = (...attempts: AttemptRecord[]): JournalRecord => ({
  version: 1,
  provider: "compute-clear",
  apiUrl: "https://supply-api.compute-desk.com",
  cleanupTimeout: 600_000,
  attempts,
});
const NOW = T0 + 30 * MINUTE;

/** Cells of the body of the first table. */
function readTable(markdown: string): string[][] {
  const rows = markdown.split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((row) =>
    row
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
}

const gantt = (markdown: string) => /^```mermaid\ngantt\n([\s\S]*?)\n```$/m.exec(markdown)?.[1]?.split("\n") ?? [];

describe("the summary of a lease", () => {
  const markdown = renderReport(record(refused, used), NOW);

  test("names the machine that was used, its price and how long it took", () => {
    expect(markdown).toContain("**1x H100** from nebius in EU at **$3.00/h**, usable 3 min after the purchase.");
  });

  test("has a row for each attempt with its result, its cost and its end", () => {
    expect(readTable(markdown)).toEqual([
      ["1", "1x H100, hyperstack, US", "$2.00/h", "The purchase was refused: HTTP 410", "$0.00", "nothing was bought"],
      ["2", "1x H100, nebius, EU", "$3.00/h", "used", "$1.00", "gone: r-1 reads 'deleted', and the offer lists nothing alive"],
    ]);
  });

  test("says what it cost at most and that nothing leaked", () => {
    expect(markdown).toMatch(/\*\*Cost:\*\* at most \$1\.00 .*\*\*Leaked: nothing\*\*/);
    expect(markdown).not.toContain("CAUTION");
  });

  test("draws the lease, bar after bar, and leaves out what never was", () => {
    expect(gantt(markdown)).toEqual([
      "  dateFormat YYYY-MM-DDTHH:mm:ss",
      "  axisFormat %H:%M:%S",
      "  section Machine 2",
      "    purchase :2026-01-02T03:04:05, 2026-01-02T03:05:05",
      "    boot :2026-01-02T03:05:05, 2026-01-02T03:07:05",
      "    work :2026-01-02T03:07:05, 2026-01-02T03:17:05",
      "    later steps :2026-01-02T03:17:05, 2026-01-02T03:23:05",
      "    deletion :2026-01-02T03:23:05, 2026-01-02T03:24:05",
    ]);
  });

  test("of an attempt that did not come to be used says so", () => {
    const { usable, workStarted, workEnded, ...unusable } = used;
    const text = renderReport(record({ ...unusable, failure: "SSH did not answer" }), NOW);
    expect(text).toContain("**No machine became usable.**");
    expect(readTable(text)[0]?.[3]).toBe("SSH did not answer");
  });

  test("of a lease that bought nothing has no timeline, and of none is empty", () => {
    expect(gantt(renderReport(record(refused), NOW))).toEqual([]);
    expect(renderReport(record(), NOW)).toBe("");
  });
});

/** Cells of the table of held jobs. */
const jobRows = (markdown: string) => readTable(markdown.slice(Math.max(0, markdown.indexOf("| # | Job |"))));

describe("the summary of a guard", () => {
  const guard = {
    labels: ["gpu-42-1", "big"],
    scope: "octo/repo",
    records: [],
    jobs: [
      { name: "test (H100)", conclusion: "success", started: T0 + 4 * MINUTE, completed: T0 + 10 * MINUTE },
      { name: "bench | nightly", conclusion: "failure", started: T0 + 10 * MINUTE, completed: T0 + 12.5 * MINUTE },
      { name: "late" },
    ],
  };
  const guarded = (change: object = {}, ...attempts: AttemptRecord[]) => ({
    ...record(...attempts),
    guard: { ...guard, ...change },
  });
  const markdown = renderReport(guarded({}, refused, used), NOW);

  test("has its labels, and the phases of a lease", () => {
    expect(markdown).toContain("**Runner label:** gpu-42-1, big");
    expect(markdown).toContain("**1x H100** from nebius in EU");
    expect(markdown).toMatch(/\*\*Cost:\*\* at most \$1\.00 .*\*\*Leaked: nothing\*\*/);
    expect(gantt(markdown)).toContain("    boot :2026-01-02T03:05:05, 2026-01-02T03:07:05");
  });

  test("has a row for each held job, and what they cost together", () => {
    expect(jobRows(markdown)).toEqual([
      ["1", "test (H100)", "success", "6.0"],
      ["2", "bench &#124; nightly", "failure", "2.5"],
      ["3", "late", "not finished", ""],
    ]);
    expect(markdown).toContain("**3 jobs** took 8.5 minutes together, on machines that cost at most $1.00 in all.");
  });

  test("draws the jobs that are over, in words of ours", () => {
    expect(gantt(markdown).slice(-3)).toEqual([
      "  section Jobs",
      "    job 1 :2026-01-02T03:08:05, 2026-01-02T03:14:05",
      "    job 2 :2026-01-02T03:14:05, 2026-01-02T03:16:35",
    ]);
  });

  test("tells of jobs that are left without a machine, unless the run was cancelled anyway", () => {
    expect(markdown).not.toContain("[!WARNING]");
    const stranded = guarded({ stranded: true }, refused);
    expect(renderReport(stranded, NOW)).toContain("> [!WARNING]\n> No machine is left for jobs that still wait for this label");
    expect(renderReport({ ...stranded, cancelled: true }, NOW)).not.toContain("[!WARNING]");
  });

  test("that bought nothing says just that", () => {
    expect(renderReport(guarded({ jobs: [] }), NOW)).toBe(
      "## GPU lease\n\n**Nothing was bought.**\n\n**Runner label:** gpu-42-1, big\n\n\n\n",
    );
  });
});

describe("the summary of a lease that may still bill", () => {
  const { gone, proof, deleteAccepted, ...open } = used;
  const trouble = {
    message: "It could not be proved that everything is deleted: machine r-1 reads 'running'.",
    hint: "Delete it by hand: curl -H \"Authorization: Bearer $TOKEN\" -X DELETE 'https://api.example/resources/r-1?force=true'",
  };
  const markdown = renderReport(record({ ...open, stage: "bought" }), NOW, trouble);

  test("warns first, with what and how, and never says that nothing leaked", () => {
    const rendered = markdown.replace(/&#(\d+);/g, (_entity, code) => String.fromCodePoint(Number(code)));
    expect(rendered).toContain("> [!CAUTION]\n> **A machine may still be billing.** ");
    expect(rendered).toContain(trouble.message);
    expect(rendered).toContain(trouble.hint);
    expect(rendered.indexOf("CAUTION")).toBeLessThan(rendered.indexOf("| # |"));
    expect(markdown).not.toContain("Leaked: nothing");
  });

  test("counts the cost until now and says that the end is not proved", () => {
    expect(readTable(markdown)[0]?.slice(4)).toEqual(["$1.50", "NOT PROVED to be gone"]);
  });
});

/** Whatever a vendor or a machine could have had written into the journal. */
const hostileText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "|",
        "\n",
        "```",
        "::error::x",
        "##[error]x",
        "<img src=x>",
        "[a](http://x)",
        "@octocat",
        "#1",
        "%%{init}%%",
      ),
      fc.string({ maxLength: 5 }),
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(""));
const moment = fc.option(fc.integer({ min: T0, max: T0 + 60 * MINUTE }), { nil: undefined });
const anyAttempt = fc.record({
  stage: fc.constantFrom(...attemptStages),
  gpu: hostileText,
  vendor: hostileText,
  region: hostileText,
  failure: hostileText,
  proof: hostileText,
  answered: moment,
  ready: moment,
  usable: moment,
  workStarted: moment,
  workEnded: moment,
  deleteAccepted: moment,
  gone: moment,
});

const anyGuard = fc.record({
  labels: fc.array(hostileText, { minLength: 1, maxLength: 3 }),
  scope: fc.constant("octo/repo"),
  records: fc.constant([]),
  jobs: fc.array(fc.record({ name: hostileText, conclusion: hostileText, started: moment, completed: moment }), {
    maxLength: 25,
  }),
  stranded: fc.boolean(),
});

/** A guard with the fields that are known, as JSON brings it. */
function guardOf(change: object): GuardRecord {
  return { labels: [], scope: "", records: [], jobs: [], ...JSON.parse(JSON.stringify(change)) };
}

/** An attempt with the fields that are known, as JSON brings it. */
function attemptOf(change: object): AttemptRecord {
  return { ...used, ...JSON.parse(JSON.stringify(change)) };
}

describe("whatever happened and whoever sold it", () => {
  test("every attempt is one row of six cells, and nothing of the text is markup or a command", () => {
    fc.assert(
      fc.property(fc.array(anyAttempt, { minLength: 1, maxLength: 3 }), hostileText, (changes, message) => {
        const attempts = changes.map(attemptOf);
        const markdown = renderReport(record(...attempts), NOW, { message, hint: message });
        expect(readTable(markdown).map((cells) => cells.length)).toEqual(attempts.map(() => 6));
        expect(markdown.match(/```/g)?.length ?? 0).toBeLessThanOrEqual(2);
        expect(markdown).not.toMatch(/<img|\]\(http|@octocat/);
        const runner = followCommands();
        for (const line of markdown.split("\n")) runner.take(line);
        expect(runner.commands).toEqual([]);
      }),
    );
  });

  test("every held job is one row of four cells, and nothing of a label or a name is markup or a command", () => {
    fc.assert(
      fc.property(anyGuard, (change) => {
        const guard = guardOf(change);
        const markdown = renderReport({ ...record(used), guard }, NOW);
        if (guard.jobs.length > 0) expect(jobRows(markdown).map((cells) => cells.length)).toEqual(guard.jobs.map(() => 4));
        expect(markdown.match(/```/g)?.length ?? 0).toBeLessThanOrEqual(2);
        expect(markdown).not.toMatch(/<img|\]\(http|@octocat/);
        const runner = followCommands();
        for (const line of markdown.split("\n")) runner.take(line);
        expect(runner.commands).toEqual([]);
      }),
    );
  });

  test("every line of the timeline is one that mermaid reads, and no bar ends before it begins", () => {
    const line =
      /^ {2}(dateFormat|axisFormat) \S+$|^ {2}section (?:Machine \d+|Jobs)$|^ {4}[a-z ]+(?:\d+ )?:(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d), (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)$/;
    fc.assert(
      fc.property(fc.array(anyAttempt, { minLength: 1, maxLength: 3 }), anyGuard, (changes, guard) => {
        const markdown = renderReport({ ...record(...changes.map(attemptOf)), guard: guardOf(guard) }, NOW);
        for (const text of gantt(markdown)) {
          const match = line.exec(text);
          expect(match, text).not.toBeNull();
          const [, , from = "", to = ""] = match ?? [];
          expect(from <= to).toBe(true);
        }
      }),
    );
  });
});

describe("the summary of a dry run", () => {
  const offer: Offer = {
    id: "offer-1",
    gpuType: "nvidia-h100-sxm5-80gb",
    gpuFamily: "H100",
    gpuCount: 1,
    vendor: "x|y",
    region: "EU",
    pricePerHour: 2,
  };
  const plan = {
    limits: {
      maxLifetime: 120 * MINUTE,
      maxAttempts: 3,
      waitForOffer: 0,
      provisionTimeout: 1,
      pollInterval: 1,
      cleanupTimeout: 1,
    },
  };

  test("says that nothing was bought, and what each offer would cost", () => {
    const markdown = renderOffers([offer], plan);
    expect(markdown).toContain("nothing was bought");
    expect(readTable(markdown)).toEqual([["1x H100", "x&#124;y", "EU", "$2.00/h", "$4.00 for 2 h"]]);
  });

  test("shows ten offers and counts the others", () => {
    const markdown = renderOffers(
      Array.from({ length: 12 }, () => offer),
      plan,
    );
    expect(readTable(markdown)).toHaveLength(10);
    expect(markdown).toContain("and 2 dearer ones.");
  });
});
