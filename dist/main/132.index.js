"use strict";
exports.id = 132;
exports.ids = [132];
exports.modules = {

/***/ 7132:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

// ESM COMPAT FLAG
__webpack_require__.r(__webpack_exports__);

// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  guardWith: () => (/* binding */ guardWith)
});

// EXTERNAL MODULE: ./build/actions/log.js
var actions_log = __webpack_require__(3661);
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
// EXTERNAL MODULE: ./build/lease/waiting.js
var lease_waiting = __webpack_require__(9813);
;// CONCATENATED MODULE: ./build/await-job.js






/** Milliseconds between two looks: short at first, for most jobs are queued within seconds of the guard's start. */
const PAUSES = [3_000, 5_000, 10_000, 15_000, 20_000];
const LONGEST_PAUSE = 30_000;
/** Whether the rest of a run is over, only a look at all of it tells. */
const THOROUGH_EVERY = 4;
/** A job that `needs:` others is listed only some moments after the last of them has ended. */
const QUIET_FOR = 45_000;
/**
 * Waits, with nothing bought, until a job with our labels is queued. Ends early when the rest of the run is over. Throws
 * WorkflowFailure when a job can never be served as it is written, and what a first look at the run's jobs throws.
 */
async function awaitJob({ guarding, context, github, clock, log, signal }) {
    const deadline = (0,lease_clock/* deadlineAfter */.d8)(clock, guarding.waitForJob);
    const waiting = (0,lease_waiting/* startWaiting */.e)(clock, log);
    const named = new Set();
    let quietSince;
    for (let round = 0;; round += 1) {
        const view = await lookAgain(round % THOROUGH_EVERY === 0);
        if (view !== undefined) {
            refuseUnservable(view, guarding.labels);
            if (view.queued.length > 0)
                return { queued: view.queued };
            for (const job of view.held.filter(({ id }) => !named.has(id))) {
                named.add(job.id);
                log.info(`Job '${(0,plain/* plain */.pj)(job.name)}' is ${(0,plain/* plain */.pj)(job.status)}: GitHub does not queue it yet (an approval, or its concurrency group).`);
            }
            const isQuiet = view.nothingElse && view.held.length === 0 && view.running.length === 0;
            quietSince = isQuiet ? (quietSince ?? clock.ticks()) : undefined;
            if (quietSince !== undefined && clock.ticks() - quietSince >= Math.min(QUIET_FOR, guarding.waitForJob)) {
                return { reason: sayWhyNone(view) };
            }
        }
        if (deadline.passed()) {
            return { reason: `No job with this label was queued within ${(0,duration/* formatDuration */.a)(guarding.waitForJob)} ('wait-for-job').` };
        }
        waiting.tell(`no job asks for ${guarding.labels.map((label) => `'${label}'`).join(", ")} yet; nothing is bought.`);
        const pause = github.jobs.pause(PAUSES[round] ?? LONGEST_PAUSE);
        await clock.sleep(Math.min(pause, deadline.left()), signal);
    }
    /** Trouble of GitHub's is waited out; a refused token is not, and neither is a first look that fails. */
    async function lookAgain(thorough) {
        try {
            return viewJobs(await github.jobs.look({ signal, thorough }), guarding.labels, context);
        }
        catch (error) {
            if (!(error instanceof failure/* GitHubFailure */.iK) || deadline.passed())
                throw error;
            waiting.tell(`${(0,plain/* plain */.pj)((0,failure/* describe */.q0)(error))} Asking again.`);
            return undefined;
        }
    }
}
function sayWhyNone({ completed }) {
    const [job] = completed;
    if (job === undefined)
        return "Every other job of this run is over, and none with this label was queued.";
    const more = completed.length > 1 ? ` and ${completed.length - 1} more` : "";
    return `Job '${(0,plain/* plain */.pj)(job.name, 100)}'${more} with this label ended before a machine was needed (${(0,plain/* plain */.pj)(job.conclusion ?? "completed", 20)}).`;
}
function refuseUnservable({ unservable }, labels) {
    const [job] = unservable;
    if (job === undefined)
        return;
    const own = new Set(labels.map((label) => label.toLowerCase()));
    const extra = job.labels.filter((label) => !own.has(label.toLowerCase())).map((label) => `'${(0,plain/* plain */.pj)(label, 100)}'`);
    const line = labels.length === 1 ? `runs-on: ${labels[0]}` : `runs-on: [${labels.join(", ")}]`;
    throw new failure/* WorkflowFailure */.wK(`Job '${(0,plain/* plain */.pj)(job.name, 100)}' asks for ${extra.join(" and ")} beside our label. Our runner carries only ${labels.map((label) => `'${label}'`).join(" and ")}, so GitHub would never give it this job.`, `Nothing was bought. Write this line in that job:\n    ${line}\n(as an expression: the value of this step's 'runner-label').`);
}

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

;// CONCATENATED MODULE: ./build/crew.js



/**
 * The crew of a machine whose first slot has `carried`, the configuration that came with the boot script. What it tells of the end
 * of jobs is added to `toldResults`.
 */
