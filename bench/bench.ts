import { measureBundle } from "./bundles.ts";
import { type GuardCosts, simulateGuards } from "./guards.ts";
import { type LastJobs, measureLastJobs } from "./last-job.ts";
import { measureRanking, showRanking } from "./marketplace.ts";
import { measureStarts, type Start } from "./start-up.ts";
import { inMegabytes, inMs, inSeconds, judge, median, type Row, renderTable, times } from "./table.ts";
import { measureUploads, type Uploads } from "./upload.ts";

/** Measures the shipped bundles and prints what came out beside what is wanted. Never fails because something is slow. */

/** `npm run bench -- 1` only shows that the benchmark works. */
const RUNS = Number(process.argv[2] ?? 21);
const LONGEST_POST = 1_500_000;

function showStarts(starts: Readonly<Record<"bare" | "main" | "post", readonly Start[]>>): Row[] {
  const middle = (name: keyof typeof starts) => median(starts[name].map((start) => start.ms));
  const bare = middle("bare");
  const row = (what: string, name: "main" | "post", most: number): Row => {
    const ratio = middle(name) / bare;
    return { what, value: inMs(middle(name)), ratio: times(ratio), target: judge(`at most ${most}x`, ratio <= most) };
  };
  return [
    { what: "node -e 0, start to end", value: inMs(bare), ratio: times(1) },
    row("main, start to first request", "main", 5.5),
    row("post, start to first request", "post", 5),
  ];
}

function showPeaks(starts: Readonly<Record<"main" | "post", readonly Start[]>>): Row[] {
  return (["main", "post"] as const).flatMap((name) => {
    const peaks = starts[name].flatMap(({ peakBytes }) => (peakBytes === undefined ? [] : [peakBytes]));
    return peaks.length === 0 ? [] : [{ what: `${name}, at its first request`, value: inMegabytes(median(peaks)) }];
  });
}

function showBundles(): Row[] {
  const [main, post] = [measureBundle("main"), measureBundle("post")];
  return [
    { what: "dist/main", value: inMegabytes(main.bytes) },
    { what: "dist/main, what is loaded at once", value: inMegabytes(main.firstBytes) },
    { what: "dist/post", value: inMegabytes(post.bytes), target: judge("at most 1.50 MB", post.bytes <= LONGEST_POST) },
    { what: "SSH stack in dist/post", value: post.holdsSsh ? "yes" : "no", target: judge("none", !post.holdsSsh) },
  ];
}

function showUploads({ stream, sftp }: Uploads): Row[] {
  const rows = [{ what: `${stream.files} files of 1 KiB as one stream`, value: inSeconds(stream.ms), ratio: times(1) }];
  if (sftp === undefined)
    return [...rows, { what: "one by one over SFTP", value: "not measured", target: "needs sshd, as root" }];
  const extrapolated = (sftp.ms / sftp.files) * stream.files;
  return [
    ...rows,
    {
      what: "one by one over SFTP",
      value: inSeconds(extrapolated),
      ratio: times(extrapolated / stream.ms),
      target: `from ${sftp.files} files in ${inSeconds(sftp.ms)}`,
    },
  ];
}

function showLastJobs({ toDelete, byPolling }: LastJobs): Row[] {
  const [ours, polled] = [median(toDelete), median(byPolling)];
  return [
    { what: "end of the last job to the DELETE", value: inMs(ours), ratio: times(1), target: judge("under 2 s", ours < 2000) },
    { what: "for who asks GitHub every 15 s", value: inMs(polled), ratio: times(polled / ours), target: "from the same jobs" },
  ];
}

function showGuards(what: string, { guards, served, byRunToken, byGitHubToken }: GuardCosts): Row[] {
  const most = guards === 1 ? 15 : undefined;
  const all = byRunToken + byGitHubToken;
  return [
    { what: `${what}: jobs served`, value: `${served}`, target: judge(`${guards}`, served === guards) },
    ...(most === undefined
      ? [
          { what: "  by run-token", value: `${byRunToken}`, target: judge("under 900", byRunToken < 900) },
          { what: "  by github-token", value: `${byGitHubToken}`, target: judge("under 5000", byGitHubToken < 5000) },
        ]
      : [{ what: "  requests in all", value: `${all}`, target: judge(`at most ${most}`, all <= most) }]),
  ];
}

const starts = await measureStarts(RUNS);
console.log(renderTable(`Start-up on Node ${process.versions.node}: median of ${RUNS}, taken in turns`, showStarts(starts)));
console.log(renderTable("Bundles", showBundles()));
const uploads = await measureUploads({ stream: 10_000, sftp: 500 });
console.log(renderTable(`Upload to a machine on loopback (${uploads.kind})`, showUploads(uploads)));
console.log(
  renderTable("Runner mode: a machine that has nothing left to do", showLastJobs(await measureLastJobs(RUNS > 5 ? 5 : 1))),
);
console.log(renderTable("Clore: one reply with the whole marketplace", showRanking(await measureRanking(RUNS > 5 ? 5 : 1))));
// An hour passes in a minute; with one run, guards are few and the hour is shorter still.
const crowd = RUNS > 5 ? { guards: 256, scale: 60 } : { guards: 8, scale: 360 };
console.log(
  renderTable("Runner mode: requests in an hour that count against GitHub's rate limits", [
    ...showGuards("one guard", await simulateGuards({ ...crowd, guards: 1, seesJobs: true })),
    ...showGuards(`${crowd.guards} of a matrix`, await simulateGuards({ ...crowd, seesJobs: true })),
    ...showGuards(`${crowd.guards}, github-token sees no jobs`, await simulateGuards({ ...crowd, seesJobs: false })),
  ]),
);
console.log(
  renderTable("Peak memory", [...showPeaks(starts), { what: "the upload", value: inMegabytes(uploads.stream.peakBytes) }]),
);
