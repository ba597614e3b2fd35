"use strict";
exports.id = 40;
exports.ids = [40];
exports.modules = {

/***/ 40:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  openRunStates: () => (/* reexport */ openRunStates)
});

// UNUSED EXPORTS: openRunnerService

// EXTERNAL MODULE: ./node_modules/zod/v4/classic/schemas.js + 15 modules
var schemas = __webpack_require__(9691);
// EXTERNAL MODULE: ./build/lease/failure.js
var failure = __webpack_require__(4540);
// EXTERNAL MODULE: ./build/lease/plain.js
var lease_plain = __webpack_require__(2042);
;// CONCATENATED MODULE: ./build/runner/access.js



function openBudget() {
    return { remaining: undefined, resetAt: 0, blockedUntil: 0 };
}
function access_accessByToken(input, token) {
    return { input, budget: openBudget(), token: async () => token, renewable: false };
}
/**
 * Access through a GitHub App that is installed where the runners go. Its tokens end after an hour; the library makes fresh ones.
 * Every one is masked before it is used.
 */
function access_accessByApp({ appId, privateKey }, scope, octokit, maskSecret) {
    const app = createAppAuth({ appId, privateKey, request: octokit.request });
    let installation;
    return {
        input: "github-app-id",
        budget: openBudget(),
        renewable: true,
        async token(signal, refresh = false) {
            signal.throwIfAborted();
            try {
                installation ??= await findInstallation();
                const { token } = await app({ type: "installation", installationId: installation, refresh });
                maskSecret(token);
                return token;
            }
            catch (error) {
                signal.throwIfAborted();
                if (error instanceof GitHubTokenFailure)
                    throw error;
                throw new GitHubTokenFailure(`The GitHub App ${plain(appId, 40)} got no token: ${plain(describeSafely(error))}`, "Are 'github-app-id' and 'github-app-private-key' of the same App, and is the key one that it still lists? Nothing more is bought.");
            }
        },
    };
    async function findInstallation() {
        const { token: jwt } = await app({ type: "app" });
        maskSecret(jwt);
        const headers = { authorization: `Bearer ${jwt}` };
        try {
            const { data } = scope.kind === "repository"
                ? await octokit.request("GET /repos/{owner}/{repo}/installation", {
                    owner: scope.owner,
                    repo: scope.repository,
                    headers,
                })
                : await octokit.request("GET /orgs/{org}/installation", { org: scope.owner, headers });
            return data.id;
        }
        catch (error) {
            if (statusOf(error) !== 404)
                throw error;
            const where = scope.kind === "repository" ? `${scope.owner}/${scope.repository}` : `organisation ${scope.owner}`;
            throw new GitHubTokenFailure(`The GitHub App ${plain(appId, 40)} is not installed in ${plain(where)}.`, "Nothing was bought. Install it there, with the permission Administration: write (for an organisation, Self-hosted runners: write).");
        }
    }
}
/** The HTTP status that an error of the library carries; 0 where no answer came. */
function statusOf(error) {
    if (typeof error !== "object" || error === null || !("status" in error) || !("response" in error))
        return 0;
    return error.response === undefined ? 0 : Number(error.status);
}
/** Errors of the library hold the request with its headers: only their message is used. */
function describeSafely(error) {
    return error instanceof Error ? error.message : (0,failure/* describe */.q0)(error);
}

// EXTERNAL MODULE: ./build/lease/duration.js
var duration = __webpack_require__(1256);
;// CONCATENATED MODULE: ./build/runner/client.js