function openCrew(carried, nameOf, toldResults, bell, deps) {
    const { clock, guarding, log } = deps;
    const began = clock.ticks();
    const after = () => (0,duration/* formatDuration */.a)(clock.ticks() - began);
    const slots = Array.from({ length: guarding.runners }, (_, index) => ({
        number: index + 1,
        state: "booting",
        failures: 0,
        ...(index === 0 ? { registration: carried } : {}),
    }));
    let heard = 0;
    let broken;
    let unheard;
    let connection;
    const learn = (event) => {
        switch (event.kind) {
            case "phase":
                if (event.seconds > 0)
                    log.info(`${after()}: ${(0,plain/* plain */.pj)(event.name, 80)} took ${event.seconds} s.`);
                break;
            case "failed":
                broken = (0,plain/* plain */.pj)(event.reason);
                break;
            case "powering-off":
                broken = "its lifetime is over, and it powers itself off";
                break;
            default: {
                const slot = slots.find(({ number }) => number === event.slot);
                if (slot !== undefined)
                    learnOf(slot, event);
            }
        }
        bell.ring();
    };
    const learnOf = (slot, event) => {
        const runner = slots.length === 1 ? "The runner" : `Runner ${slot.number}`;
        switch (event.kind) {
            case "wants-configuration":
                if (slot.registration !== undefined)
                    log.info(`${runner} gets a fresh configuration: ${(0,plain/* plain */.pj)(event.why)}.`);
                slot.state = "vacant";
                break;
            case "started":
                slot.state = "starting";
                break;
            case "listening":
                if (slot.state !== "online")
                    log.info(`${after()}: ${runner} is online.`);
                slot.state = "online";
                break;
            case "job-started":
                log.info(`${after()}: ${runner} runs job '${(0,plain/* plain */.pj)(event.job, 100)}'.`);
                slot.state = "busy";
                slot.job = event.job;
                break;
            case "job-ended":
                log.info(`${after()}: job '${(0,plain/* plain */.pj)(event.job, 100)}' has ended: ${(0,plain/* plain */.pj)(event.result, 40)}.`);
                slot.job = event.job;
                toldResults.set(event.job, event.result);
                break;
            case "refused":
                log.info(`GitHub refused ${runner.toLowerCase()}: ${(0,plain/* plain */.pj)(event.reason)}.`);
                break;
            case "ended":
                slot.state = "ended";
        }
    };
    return {
        slots,
        get broken() {
            return broken;
        },
        get unheard() {
            return unheard;
        },
        toldResults,
        listen(runners) {
            connection?.end.abort();
            const end = new AbortController();
            connection = { runners, end };
            unheard = undefined;
            let number = 0;
            const take = (event) => {
                number += 1;
                if (end.signal.aborted || number <= heard)
                    return;
                heard = number;
                learn(event);
            };
            runners.follow(take, end.signal).then(() => undefined, (error) => {
                if (end.signal.aborted)
                    return;
                unheard = error;
                bell.ring();
            });
        },
        async hire(slot, signal) {
            if (connection === undefined)
                return;
            try {
                if (slot.registration !== undefined)
                    await unregister(slot.registration, deps, signal);
                delete slot.registration;
                delete slot.job;
                slot.state = "starting";
                slot.registration = await register(nameOf(), deps, signal);
                await connection.runners.start(slot.number, slot.registration.configuration, signal);
            }
            catch (error) {
                slot.state = "vacant";
                throw error;
            }
        },
        vacate(slot, end) {
            if (end === "finished" && slot.registration !== undefined)
                dropRecord(slot.registration.name, deps);
            if (end !== "idle")
                delete slot.registration;
            slot.failures = end === "idle" ? slot.failures + 1 : 0;
            slot.state = "vacant";
        },
        readBootLog: async (signal) => (await connection?.runners.readBootLog(signal)) ?? [],
        dismiss: () => connection?.end.abort(),
    };
}

;// CONCATENATED MODULE: ./build/engage.js





/** How long GitHub is not asked whether a runner is online, which the machine's own log tells sooner. */
const ASK_EVERY = 10_000;
/** Configurations that one slot may be refused, or that may come to nothing on it, before the machine is no good. */
const MOST_FAILURES = 3;
const BOOT_LOG_WITHIN = 10_000;
/**
 * Waits until the first runner of a machine is online, and gives it a fresh configuration where the one that came with the boot
 * script is too old or was refused. Throws RunnerFailure, after having shown the machine's boot log, when that does not happen by
 * the deadline.
 */
