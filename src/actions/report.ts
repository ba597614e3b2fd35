import { formatDuration } from "../lease/duration.ts";
import type { AttemptRecord, JournalRecord } from "../lease/journal.ts";
import { costOfAll, costOfAttempt, costOfLease, lifetimeWithin } from "../lease/lifetime.ts";
import { formatUsd } from "../lease/money.ts";
import type { Offer } from "../lease/offer.ts";
import { plainMarkdown } from "../lease/plain.ts";
import type { Plan } from "../lease/plan.ts";
import { describeGuard, tabulateJobs } from "./report-jobs.ts";
import { drawTimeline } from "./report-timeline.ts";

const MOST_OFFERS = 10;

/** What could not be proved, and what to do. */
interface Trouble {
  readonly message: string;
  readonly hint: string;
}

/** The job summary of a lease: what was rented, the attempts, the timeline, the cost, the proof of deletion. `now`: epoch ms. */
export function renderReport(record: JournalRecord, now: number, trouble?: Trouble): string {
  if (record.attempts.length === 0 && record.guard === undefined) return "";
  const used = record.attempts.find((attempt) => attempt.usable !== undefined);
  return [
    "## GPU lease",
    used === undefined
      ? `**${record.attempts.length === 0 ? "Nothing was bought" : "No machine became usable"}.**`
      : describeMachine(used),
    ...describeGuard(record),
    ...(record.attempts.length === 0 ? [] : describeAttempts(record, now, trouble)),
    ...tabulateJobs(record, now),
    drawTimeline(record, now),
    "",
  ].join("\n\n");
}

function describeAttempts({ attempts }: JournalRecord, now: number, trouble?: Trouble): readonly string[] {
  return [
    trouble === undefined
      ? `**Cost:** at most ${formatUsd(costOfAll(attempts, now))} (${sayHowCounted(attempts)}). **Leaked: nothing**; proof below.`
      : `> [!CAUTION]\n> **A machine may still be billing.** ${plainMarkdown(trouble.message, 600)}\n>\n> ${plainMarkdown(trouble.hint, 900)}`,
    tabulate(attempts, now),
  ];
}

/** The job summary of a dry run: the offers that fit, and what the lease of each could cost. */
export function renderOffers(offers: readonly Offer[], plan: Pick<Plan, "limits">): string {
  const rows = offers.slice(0, MOST_OFFERS).map((offer) => {
    const lifetime = lifetimeWithin(plan.limits, offer, 0);
    return [
      plainMarkdown(`${offer.gpuCount}x ${offer.gpuFamily}`),
      plainMarkdown(offer.vendor),
      plainMarkdown(offer.region),
      `${formatUsd(offer.pricePerHour)}/h${offer.ownPrice === undefined ? "" : ` (${plainMarkdown(offer.ownPrice)})`}`,
      `${formatUsd(costOfLease(offer, lifetime))} for ${formatDuration(lifetime)}`,
    ].join(" | ");
  });
  const more = offers.length > MOST_OFFERS ? `\n\nand ${offers.length - MOST_OFFERS} dearer ones.` : "";
  return [
    "## GPU offers",
    "**Dry run: nothing was bought.** The first would be.",
    ["| Machine | Vendor | Region | Price | At most |", "|---|---|---|---|---|", ...rows.map((row) => `| ${row} |`)].join("\n") +
      more,
    "",
  ].join("\n\n");
}

function describeMachine(attempt: AttemptRecord): string {
  const booted =
    attempt.usable === undefined ? "" : `, usable ${formatDuration(attempt.usable - attempt.sent)} after the purchase`;
  return `**${plainMarkdown(attempt.gpu)}** from ${plainMarkdown(attempt.vendor)} in ${plainMarkdown(attempt.region)} at **${formatUsd(attempt.pricePerHour)}/h**${booted}.`;
}

function sayHowCounted(attempts: readonly AttemptRecord[]): string {
  return attempts.some(({ billedHours }) => billedHours !== undefined)
    ? "as the marketplace says, creation fees included"
    : "counted from each purchase request until the deletion was proved";
}

function tabulate(attempts: readonly AttemptRecord[], now: number): string {
  const rows = attempts.map((attempt) =>
    [
      String(attempt.number),
      plainMarkdown(`${attempt.gpu}, ${attempt.vendor}, ${attempt.region}`),
      `${formatUsd(attempt.pricePerHour)}/h`,
      plainMarkdown(attempt.failure ?? (attempt.usable === undefined ? "not finished" : "used")),
      `${formatUsd(costOfAttempt(attempt, now))}${attempt.billedAs === undefined ? "" : ` (${plainMarkdown(attempt.billedAs)})`}`,
      plainMarkdown(sayEnd(attempt)),
    ].join(" | "),
  );
  return ["| # | Machine | Price | Result | Cost | End |", "|---|---|---|---|---|---|", ...rows.map((row) => `| ${row} |`)].join(
    "\n",
  );
}

function sayEnd(attempt: AttemptRecord): string {
  switch (attempt.stage) {
    case "gone":
      return `gone: ${attempt.proof ?? "proved"}`;
    case "nothing-bought":
      return attempt.proof === undefined ? "nothing was bought" : `nothing was bought: ${attempt.proof}`;
    default:
      return "NOT PROVED to be gone";
  }
}