const ANSWER_WITHIN = 20_000;
/** Pauses before a request that may be repeated is sent again. */
const REPEATS = [1_000, 4_000];
/** A limit that ends sooner than this is waited for. */
const LONGEST_BLOCK = 60_000;
/** No answer came: what was asked for may have happened all the same. */
class client_GitHubSilence extends failure/* GitHubFailure */.iK {
}
function client_openClient(octokit, clock, log) {
    return {
        async send(request) {
            const { access, signal } = request;
            const mayRepeat = !request.route.startsWith("POST ");
            let renewed = false;
            for (let round = 0;; round += 1) {
                await waitForBudget(request);
                const outcome = await sendOnce(request, await access.token(signal, renewed));
                if (outcome.status === 401 && access.renewable && !renewed) {
                    renewed = true;
                    continue;
                }
                if (outcome.status === 401)
                    throw blameToken(access, outcome.message);
                if (isLimit(outcome, access, clock)) {
                    if (round < REPEATS.length && access.budget.blockedUntil - clock.now() <= LONGEST_BLOCK)
                        continue;
                    throw blameLimit(request);
                }
                if (outcome.status !== 0 && outcome.status < 500)
                    return outcome;
                const pause = mayRepeat ? REPEATS[round] : undefined;
                if (pause !== undefined) {
                    await clock.sleep(pause, signal);
                    continue;
                }
                if (outcome.status !== 0)
                    return outcome;
                throw new client_GitHubSilence(`GitHub did not answer ${nameOf(request)}: ${outcome.message}`, "Check the network of the runner, HTTPS_PROXY and NO_PROXY; githubstatus.com tells of outages.");
            }
        },
    };
    async function waitForBudget(request) {
        const wait = request.access.budget.blockedUntil - clock.now();
        if (wait > LONGEST_BLOCK)
            throw blameLimit(request);
        if (wait > 0)
            await clock.sleep(wait, request.signal);
    }
    function blameLimit(request) {
        const { budget, input } = request.access;
        return new failure/* GitHubFailure */.iK(`GitHub's rate limit for '${input}' is used up for another ${(0,duration/* formatDuration */.a)(Math.max(0, budget.blockedUntil - clock.now()))}.`, "Other jobs of this repository share it. Fewer guards at a time, or an App's token of its own, help.");
    }
    /** Status 0 stands for no answer. */
    async function sendOnce({ route, parameters, access, etag, signal }, token) {
        const headers = {
            authorization: `Bearer ${token}`,
            "x-github-api-version": "2022-11-28",
            ...(etag === undefined ? {} : { "if-none-match": etag }),
        };
        const late = AbortSignal.timeout(ANSWER_WITHIN);
        const finish = (status, answered, data, message) => {
            noteBudget(access, status, answered, message, clock);
            log.debug(`${nameOf({ route })}: ${status || "no answer"}, ${access.budget.remaining ?? "unknown"} left for '${access.input}'`);
            const { etag: fresh } = answered;
            return { status, data, message, ...(typeof fresh === "string" ? { etag: fresh } : {}) };
        };
        try {
            const request = { signal: AbortSignal.any([signal, late]) };
            const answer = await octokit.request(route, { ...parameters, headers, request });
            return finish(answer.status, answer.headers, answer.data, "");
        }
        catch (error) {
            signal.throwIfAborted();
            const status = statusOf(error);
            const why = late.aborted
                ? `no answer within ${(0,duration/* formatDuration */.a)(ANSWER_WITHIN)}`
                : describeSafely(error).replaceAll(token, "***");
            return finish(status, headersOf(error), undefined, (0,lease_plain/* plain */.pj)(why));
        }
    }
}
function nameOf({ route }) {
    return route;
}
function headersOf(error) {
    if (typeof error !== "object" || error === null || !("response" in error))
        return {};
    const { response } = error;
    if (typeof response !== "object" || response === null || !("headers" in response))
        return {};
    const { headers } = response;
    return typeof headers === "object" && headers !== null ? { ...headers } : {};
}
/** https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api */
function noteBudget({ budget }, status, headers, message, clock) {
    const number = (name) => (headers[name] === undefined ? undefined : Number(headers[name]));
    const remaining = number("x-ratelimit-remaining");
    const reset = number("x-ratelimit-reset");
    if (remaining !== undefined && Number.isFinite(remaining))
        budget.remaining = remaining;
    if (reset !== undefined && Number.isFinite(reset))
        budget.resetAt = reset * 1000;
    if (status !== 403 && status !== 429)
        return;
    const retryAfter = number("retry-after");
    if (retryAfter !== undefined && Number.isFinite(retryAfter))
        budget.blockedUntil = clock.now() + retryAfter * 1000;
    else if (remaining === 0)
        budget.blockedUntil = budget.resetAt;
    else if (status === 429 || /secondary rate limit|abuse detection/i.test(message))
        budget.blockedUntil = clock.now() + LONGEST_BLOCK;
}
/** A 403 can mean a limit or a permission that is missing. */
function isLimit({ status }, { budget }, clock) {
    return (status === 403 || status === 429) && budget.blockedUntil > clock.now();
}
function blameToken({ input }, message) {
    const hint = input === "run-token"
        ? "Leave 'run-token' unset: the default is the token of this job, which lasts as long as it does."
        : "It is wrong, was revoked or has expired. An App's token ends after an hour: give 'github-app-id' and 'github-app-private-key' instead, from which fresh ones are made.";
    return new failure/* GitHubTokenFailure */.tp(`GitHub does not accept '${input}' (any more): ${message}`, hint);
}