async function engage(crew, bell, rented, deadline, deps) {
    const { clock, log } = deps;
    const { signal } = rented;
    const waiting = (0,lease_waiting/* startWaiting */.e)(clock, log);
    let askAgain = (0,lease_clock/* deadlineAfter */.d8)(clock, ASK_EVERY);
    try {
        for (;;) {
            if (crew.slots.some(isEngaged))
                return;
            if (crew.broken !== undefined)
                throw new failure/* RunnerFailure */.hV(`The machine cannot run a runner: ${crew.broken}.`, NO_GOOD);
            const [first] = crew.slots;
            if (crew.unheard !== undefined) {
                // Another machine would be of no use to a job that this one has: whoever holds it says what became of it.
                if (first !== undefined && (await hadJob(first, deps, signal)))
                    return;
                throw crew.unheard;
            }
            if (first?.state === "ended") {
                if (await hadJob(first, deps, signal))
                    return;
                crew.vacate(first, "idle");
            }
            if (first?.state === "vacant") {
                if (first.failures >= MOST_FAILURES) {
                    throw new failure/* RunnerFailure */.hV(`The runner ended ${first.failures} times without having been given a job.`, NO_GOOD);
                }
                await crew.hire(first, signal);
            }
            if (first?.state === "starting" && askAgain.passed()) {
                askAgain = (0,lease_clock/* deadlineAfter */.d8)(clock, ASK_EVERY);
                if (await isOnline(first, deps, signal))
                    return;
            }
            if (deadline.passed()) {
                throw new failure/* RunnerFailure */.hV(`No runner was online within ${(0,duration/* formatDuration */.a)(waiting.elapsed())} after SSH worked ('provision-timeout').`, NO_GOOD);
            }
            waiting.tell(first?.state === "starting" ? "the runner connects to GitHub." : "the machine makes itself ready for the runner.");
            await bell.wait(Math.min(5_000, deadline.left()), signal);
        }
    }
    catch (error) {
        if (!signal.aborted)
            await showBootLog(crew, deps);
        throw error;
    }
}
const NO_GOOD = "Another offer can be tried. This machine is deleted; its time until now is billed. The boot log above says how far it came.";
function isEngaged({ state }) {
    return state === "online" || state === "busy";
}
async function isOnline(slot, { github, log }, signal) {
    if (slot.registration === undefined)
        return false;
    try {
        const { state } = await github.registrations.status(slot.registration, signal);
        if (state !== "online")
            return false;
        if (slot.state === "starting")
            slot.state = "online";
        return true;
    }
    catch (error) {
        signal.throwIfAborted();
        log.debug(`GitHub did not say whether the runner is online: ${(0,plain/* plain */.pj)((0,failure/* describe */.q0)(error))}`);
        return false;
    }
}
/** A runner application whose log says nothing of jobs may have run one all the same: GitHub knows by the runner's name. */
async function hadJob(slot, { github, log }, signal) {
    if (slot.job !== undefined)
        return true;
    try {
        const { jobs } = await github.jobs.look({ signal });
        return jobs.some(({ runnerName }) => runnerName !== undefined && runnerName === slot.registration?.name);
    }
    catch (error) {
        signal.throwIfAborted();
        log.debug(`GitHub did not say whether the runner had a job: ${(0,plain/* plain */.pj)((0,failure/* describe */.q0)(error))}`);
        return false;
    }
}
/** Costs a moment of a machine that is about to be deleted, and is all that tells why. */
async function showBootLog(crew, { clock, log, showMachineOutput }) {
    const late = new AbortController();
    const over = new AbortController();
    clock.sleep(BOOT_LOG_WITHIN, over.signal).then(() => late.abort(new Error("the machine did not answer in time")), () => undefined);
    try {
        const lines = await crew.readBootLog(late.signal);
        await log.group("Boot log of the machine", async () => {
            const output = showMachineOutput();
            for (const line of lines)
                output.stdout(line);
            output.close();
        });
    }
    catch (error) {
        log.info(`The boot log could not be read: ${(0,plain/* plain */.pj)((0,failure/* describe */.q0)(error))}`);
    }
    finally {
        over.abort();
    }
}

;// CONCATENATED MODULE: ./build/held-jobs.js




/** GitHub's list can be some seconds behind a runner that has ended. */
const SETTLED_WITHIN = 30_000;
const PAUSE = 2_000;
const MOST_REPORTED = 60;
const GOOD = ["success", "skipped", "neutral"];
/**
 * How the held jobs ended, also kept in the journal for the report. The machine is let go before, so that waiting for GitHub costs
 * nothing. Where GitHub cannot be asked any more, what the runners told counts.
 */
