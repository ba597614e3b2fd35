"use strict";
exports.id = 461;
exports.ids = [461];
exports.modules = {

/***/ 6461:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  openGuardCleanup: () => (/* binding */ openGuardCleanup)
});

;// CONCATENATED MODULE: ./build/gpu-jobs.js
/** Sorts the jobs of a run by what they mean for a guard whose runners carry `labels`, and nothing else. */
function viewJobs({ jobs, whole }, labels, context) {
    const carried = new Set(labels.map(lower));
    const asks = (job) => job.labels.length > 0 && labels.every((label) => job.labels.map(lower).includes(lower(label)));
    const isServed = (job) => job.labels.length > 0 && job.labels.every((label) => carried.has(lower(label)));
    const ours = jobs.filter(isServed);
    const isOpen = (job) => job.status !== "completed";
    const others = jobs.filter((job) => !isServed(job) && !isGuard(job, context));
    return {
        queued: ours.filter(({ status }) => status === "queued"),
        held: ours.filter((job) => isOpen(job) && job.status !== "queued" && job.status !== "in_progress"),
        running: ours.filter(({ status }) => status === "in_progress"),
        completed: ours.filter((job) => !isOpen(job)),
        unservable: jobs.filter((job) => isOpen(job) && asks(job) && !isServed(job)),
        others,
        nothingElse: whole && !others.some(isOpen),
    };
}
/**
 * This very job, and others that run this action just now. Whoever is not surely one of these counts as a job that may still queue
 * another: that costs a `linger`, and the other way round a job would be left without a machine.
 */
function isGuard(job, { runnerName, actionRepository }) {
    if (job.status !== "in_progress")
        return false;
    if (runnerName !== "" && job.runnerName === runnerName)
        return true;
    return actionRepository !== "" && job.runningSteps.some((step) => step.startsWith(`Run ${actionRepository}@`));
}
function lower(label) {
    return label.toLowerCase();
}

// EXTERNAL MODULE: ./build/lease/clock.js + 1 modules
var lease_clock = __webpack_require__(4467);
// EXTERNAL MODULE: ./build/lease/duration.js
var duration = __webpack_require__(1256);
// EXTERNAL MODULE: ./build/lease/failure.js
var failure = __webpack_require__(4540);
// EXTERNAL MODULE: ./build/lease/plain.js
var plain = __webpack_require__(2042);
;// CONCATENATED MODULE: ./build/registered.js


/** Registers a runner. Every name is in the journal before GitHub is asked for it, so that post finds what became of it. */
async function register(name, { github, journal }, signal) {
    const before = recordsIn(journal);
    const asked = [];
    const registration = await github.registrations.mint(name, {
        signal,
        onIntent(one) {
            asked.push({ name: one });
            journal.noteGuard({ records: [...before, ...asked] });
        },
    });
    journal.noteGuard({ records: [...before, { name: registration.name, id: registration.id }] });
    return registration;
}
/** Removes a runner's record. Never rejects but with the signal's reason: what cannot be removed now is left to post. */
async function unregister(record, deps, signal) {
    try {
        const { name, id } = record;
        await deps.github.registrations.remove(id === undefined ? { name } : { name, id }, signal);
        dropRecord(record.name, deps);
    }
    catch (error) {
        signal.throwIfAborted();
        deps.log.info(`The runner record '${record.name}' could not be removed: ${(0,plain/* plain */.pj)((0,failure/* describe */.q0)(error))}`);
    }
}
/** Forgets a record that GitHub has removed. */
function dropRecord(name, { journal }) {
    journal.noteGuard({ records: recordsIn(journal).filter((one) => one.name !== name) });
}
/** Runner records that may still exist. */
function recordsIn(journal) {
    return journal.read().guard?.records ?? [];
}

;// CONCATENATED MODULE: ./build/guard-cleanup.js






const LOOK_EVERY = 5_000;
/** Beside the deletion, post may spend so long on GitHub's side; a cancelled job has not much more. */
const TIDY_WITHIN = 30_000;
function openGuardCleanup(guard, deps) {
    const { clock, journal, log } = deps;
    return {
        async seeJobsOff() {
            const left = (guard.graceUntil ?? 0) - clock.now();
            if (left <= 0)
                return;
            log.info(`The cancelled jobs may take up to ${(0,duration/* formatDuration */.a)(left)} for their last steps ('cancel-grace').`);
            await attempt("The cancelled jobs could not be watched", () => awaitEnd(guard, (0,lease_clock/* deadlineAfter */.d8)(clock, left), deps));
        },
        async tidyUp() {
            const { records, stranded } = journal.read().guard ?? guard;
            if (records.length === 0 && stranded !== true)
                return;
            await attempt("GitHub's side could not be tidied up", async () => {
                const github = await deps.openGitHub();
                const signal = AbortSignal.timeout(TIDY_WITHIN);
                for (const record of records)
                    await unregister(record, { github, journal, log }, signal);
                if (stranded === true)
                    await cancelStrandedRun(guard, github, signal, deps);
            });
        },
    };
    async function attempt(what, work) {
        try {
            await work();
        }
        catch (error) {
            log.warn(`${what}: ${(0,plain/* plain */.pj)((0,failure/* describe */.q0)(error))}`, "GitHub");
        }
    }
}
/** Ends when no job with our labels runs any more, or the time is over. */
async function awaitEnd(guard, deadline, { openGitHub, context, clock }) {
    const github = await openGitHub();
    while (!deadline.passed()) {
        const reading = await github.jobs.look({ signal: AbortSignal.timeout(TIDY_WITHIN) });
        if (viewJobs(reading, guard.labels, context).running.length === 0)
            return;
        await clock.sleep(Math.min(LOOK_EVERY, deadline.left()));
    }
}
/**
 * No machine could be had, and a job without a runner stays queued for a day. The run is cancelled when nobody else's work is lost
 * by that; else the jobs are named.
 */
async function cancelStrandedRun(guard, github, signal, { context, journal, log }) {
    const view = viewJobs(await github.jobs.look({ signal, thorough: true }), guard.labels, context);
    const waiting = [...view.queued, ...view.held, ...view.unservable];
    // Who cancels a run has its queued jobs cancelled, too; what still runs then is ending.
    if (waiting.length === 0 && (view.running.length === 0 || journal.read().cancelled === true))
        return;
    const names = sayNames([...waiting, ...view.running]);
    const lostByThat = view.others.some((job) => job.status !== "completed" && !view.unservable.includes(job));
    if (!lostByThat) {
        await github.cancelRun(signal);
        log.notice(`No machine could be had for ${names}, so this run was cancelled ('cancel-run-on-failure').`, "Run cancelled");
        return;
    }
    log.warn(`No machine comes for ${names}, which stays queued for up to a day. The run was not cancelled, for other jobs of it are not over. ` +
        'Cancel it by hand, or use "Re-run failed jobs" when it is over.', "Jobs without a machine");
}
function sayNames(jobs) {
    const names = jobs.slice(0, 3).map(({ name }) => `'${(0,plain/* plain */.pj)(name, 100)}'`);
    return names.join(", ") + (jobs.length > 3 ? ` and ${jobs.length - 3} more` : "");
}


/***/ })

};
;