// EXTERNAL MODULE: ./node_modules/@actions/github/lib/utils.js + 21 modules
var utils = __webpack_require__(1845);
;// CONCATENATED MODULE: ./build/runner/octokit.js


/** A client without a token of its own: each request brings one. HTTPS_PROXY and NO_PROXY are honoured. */
function octokit_openOctokit(apiUrl, log) {
    const say = (message) => log.debug((0,lease_plain/* plain */.pj)(message));
    return new utils/* GitHub */.gq({ baseUrl: apiUrl, userAgent: "gpu-provision", log: { debug: say, info: say, warn: say, error: say } });
}

;// CONCATENATED MODULE: ./build/runner/run-states.js






const attempt = schemas/* object */.Ikc({ status: schemas/* string */.YjP() });
/**
 * Asks GitHub how run attempts of a repository (`owner/repo`) stand. Whatever is not said clearly is `unknown`, a 404 included: a
 * token that may not see a run is answered like that, too.
 */
function openRunStates(options) {
    const { apiUrl, clock, log, repository, token } = options;
    const client = client_openClient(octokit_openOctokit(apiUrl, log), clock, log);
    const access = access_accessByToken("github-token", token);
    const [owner = "", repo = ""] = repository.split("/");
    const { signal } = new AbortController();
    return async (runId, runAttempt) => {
        try {
            const { data, status } = await client.send({
                route: "GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}",
                parameters: { owner, repo, run_id: runId, attempt_number: runAttempt },
                access,
                signal,
            });
            const read = attempt.safeParse(data);
            if (status !== 200 || !read.success)
                return "unknown";
            return read.data.status === "completed" ? "completed" : "going-on";
        }
        catch (error) {
            log.info(`GitHub did not say whether run ${runId} goes on: ${(0,lease_plain/* plain */.pj)((0,failure/* describe */.q0)(error), 160)}`);
            return "unknown";
        }
    };
}

// EXTERNAL MODULE: ./build/lease/clock.js + 1 modules
var clock = __webpack_require__(4467);
;// CONCATENATED MODULE: ./build/runner/registrations.js