async function learnResults(told, deps) {
    const { clock, github, guarding, journal, log, signal, context } = deps;
    const deadline = (0,lease_clock/* deadlineAfter */.d8)(clock, SETTLED_WITHIN);
    const see = (reading) => viewJobs(reading, guarding.labels, context);
    let view = see(github.jobs.known());
    // What was queued at the last look may have run since.
    while (!isSettled(view) || view.queued.length > 0) {
        let trouble;
        try {
            view = see(await github.jobs.look({ signal }));
            if (isSettled(view))
                break;
        }
        catch (error) {
            signal.throwIfAborted();
            log.debug(`The results could not be asked: ${(0,plain/* plain */.pj)((0,failure/* describe */.q0)(error))}`);
            trouble = error;
        }
        if (trouble instanceof failure/* GitHubTokenFailure */.tp || deadline.passed()) {
            if (trouble !== undefined)
                view = see(believe(github.jobs.known(), told));
            break;
        }
        await clock.sleep(Math.min(github.jobs.pause(PAUSE), deadline.left()), signal);
    }
    const jobs = [...view.completed, ...view.running, ...view.queued, ...view.held];
    journal.noteGuard({ jobs: jobs.slice(0, MOST_REPORTED).map(toRecord) });
    for (const job of jobs)
        log.info(`Job '${(0,plain/* plain */.pj)(job.name, 100)}': ${(0,plain/* plain */.pj)(job.conclusion ?? job.status, 20)}.`);
    return {
        unserved: view.queued,
        failed: [...view.completed, ...view.running].filter(({ conclusion }) => conclusion === undefined || !GOOD.includes(conclusion)),
    };
}
/** A job that is still queued stays so, for nobody serves it any more. */
function isSettled({ completed, running, queued }) {
    return running.length === 0 && completed.length + queued.length > 0;
}
/** What the runner application calls the end of a job, in GitHub's words. */
const CONCLUSIONS = new Map([
    ["succeeded", "success"],
    ["succeededwithissues", "success"],
    ["canceled", "cancelled"],
    ["skipped", "skipped"],
]);
function believe({ jobs, whole }, told) {
    const believed = (job) => {
        const result = told.get(job.name);
        if (job.status === "completed" || result === undefined)
            return job;
        return { ...job, status: "completed", conclusion: CONCLUSIONS.get(result.toLowerCase()) ?? "failure" };
    };
    return { jobs: jobs.map(believed), whole };
}
function toRecord({ name, conclusion, startedAt, completedAt }) {
    return {
        name: (0,plain/* plain */.pj)(name, 100),
        ...(conclusion === undefined ? {} : { conclusion: (0,plain/* plain */.pj)(conclusion, 20) }),
        ...(startedAt === undefined ? {} : { started: startedAt }),
        ...(completedAt === undefined ? {} : { completed: completedAt }),
    };
}

;// CONCATENATED MODULE: ./build/hold-decision.js
/** `view` is what GitHub said last; slots know sooner that a runner has ended. */
function decide(view, slots) {
    const ready = slots.filter(({ state }) => state === "starting" || state === "online");
    const vacant = slots.filter(({ state }) => state === "vacant");
    const unserved = view.queued.length - ready.length;
    if (unserved > 0 && vacant.length > 0)
        return { kind: "hire", slots: vacant.slice(0, unserved) };
    if (slots.some((slot) => isWorking(slot, view)))
        return { kind: "work" };
    if (view.queued.length > 0 || view.held.length > 0)
        return { kind: "idle" };
    return { kind: view.nothingElse ? "end" : "linger" };
}
/** A job that GitHub calls completed is over, even while its runner still tidies up. */
function isWorking({ state, registration }, { running, completed }) {
    const isItsJob = ({ runnerName }) => runnerName !== undefined && runnerName === registration?.name;
    if (state === "busy")
        return !completed.some(isItsJob);
    return (state === "online" || state === "starting") && running.some(isItsJob);
}

;// CONCATENATED MODULE: ./build/machine-watch.js



/** Milliseconds for which a lost connection is tried to be made again, before the machine counts as gone. */
const RECONNECT_WITHIN = 25_000;
/** A machine that GitHub hears of, and we do not, is tried so often. */
const MOST_RECONNECTIONS = 4;
/**
 * Notices, while runners work, that the machine is gone: the marketplace says so, or the connection is lost and cannot be made
 * again, and GitHub does not hear of its runners either. Rings the bell then.
 */