/** Names that are tried where one is taken. */
const SUFFIXES = (/* unused pure expression or super */ null && (["", "-b", "-c", "-d"]));
const LONGEST_NAME = 64;
/** GitHub removes no runner that has a job; how long it is asked again. */
const BUSY_FOR = 60_000;
const BUSY_PAUSE = 5_000;
const runner = schemas/* object */.Ikc({
    id: schemas/* int */.Whr().positive(),
    name: schemas/* string */.YjP(),
    status: schemas/* string */.YjP().catch("unknown"),
    busy: schemas/* boolean */.zMY().catch(false),
    labels: schemas/* array */.YOg(schemas/* object */.Ikc({ name: schemas/* string */.YjP() })).catch([]),
});
const list = schemas/* object */.Ikc({ runners: schemas/* array */.YOg(runner) });
const minted = schemas/* object */.Ikc({
    runner: schemas/* object */.Ikc({ id: schemas/* int */.Whr().positive(), name: schemas/* string */.YjP() }),
    encoded_jit_config: schemas/* string */.YjP().min(1),
});
/** https://docs.github.com/en/rest/actions/self-hosted-runners */
function registrations_openRegistrations(options) {
    const { client, access, scope, clock, log } = options;
    const base = scope.kind === "repository" ? "/repos/{owner}/{repo}/actions/runners" : "/orgs/{org}/actions/runners";
    const place = scope.kind === "repository" ? { owner: scope.owner, repo: scope.repository } : { org: scope.owner };
    const etags = new Map();
    const ask = (route, parameters, signal, etag) => client.send({ route, parameters: { ...place, ...parameters }, access, signal, etag });
    async function find(name, signal) {
        const answer = await ask(`GET ${base}`, { name, per_page: 100 }, signal);
        registrations_refuseUnlessAllowed(answer, scope, access);
        const parsed = list.safeParse(answer.data);
        if (!parsed.success)
            throw registrations_unreadable("list of runners", answer);
        return parsed.data.runners.find((one) => one.name === name);
    }
    /** A record carries exactly our labels, and nobody uses it: it came of a request of ours whose answer was lost. */
    async function clear(name, signal) {
        const found = await find(name, signal);
        if (found === undefined)
            return;
        const theirs = found.labels.map((label) => label.name.toLowerCase()).toSorted();
        const ours = options.labels.map((label) => label.toLowerCase()).toSorted();
        const isOurs = theirs.length === ours.length && theirs.every((label, index) => label === ours[index]);
        if (!isOurs || found.status !== "offline" || found.busy) {
            log.info(`There is a runner '${plain(name, LONGEST_NAME)}' that is not a leftover of ours; it is let be.`);
            return;
        }
        await removeById(found.id, signal);
    }
    async function removeById(id, signal) {
        const patience = deadlineAfter(clock, BUSY_FOR);
        for (;;) {
            const answer = await ask(`DELETE ${base}/{runner_id}`, { runner_id: id }, signal);
            if (answer.status === 204 || answer.status === 404)
                return;
            if (answer.status !== 422 || patience.passed()) {
                registrations_refuseUnlessAllowed(answer, scope, access);
                throw new GitHubFailure(`GitHub does not remove runner ${id} (HTTP ${answer.status}: ${answer.message}).`, "It costs nothing, and GitHub removes it by itself within a day. The repository's settings list it.");
            }
            await clock.sleep(BUSY_PAUSE, signal);
        }
    }
    return {
        async mint(name, { signal, onIntent }) {
            let trouble;
            for (const suffix of SUFFIXES) {
                const tried = `${name.slice(0, LONGEST_NAME - suffix.length)}${suffix}`;
                onIntent(tried);
                const parameters = { name: tried, runner_group_id: options.groupId, labels: options.labels, work_folder: "_work" };
                try {
                    const answer = await ask(`POST ${base}/generate-jitconfig`, parameters, signal);
                    const registration = answer.status === 201 ? readMinted(answer) : undefined;
                    if (registration !== undefined)
                        return registration;
                    trouble = refusalOf(answer);
                }
                catch (error) {
                    if (!(error instanceof GitHubSilence))
                        throw error;
                    trouble = error;
                }
                log.info(`The runner '${plain(tried, LONGEST_NAME)}' was not registered (${plain(describe(trouble))}); another name is tried.`);
                await clear(tried, signal);
            }
            throw new GitHubFailure(`No runner could be registered under ${SUFFIXES.length} names: ${plain(describe(trouble))}`, "Nothing more is bought.", { cause: trouble });
        },
        async status({ id }, signal) {
            const known = etags.get(id);
            const answer = await ask(`GET ${base}/{runner_id}`, { runner_id: id }, signal, known?.etag);
            if (answer.status === 304 && known !== undefined)
                return known;
            if (answer.status === 404)
                return { state: "gone", busy: false };
            const parsed = runner.safeParse(answer.data);
            if (answer.status !== 200 || !parsed.success)
                throw registrations_unreadable("runner", answer);
            const { status, busy } = parsed.data;
            const fresh = { state: status === "online" ? "online" : "offline", busy };
            if (answer.etag !== undefined)
                etags.set(id, { ...fresh, etag: answer.etag });
            return fresh;
        },
        async remove({ name, id }, signal) {
            if (id === undefined)
                await clear(name, signal);
            else
                await removeById(id, signal);
        },
    };
    function readMinted(answer) {
        const parsed = minted.safeParse(answer.data);
        if (!parsed.success)
            return undefined;
        const { runner: record, encoded_jit_config: configuration } = parsed.data;
        options.maskSecret(configuration);
        return { id: record.id, name: record.name, configuration, mintedAt: clock.ticks() };
    }
    /** Why there is no configuration, where another name may help; thrown where it may not. */
    function refusalOf(answer) {
        registrations_refuseUnlessAllowed(answer, scope, access);
        const failure = new GitHubFailure(`GitHub does not register a runner (HTTP ${answer.status}${answer.message === "" ? "" : `: ${answer.message}`}).`, "Nothing was bought for it. Do 'runner-group-id', 'runner-scope' and 'runner-label' exist and fit?");
        if (answer.status === 422 || answer.status === 400)
            throw failure;
        return failure;
    }
}
function registrations_refuseUnlessAllowed({ status, message }, scope, { input }) {
    if (status !== 403 && status !== 404)
        return;
    const [where, permission] = scope.kind === "repository"
        ? [`${scope.owner}/${scope.repository}`, "Administration: write"]
        : [`organisation ${scope.owner}`, "Self-hosted runners: write"];
    throw new GitHubTokenFailure(`'${input}' may not manage the runners of ${plain(where)} (HTTP ${status}: ${message}).`, `Nothing was bought. Give it the permission ${permission} there: a fine-grained personal access token or a GitHub App. The job's own GITHUB_TOKEN can never have it.`);
}
function registrations_unreadable(what, { status, message }) {
    return new GitHubFailure(`GitHub's ${what} cannot be read (HTTP ${status}${message === "" ? "" : `: ${message}`}).`, "It may be an outage, see githubstatus.com, or a proxy in between.");
}

;// CONCATENATED MODULE: ./build/runner/application.js




const downloads = schemas/* array */.YOg(schemas/* object */.Ikc({
    os: schemas/* string */.YjP(),
    architecture: schemas/* string */.YjP(),
    download_url: schemas/* string */.YjP(),
    filename: schemas/* string */.YjP(),
    sha256_checksum: schemas/* string */.YjP().optional(),
}));
const release = schemas/* object */.Ikc({
    assets: schemas/* array */.YOg(schemas/* object */.Ikc({ name: schemas/* string */.YjP(), browser_download_url: schemas/* string */.YjP(), digest: schemas/* string */.YjP().nullish() })),
});
const ARCHITECTURES = (/* unused pure expression or super */ null && (["x64", "arm64"]));
/**
 * The runner application: `latest` as GitHub offers it to this repository or organisation, else a version of its releases. Every
 * archive has a checksum; throws GitHubFailure when none is to be had.
 */
async function application_resolveApplication(version, { client, scope, runners, run }, signal) {
    const [base, place] = scope.kind === "repository"
        ? ["/repos/{owner}/{repo}", { owner: scope.owner, repo: scope.repository }]
        : ["/orgs/{org}", { org: scope.owner }];
    // Asked for whatever the version: it shows, before anything is bought, that the token may manage runners.
    const answer = await client.send({
        route: `GET ${base}/actions/runners/downloads`,
        parameters: place,
        access: runners,
        signal,
    });
    refuseUnlessAllowed(answer, scope, runners);
    const offered = downloads.safeParse(answer.data);
    if (answer.status !== 200 || !offered.success)
        throw unreadable("list of runner applications", answer);
    const linux = offered.data.filter(({ os }) => os === "linux");
    const newest = linux.map(({ filename }) => versionIn(filename)).find((found) => found !== undefined);
    const wanted = version === "latest" ? newest : version;
    if (wanted === undefined)
        throw blameMissing(version);
    const archives = {};
    for (const architecture of ARCHITECTURES) {
        const fit = linux.find((one) => one.architecture === architecture && versionIn(one.filename) === wanted);
        const archive = toArchive(fit?.download_url, fit?.sha256_checksum);
        if (archive !== undefined)
            archives[architecture] = archive;
    }
    if (Object.keys(archives).length === 0) {
        const assets = await readRelease(wanted);
        for (const architecture of ARCHITECTURES) {
            const asset = assets.find(({ name }) => name === `actions-runner-linux-${architecture}-${wanted}.tar.gz`);
            const archive = toArchive(asset?.browser_download_url, asset?.digest?.replace(/^sha256:/, ""));
            if (archive !== undefined)
                archives[architecture] = archive;
        }
    }
    if (Object.keys(archives).length === 0)
        throw blameMissing(wanted);
    return { version: wanted, ...archives };
    /** https://docs.github.com/en/rest/releases/releases#get-a-release-by-tag-name */
    async function readRelease(tagged) {
        const parameters = { owner: "actions", repo: "runner", tag: `v${tagged}` };
        const found = await client.send({ route: "GET /repos/{owner}/{repo}/releases/tags/{tag}", parameters, access: run, signal });
        if (found.status === 404)
            throw blameMissing(tagged);
        const parsed = release.safeParse(found.data);
        if (found.status !== 200 || !parsed.success)
            throw unreadable("release of the runner application", found);
        return parsed.data.assets;
    }
}
/** `2.336.0` in `actions-runner-linux-x64-2.336.0.tar.gz`. */
function versionIn(filename) {
    return /-(\d+\.\d+\.\d+)\.tar\.gz$/.exec(filename)?.[1];
}
function toArchive(url, checksum) {
    const sha256 = checksum?.toLowerCase() ?? "";
    if (url === undefined || !/^[0-9a-f]{64}$/.test(sha256) || !URL.canParse(url) || /[\s'"\\]/.test(url))
        return undefined;
    const { protocol, hostname } = new URL(url);
    const isLoopback = hostname === "localhost" || hostname === "[::1]" || /^127\./.test(hostname);
    return protocol === "https:" || (protocol === "http:" && isLoopback) ? { url, sha256 } : undefined;
}
function blameMissing(version) {
    return new GitHubFailure(`There is no runner application '${plain(version, 40)}' for Linux that comes with a checksum.`, "Nothing was bought. Nothing is installed whose checksum is not known; leave 'runner-version' unset for the one that GitHub offers.");
}

;// CONCATENATED MODULE: ./build/runner/jobs.js


const PER_PAGE = 100;
/** More jobs than any run may have: a list that claims them is not followed. */
const MOST_PAGES = 50;
/** Of what is left of a rate limit: the rest is for the ends of jobs, which are looked at at once. */
const SHARE = 0.5;
const moment = schemas/* string */.YjP()
    .transform((text) => Date.parse(text))
    .refine(Number.isFinite)
    .optional()
    .catch(undefined);
const step = schemas/* object */.Ikc({ name: schemas/* string */.YjP().catch(""), status: schemas/* string */.YjP().catch("") });
const job = schemas/* object */.Ikc({
    id: schemas/* number */.aig(),
    name: schemas/* string */.YjP().catch(""),
    status: schemas/* string */.YjP().catch("unknown"),
    conclusion: schemas/* string */.YjP().nullish().catch(undefined),
    labels: schemas/* array */.YOg(schemas/* string */.YjP()).catch([]),
    runner_name: schemas/* string */.YjP().nullish().catch(undefined),
    started_at: moment,
    completed_at: moment,
    html_url: schemas/* string */.YjP().nullish().catch(undefined),
    steps: schemas/* array */.YOg(step).nullish().catch(undefined),
});
const page = schemas/* object */.Ikc({ total_count: schemas/* number */.aig().int().nonnegative(), jobs: schemas/* array */.YOg(job) });
/**
 * The jobs of a run attempt, with as few requests as it takes: a page that has not changed costs nothing (304), and one whose
 * jobs are all over is not asked for again. https://docs.github.com/en/rest/actions/workflow-jobs
 */
function jobs_openRunJobs(options) {
    const { client, clock, labels, matrix, run, runners } = options;
    const [owner = "", repo = ""] = options.repository.split("/");
    const pages = new Map();
    const wanted = new Set(labels.map((label) => label.toLowerCase()));
    // Undefined until it was tried: whether the runners' access sees the jobs, which it need not.
    let runnersSee = runners === undefined ? false : undefined;
    let asked = false;
    let total = 0;
    // Jobs are listed as the workflow has them, so a GPU job is likely to stand where its guard does, in a matrix of its own behind or
    // before that of the guards.
    const guesses = [matrix.total + matrix.index, matrix.index].map((position) => Math.floor(position / PER_PAGE) + 1);
    const etags = new Map();
    const ask = (number, access, signal) => client.send({
        route: "GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}/jobs",
        parameters: { owner, repo, run_id: options.runId, attempt_number: options.runAttempt, per_page: PER_PAGE, page: number },
        access,
        // GitHub makes it of the answer and of who asks.
        etag: etags.get(`${access.input} ${number}`),
        signal,
    });
    async function read(number, signal) {
        if (asked && runners !== undefined && nextAccess() === runners) {
            const answer = await refusable(ask(number, runners, signal));
            if (answer !== undefined && answer.status !== 403 && answer.status !== 404) {
                runnersSee = true;
                return keep(number, runners, answer);
            }
            runnersSee = false;
        }
        const answer = await ask(number, run, signal);
        asked = true;
        return keep(number, run, answer);
    }
    function keep(number, access, answer) {
        const known = pages.get(number);
        if (answer.status === 304 && known !== undefined)
            return known;
        if (answer.status === 403 || answer.status === 404)
            throw blamePermission(answer);
        const parsed = answer.status === 200 ? page.safeParse(answer.data) : undefined;
        if (parsed?.success !== true) {
            throw new GitHubFailure(`GitHub's list of this run's jobs cannot be read (HTTP ${answer.status}${answer.message === "" ? "" : `: ${answer.message}`}).`, "It is asked for again.");
        }
        const fresh = { etag: answer.etag, total: parsed.data.total_count, jobs: parsed.data.jobs.map(toJob) };
        pages.set(number, fresh);
        if (answer.etag !== undefined)
            etags.set(`${access.input} ${number}`, answer.etag);
        return fresh;
    }
    /** A page on which nothing can change any more, as long as the list does not shrink. */
    const isSettled = (one) => one?.jobs.length === PER_PAGE && one.jobs.every(({ status }) => status === "completed");
    return {
        async look({ signal, thorough = false }) {
            const before = total;
            const fresh = new Set();
            const refresh = async (number) => {
                if (fresh.has(number))
                    return;
                if (!isSettled(pages.get(number)))
                    ({ total } = await read(number, signal));
                fresh.add(number);
            };
            // Every page tells how many jobs there are; new ones are on the last.
            await refresh(before === 0 ? (guesses[0] ?? 1) : (allPages().find(isOurs) ?? lastPage()));
            if (total < before)
                pages.clear();
            if (total > before && before > 0)
                await refresh(lastPage());
            const isNews = (number) => pages.get(number) === undefined || isOurs(number);
            for (const number of byLikelihood()) {
                if (thorough && canAffordAll())
                    await refresh(number);
                // Where our jobs are known, what is on pages that nobody has looked at is not ours.
                else if (isNews(number) && (isOurs(number) || !knowsOurs()))
                    await refresh(number);
            }
            for (const number of pages.keys())
                if (number > lastPage())
                    pages.delete(number);
            return { jobs: known(), whole: allPages().every((number) => fresh.has(number) || isSettled(pages.get(number))) };
        },
        known: () => ({ jobs: known(), whole: false }),
        pause(least) {
            const { remaining, resetAt, blockedUntil } = nextAccess().budget;
            const untilReset = Math.max(0, resetAt - clock.now());
            const blocked = Math.max(0, blockedUntil - clock.now());
            if (remaining === 0 || blocked > 0)
                return Math.max(least, blocked, remaining === 0 ? untilReset : 0);
            if (remaining === undefined || untilReset === 0)
                return least;
            return Math.max(least, Math.min(untilReset, (untilReset * matrix.total) / (remaining * SHARE)));
        },
    };
    function known() {
        return [...pages.entries()].toSorted(([one], [other]) => one - other).flatMap(([, { jobs }]) => jobs);
    }
    function lastPage() {
        return Math.min(MOST_PAGES, Math.max(1, Math.ceil(total / PER_PAGE)));
    }
    function allPages() {
        return Array.from({ length: lastPage() }, (_, index) => index + 1);
    }
    function byLikelihood() {
        return [...new Set([...guesses, ...allPages()])].filter((number) => number <= lastPage());
    }
    function knowsOurs() {
        return allPages().some(isOurs);
    }
    function isOurs(number) {
        const jobs = pages.get(number)?.jobs ?? [];
        return jobs.some((one) => one.labels.some((label) => wanted.has(label.toLowerCase())));
    }
    /** Whether every guard of the matrix could look at everything now, and most of the budget would still be there. */
    function canAffordAll() {
        const { remaining } = nextAccess().budget;
        return remaining === undefined || lastPage() * matrix.total <= remaining / 4;
    }
    function nextAccess() {
        return runners !== undefined && runnersSee !== false && hasRoom(runners) ? runners : run;
    }
    function hasRoom({ budget }) {
        return budget.blockedUntil <= clock.now() && (budget.remaining !== 0 || budget.resetAt <= clock.now());
    }
}
/** A token that may not be used for this is no trouble: the other one is. */
async function refusable(asking) {
    try {
        return await asking;
    }
    catch (error) {
        if (error instanceof GitHubTokenFailure)
            return undefined;
        throw error;
    }
}
function blamePermission({ status, message }) {
    return new GitHubTokenFailure(`'run-token' may not see the jobs of this run (HTTP ${status}: ${message}).`, "Give the guard's job this line:\n    permissions: { actions: write }\nIt takes all other permissions away from that job; the GPU job keeps its own.");
}
function toJob(one) {
    return {
        id: one.id,
        name: one.name,
        status: one.status,
        labels: one.labels,
        runningSteps: (one.steps ?? []).filter(({ status }) => status === "in_progress").map(({ name }) => name),
        ...(one.conclusion ? { conclusion: one.conclusion } : {}),
        ...(one.runner_name ? { runnerName: one.runner_name } : {}),
        ...(one.started_at === undefined ? {} : { startedAt: one.started_at }),
        ...(one.completed_at === undefined ? {} : { completedAt: one.completed_at }),
        ...(one.html_url ? { url: one.html_url } : {}),
    };
}

;// CONCATENATED MODULE: ./build/runner/service.js







/** GitHub's side of runner mode. Without a token, what needs it throws GitHubTokenFailure. */
function openRunnerService(options) {
    const { clock, guarding, log, maskSecret, repository, runId } = options;
    const { credentials, labels, runToken, scope } = guarding;
    const octokit = openOctokit(options.apiUrl, log);
    const client = openClient(octokit, clock, log);
    const run = runToken === undefined ? without("run-token") : accessByToken("run-token", runToken);
    const runners = openRunnersAccess();
    const [owner = "", repo = ""] = repository.split("/");
    return {
        jobs: openRunJobs({ ...options, client, labels, run, runners: credentials && runners, matrix: guarding.matrix }),
        registrations: openRegistrations({
            client,
            access: runners,
            scope,
            groupId: guarding.groupId,
            labels,
            clock,
            log,
            maskSecret,
        }),
        resolveApplication: (version, signal) => resolveApplication(version, { client, scope, runners, run }, signal),
        async cancelRun(signal) {
            const parameters = { owner, repo, run_id: runId };
            const answer = await client.send({
                route: "POST /repos/{owner}/{repo}/actions/runs/{run_id}/cancel",
                parameters,
                access: run,
                signal,
            });
            // A run that is over cannot be cancelled.
            if (answer.status === 202 || answer.status === 409)
                return;
            throw new GitHubFailure(`GitHub does not cancel this run (HTTP ${answer.status}: ${answer.message}).`, "Give the guard's job this line:\n    permissions: { actions: write }");
        },
    };
    function openRunnersAccess() {
        if (credentials === undefined)
            return without("github-token");
        if (credentials.kind === "token")
            return accessByToken("github-token", credentials.token);
        return accessByApp(credentials, scope, octokit, maskSecret);
    }
}
function without(input) {
    return {
        ...accessByToken(input, ""),
        async token() {
            throw new GitHubTokenFailure(`There is no '${input}'.`, "It is evaluated anew for the post step: is the secret still there?");
        },
    };
}

;// CONCATENATED MODULE: ./build/runner/github-kit.js
/** What post and the sweep need of this folder. */




/***/ })

};
;