function watchMachine(crew, bell, rented, deps) {
    const over = new AbortController();
    const signal = AbortSignal.any([rented.signal, over.signal]);
    let lost;
    const lose = (why) => {
        lost ??= why;
        bell.ring();
    };
    const watches = [watchMarket(rented.attempt, lose, signal, deps), keepConnected(crew, lose, rented, signal, deps)];
    for (const watch of watches) {
        watch.catch((error) => {
            if (!signal.aborted)
                lose((0,plain/* plain */.pj)((0,failure/* describe */.q0)(error)));
        });
    }
    return {
        get lost() {
            return lost;
        },
        end: () => over.abort(),
    };
}
async function watchMarket(attempt, lose, signal, { clock, journal, log, market, plan }) {
    let absent = 0;
    for (;;) {
        await clock.sleep(market.pace(plan.limits.pollInterval), signal);
        try {
            const { phase, detail } = await market.progress(journal.attempt(attempt), signal);
            if (phase === "failed")
                return lose(`the marketplace reports: ${(0,plain/* plain */.pj)(detail)}`);
            const [id] = journal.attempt(attempt).resourceIds;
            if (id === undefined)
                continue;
            const { state } = await market.read(id, signal);
            if (state === "deleted")
                return lose(`the marketplace reports ${id} as deleted`);
            absent = state === "absent" ? absent + 1 : 0;
            if (absent >= 2)
                return lose(`the marketplace does not know ${id} any more`);
        }
        catch (error) {
            // What the marketplace does not tell now is asked again at the next turn.
            if (!signal.aborted)
                log.debug(`The machine's state could not be read: ${(0,plain/* plain */.pj)((0,failure/* describe */.q0)(error))}`);
        }
    }
}
async function keepConnected(crew, lose, rented, signal, deps) {
    const { clock, log } = deps;
    for (let tries = 0;;) {
        await clock.sleep(1_000, signal);
        if (crew.unheard === undefined) {
            tries = 0;
            continue;
        }
        const why = (0,plain/* plain */.pj)((0,failure/* describe */.q0)(crew.unheard));
        log.info(`${why} Connecting again.`);
        try {
            const machine = await rented.reconnect((0,lease_clock/* deadlineAfter */.d8)(clock, RECONNECT_WITHIN));
            crew.listen(deps.runners.open(machine));
        }
        catch (error) {
            signal.throwIfAborted();
            tries += 1;
            const alive = tries < MOST_RECONNECTIONS && (await isHeardByGitHub(crew, signal, deps));
            if (!alive)
                return lose((0,plain/* plain */.pj)((0,failure/* describe */.q0)(error)));
            log.info("SSH cannot be reached, but GitHub hears of the runners; they go on.");
        }
    }
}
async function isHeardByGitHub(crew, signal, { github, log }) {
    for (const { registration, state } of crew.slots) {
        if (registration === undefined || state === "ended" || state === "vacant")
            continue;
        try {
            if ((await github.registrations.status(registration, signal)).state === "online")
                return true;
        }
        catch (error) {
            signal.throwIfAborted();
            log.debug(`GitHub did not say whether the runner is online: ${(0,plain/* plain */.pj)((0,failure/* describe */.q0)(error))}`);
        }
    }
    return false;
}

;// CONCATENATED MODULE: ./build/hold.js







/** Milliseconds between two looks at the run's jobs. The end of a runner is looked at at once, whatever these say. */
const LOOK_EVERY = { windUp: 2_000, idle: 15_000, linger: 5_000, vacancy: 20_000, work: 120_000, longest: 900_000 };
/** How long GitHub's list may call a job running whose runner has ended. */
const BEHIND = 20_000;
/**
 * The story of a guard that has a machine: hold it until the jobs with our labels are over. Runners that have ended are replaced
 * while jobs are queued. Throws MachineLostFailure when the machine vanishes, WorkflowFailure when a queued job does not start
 * for `idle-timeout`, RunnerFailure when no runner works any more, and the signal's reason.
 */
async function hold(crew, bell, rented, deps) {
    const watch = watchMachine(crew, bell, rented, deps);
    try {
        await holdOn(crew, bell, rented, () => watch.lost ?? crew.broken, deps);
    }
    finally {
        watch.end();
    }
}
async function holdOn(crew, bell, rented, whyLost, deps) {
    const { clock, github, guarding, log } = deps;
    const { signal } = rented;
    const since = startSince(deps);
    /** Runners that ended before GitHub called their job completed, by name, and when that was noticed. */
    const brokenOff = new Map();
    // With a single runner, what was seen before the purchase is enough: its own log tells the rest.
    let view = viewJobs(github.jobs.known(), guarding.labels, deps.context);
    if (guarding.runners > 1)
        view = await lookAt(view);
    let nextLook = Number.POSITIVE_INFINITY;
    let pause = 0;
    let last;
    for (;;) {
        const lost = whyLost();
        if (lost !== undefined)
            throw blameMachine(lost, jobsOn(crew));
        const ended = crew.slots.filter(({ state }) => state === "ended");
        for (const slot of ended)
            crew.vacate(slot, await judgeEnd(slot));
        const isDue = ended.length > 0 || clock.ticks() >= nextLook;
        if (isDue)
            view = await lookAt(view);
        const decision = awaitBrokenOff(view, decide(view, crew.slots));
        const waited = since(decision.kind);
        switch (decision.kind) {
            case "end":
                log.info("All jobs of this label are over, and the rest of the run is, too.");
                return;
            case "linger":
                if (waited === 0)
                    log.info(`No job of this label is left; the run goes on, so another is waited for (${(0,duration/* formatDuration */.a)(guarding.linger)}).`);
                if (waited >= guarding.linger)
                    return;
                break;
            case "idle":
                if (waited >= guarding.idleTimeout)
                    throw blameQueue(view, guarding.idleTimeout);
                break;
            case "hire":
                await hireAll(decision.slots);
                break;
        }
        const left = decision.kind === "linger" ? guarding.linger - waited : decision.kind === "idle" ? guarding.idleTimeout - waited : Infinity;
        if (isDue || decision.kind !== last) {
            pause = pauseFor(decision, pause);
            nextLook = clock.ticks() + Math.min(github.jobs.pause(pause), left);
        }
        last = decision.kind;
        await bell.wait(Math.max(250, Math.min(nextLook - clock.ticks(), left)), signal);
    }
    async function judgeEnd(slot) {
        if (slot.job !== undefined && crew.toldResults.has(slot.job))
            return "finished";
        if (!(await hadJob(slot, deps, signal)))
            return "idle";
        if (slot.registration !== undefined)
            brokenOff.set(slot.registration.name, clock.ticks());
        return "broken-off";
    }
    /** GitHub's list may be behind by some seconds; after that, a runner has ended in the middle of its job. */
    function awaitBrokenOff({ running }, decision) {
        for (const [name, since] of brokenOff) {
            const job = running.find(({ runnerName }) => runnerName === name);
            if (job === undefined)
                brokenOff.delete(name);
            else if (clock.ticks() - since >= BEHIND)
                throw blameMachine("its runner ended in the middle of the job.", [job.name]);
        }
        return brokenOff.size > 0 ? { kind: "wind-up" } : decision;
    }
    /** Trouble of GitHub's ends no hold: the runners' own ends are known without it. */
    async function lookAt(before) {
        try {
            return viewJobs(await github.jobs.look({ signal, thorough: true }), guarding.labels, deps.context);
        }
        catch (error) {
            signal.throwIfAborted();
            sayBlind(error);
            // What was seen last is old: jobs that a runner has told the end of are over, and without a token nothing more is known.
            const isOpen = ({ name }) => !(error instanceof failure/* GitHubTokenFailure */.tp) && !crew.toldResults.has(name);
            const nothingElse = error instanceof failure/* GitHubTokenFailure */.tp || before.nothingElse;
            return { ...before, queued: before.queued.filter(isOpen), held: before.held.filter(isOpen), running: [], nothingElse };
        }
    }
    function sayBlind(error) {
        const sentence = `${(0,plain/* plain */.pj)((0,failure/* describe */.q0)(error))} The machine is held by what its runners tell.`;
        if (error instanceof failure/* GitHubTokenFailure */.tp)
            log.warn(`${sentence} ${(0,plain/* plain */.pj)(error.hint)}`, "GitHub does not answer this token");
        else
            log.info(sentence);
    }
    async function hireAll(slots) {
        for (const slot of slots) {
            if (slot.failures >= MOST_FAILURES) {
                throw new failure/* RunnerFailure */.hV(`Runners on this machine ended ${slot.failures} times without having been given a job, and jobs are still queued.`, "The machine is deleted; its time until now is billed.");
            }
            try {
                await crew.hire(slot, signal);
            }
            catch (error) {
                signal.throwIfAborted();
                if (error instanceof failure/* GitHubTokenFailure */.tp) {
                    // Other runners may still have jobs, whose results are worth waiting for.
                    if (!crew.slots.some(({ state }) => state === "busy"))
                        throw error;
                    sayBlind(error);
                    return;
                }
                log.info(`No runner could be started: ${(0,plain/* plain */.pj)((0,failure/* describe */.q0)(error))} It is tried again.`);
                return;
            }
        }
    }
    function pauseFor(decision, before) {
        if (decision.kind === "linger")
            return LOOK_EVERY.linger;
        if (decision.kind === "wind-up")
            return LOOK_EVERY.windUp;
        if (decision.kind !== "work")
            return LOOK_EVERY.idle;
        // A job that is queued meanwhile can start only where a slot is free; else there is nothing that looking could change.
        if (crew.slots.some(({ state }) => state === "vacant"))
            return LOOK_EVERY.vacancy;
        return before < LOOK_EVERY.work ? LOOK_EVERY.work : Math.min(before * 2, LOOK_EVERY.longest);
    }
}
/** Milliseconds for which the same kind of decision has been made without a break. */
function startSince({ clock }) {
    let current;
    let began = 0;
    return (kind) => {
        const now = clock.ticks();
        if (kind !== current)
            began = now;
        current = kind;
        return now - began;
    };
}
function jobsOn({ slots, toldResults }) {
    return slots.flatMap(({ job }) => (job === undefined || toldResults.has(job) ? [] : [job]));
}
function blameMachine(why, jobs) {
    const names = jobs.map((job) => `'${(0,plain/* plain */.pj)(job, 100)}'`).join(", ");
    const under = jobs.length === 0 ? "" : ` under ${jobs.length > 1 ? "jobs" : "job"} ${names}`;
    return new failure/* MachineLostFailure */.Y0(`The machine vanished${under}: ${why}`, "Whatever is left of it is deleted; its time until now is billed. A spot machine can be taken back at any time; " +
        "'Re-run failed jobs' starts this guard and the jobs on another one.");
}
function blameQueue({ queued, held }, idleTimeout) {
    const [job] = [...queued, ...held];
    const name = `Job '${(0,plain/* plain */.pj)(job?.name ?? "", 100)}'`;
    if (queued.length > 0) {
        return new failure/* WorkflowFailure */.wK(`${name} is queued and a runner for it is online, but GitHub did not bring them together within ${(0,duration/* formatDuration */.a)(idleTimeout)} ('idle-timeout').`, "The machine is deleted; its time until now is billed. Look whether the runner group ('runner-group-id') admits this repository and workflow.");
    }
    return new failure/* WorkflowFailure */.wK(`${name} still is ${(0,plain/* plain */.pj)(job?.status ?? "not queued")} after ${(0,duration/* formatDuration */.a)(idleTimeout)} ('idle-timeout').`, "The machine is deleted; its time until now is billed. Let the job get its approval or its turn before the guard starts ('needs:'), or raise 'idle-timeout'.");
}

;// CONCATENATED MODULE: ./build/lease/bell.js
function hangBell(clock) {
    let rang = false;
    let wake;
    return {
        ring() {
            rang = true;
            wake?.abort();
        },
        async wait(ms, signal) {
            signal.throwIfAborted();
            if (!rang) {
                const woken = new AbortController();
                wake = woken;
                await clock.sleep(ms, AbortSignal.any([signal, woken.signal])).catch((error) => {
                    signal.throwIfAborted();
                    if (!woken.signal.aborted)
                        throw error;
                });
                wake = undefined;
            }
            rang = false;
        },
    };
}

// EXTERNAL MODULE: ./build/provision.js + 14 modules
var provision = __webpack_require__(6192);
;// CONCATENATED MODULE: ./build/see-jobs-off.js
/** How long a cancelled step waits for the runners to end; the runner kills it 10 s after the signal, and the DELETE must go. */
const CANCELLED_JOBS_END_WITHIN = 6_000;
/**
 * Cancelled jobs get a moment for their last steps: until their runners have ended, or 6 s, whichever is first. With
 * `cancel-grace`, whoever is not done by then goes on, and post deletes the machine later.
 */
async function seeJobsOff(crew, bell, { clock, guarding, journal, log }) {
    const busy = () => crew.slots.some(({ state }) => state === "busy");
    const over = new AbortController();
    const until = clock.ticks() + CANCELLED_JOBS_END_WITHIN;
    if (busy())
        log.info("Waiting a moment for the cancelled jobs to end.");
    while (busy() && crew.unheard === undefined && clock.ticks() < until) {
        await bell.wait(Math.max(1, until - clock.ticks()), over.signal);
    }
    if (busy() && guarding.cancelGrace > 0)
        journal.noteGuard({ graceUntil: clock.now() + guarding.cancelGrace });
}

;// CONCATENATED MODULE: ./build/guard.js













/**
 * The story of a guard job: wait, with nothing bought, until a GPU job is queued; rent a machine that registers itself as a runner
 * for it; hold the machine until the jobs with this label are over; let it go, and end as these jobs ended.
 */
async function guard(deps) {
    const { guarding, journal, log, outputs, plan } = deps;
    outputs({ "runner-label": guarding.labels.join(",") });
    if (plan.dryRun)
        return (0,provision/* provision */.m)(deps, nothing);
    // Saved before anything can fail: post cancels the run whose GPU jobs would wait for a machine that does not come.
    journal.noteGuard({ stranded: guarding.cancelRunOnFailure });
    const application = await log.group("GPU jobs", async () => {
        const found = await deps.github.resolveApplication(guarding.version, deps.signal);
        log.info(`Runner application ${(0,plain/* plain */.pj)(found.version, 20)}.`);
        const awaited = await awaitJob(deps);
        if ("queued" in awaited) {
            const names = awaited.queued.slice(0, 5).map(({ name }) => `'${(0,plain/* plain */.pj)(name, 100)}'`);
            const more = awaited.queued.length > 5 ? ` and ${awaited.queued.length - 5} more` : "";
            log.info(`Queued for ${guarding.labels.join(", ")}: ${names.join(", ")}${more}.`);
            return found;
        }
        journal.noteGuard({ stranded: false });
        refuseWhenRequired(awaited.reason, guarding);
        log.notice(`${awaited.reason} Nothing was bought.`, "No GPU job");
        return undefined;
    });
    if (application === undefined)
        return;
    const toldResults = new Map();
    await (0,provision/* provision */.m)(deps, guardPurpose(application, toldResults, deps));
    if (!guarding.hold)
        return journal.noteGuard({ stranded: false });
    const { unserved, failed } = await log.group("Results", () => learnResults(toldResults, deps));
    journal.noteGuard({ stranded: guarding.cancelRunOnFailure && unserved.length > 0 });
    for (const record of recordsIn(journal))
        await unregister(record, deps, deps.signal);
    if (unserved.length > 0)
        throw blameLateness(unserved, guarding);
    if (failed.length > 0 && guarding.mirror)
        throw blameJobs(failed);
}
const nothing = {
    equip: async () => [],
    engage: async () => undefined,
    use: async () => undefined,
    handsOver: false,
    provesInMain: true,
};
/** Runner mode: the machine is for the jobs with our labels. */
function guardPurpose(application, toldResults, deps) {
    const { clock, guarding, journal, plan } = deps;
    let crew;
    let carried;
    const bell = hangBell(clock);
    return {
        async equip({ name, lifetime }, signal) {
            crew?.dismiss();
            if (carried !== undefined)
                await refuseWhenServed(deps, signal);
            // What an earlier attempt has registered must not come online any more: its machine is being deleted.
            for (const record of recordsIn(journal))
                await unregister(record, deps, signal);
            const nameOf = countNames(name);
            const registration = await register(nameOf(), deps, signal);
            carried = { registration, nameOf };
            return [
                deps.runners.compose({
                    application,
                    runners: guarding.runners,
                    gpuCount: plan.wish.gpuCount,
                    docker: guarding.docker,
                    lifetime,
                    ...(plan.verifyGpu ? { expectedGpus: { count: plan.wish.gpuCount } } : {}),
                    configuration: registration.configuration,
                    mintedAt: clock.now(),
                }),
            ];
        },
        async engage(rented, deadline) {
            if (carried === undefined)
                return;
            crew = openCrew(carried.registration, carried.nameOf, toldResults, bell, deps);
            crew.listen(deps.runners.open(rented.machine));
            await unlessCancelled(crew, engage(crew, bell, rented, deadline, deps));
        },
        async use(rented) {
            if (crew === undefined || !guarding.hold)
                return;
            journal.note(rented.attempt, { workStarted: clock.now() });
            try {
                await unlessCancelled(crew, hold(crew, bell, rented, deps));
            }
            finally {
                journal.note(rented.attempt, { workEnded: clock.now() });
                crew.dismiss();
            }
        },
        handsOver: !guarding.hold,
        provesInMain: false,
    };
    async function unlessCancelled(runners, work) {
        try {
            await work;
        }
        catch (error) {
            if (deps.signal.aborted)
                await seeJobsOff(runners, bell, deps);
            throw error;
        }
    }
}
/** The machine that failed may have taken the job, whose fate is its own: another machine would have nothing to do. */
async function refuseWhenServed({ context, github, guarding }, signal) {
    const { queued, held, running, completed } = viewJobs(await github.jobs.look({ signal }), guarding.labels, context);
    if (queued.length > 0 || held.length > 0)
        return;
    const jobs = [...running, ...completed].map(({ name }) => `'${(0,plain/* plain */.pj)(name, 100)}'`).slice(0, 3);
    throw new failure/* MachineLostFailure */.Y0(`No job of this label is queued any more: ${jobs.join(", ")} went to the machine that failed.`, "No other machine is bought. 'Re-run failed jobs' starts this guard and the jobs on another one, once GitHub has given the job up.");
}
/** Names for the runners of one lease: its own name without the expiry, numbered. */
function countNames(leaseName) {
    const base = leaseName.replace(/-[^-]*$/, "");
    let number = 0;
    return () => {
        number += 1;
        return `${base}-${number}`;
    };
}
function refuseWhenRequired(reason, { requireJob, waitForJob }) {
    if (!requireJob)
        return;
    throw new failure/* WorkflowFailure */.wK(reason, `Nothing was bought. 'require-job' asks for a job; is its 'runs-on' this step's label, and does it start within ${(0,duration/* formatDuration */.a)(waitForJob)} ('wait-for-job')?`);
}
function blameJobs(failed) {
    const [first] = failed;
    const more = failed.length > 1 ? `, and so did not ${failed.length - 1} more` : "";
    return new failure/* HeldJobFailure */.j5(`Job '${(0,plain/* plain */.pj)(first?.name ?? "", 100)}' did not succeed (${(0,plain/* plain */.pj)(first?.conclusion ?? first?.status ?? "", 20)})${more}.`, 'The machine is deleted. Use "Re-run failed jobs", which starts this guard as well; re-running the single job starts no machine. ' +
        "('mirror: false' lets the guard end green all the same.)");
}
function blameLateness(unserved, { linger }) {
    const [first] = unserved;
    return new failure/* WorkflowFailure */.wK(`Job '${(0,plain/* plain */.pj)(first?.name ?? "", 100)}' was queued after the machine had been let go, and is not served.`, `Nothing is billing for it. Use "Re-run failed jobs", and set 'linger' (now ${(0,duration/* formatDuration */.a)(linger)}) to longer than the jobs in between take.`);
}

// EXTERNAL MODULE: ./build/runner/kit.js + 11 modules
var kit = __webpack_require__(5274);
;// CONCATENATED MODULE: ./build/wiring-guard.js



/** Runs the story of a guard with GitHub and with the runners on a machine; loaded in runner mode only. */
async function guardWith(deps, guarding) {
    const { clock, context, log } = deps;
    const github = (0,kit/* openRunnerService */.US)({ ...context, apiUrl: context.gitHubApiUrl, guarding, clock, log, maskSecret: actions_log/* maskSecret */.$l });
    const runners = {
        compose: kit/* composeBootPart */.a5,
        open: (machine) => (0,kit/* openMachineRunners */.h)(machine, { log }),
    };
    await guard({ ...deps, guarding, github, runners });
}


/***/ })

};
;