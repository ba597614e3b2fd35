"use strict";
exports.id = 387;
exports.ids = [387];
exports.modules = {

/***/ 5387:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

// ESM COMPAT FLAG
__webpack_require__.r(__webpack_exports__);

// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  applyParts: () => (/* reexport */ applyParts),
  checkGpus: () => (/* reexport */ checkGpus),
  composeCloudInit: () => (/* reexport */ cloud_init/* composeCloudInit */.W),
  connect: () => (/* reexport */ connect),
  makeLeaseKeys: () => (/* reexport */ makeLeaseKeys),
  writeSshFiles: () => (/* reexport */ writeSshFiles)
});

// EXTERNAL MODULE: ./build/lease/failure.js
var lease_failure = __webpack_require__(4540);
// EXTERNAL MODULE: ./build/lease/plain.js
var plain = __webpack_require__(2042);
// EXTERNAL MODULE: ./build/machine/shell-word.js
var shell_word = __webpack_require__(3812);
;// CONCATENATED MODULE: ./build/machine/apply-parts.js



const WITHIN = 60_000;
/**
 * Does over SSH what cloud-init would do with our parts, on a machine that has none: writes the files, then runs the commands. Files
 * may hold secrets, so everything goes over standard input. Rejects with SshFailure when it could not be done.
 */
async function applyParts(machine, parts, signal) {
    if (parts.length === 0)
        return;
    const script = [
        "set -e",
        "umask 077",
        ...parts.flatMap(({ writeFiles = [] }) => writeFiles.map(writeFile)),
        ...parts.flatMap(({ bootcmd = [], runcmd = [] }) => [...bootcmd, ...runcmd]),
        "",
    ].join("\n");
    const { code, stderr } = await machine.exec("sh -s", { stdin: script, signal, timeoutMs: WITHIN });
    if (code === 0)
        return;
    throw new lease_failure/* SshFailure */.dI(`The machine could not be set up over SSH (exit code ${code}): ${(0,plain/* plain */.pj)(stderr) || "it said nothing"}`, "Another offer can be tried. This machine is deleted; its time until now is billed.");
}
function writeFile({ content, encoding, path, permissions }) {
    const bytes = encoding === "b64" ? content : Buffer.from(content).toString("base64");
    const at = `"\${GPU_PROVISION_ROOT-}"${(0,shell_word/* shellWord */.r)(path)}`;
    return [
        `(umask 022; mkdir -p "$(dirname ${at})")`,
        `base64 -d >${at} <<'GPU_PROVISION_END'`,
        ...(bytes.match(/.{1,76}/g) ?? []),
        "GPU_PROVISION_END",
        `chmod ${permissions} ${at}`,
    ].join("\n");
}

// EXTERNAL MODULE: ./build/machine/cloud-init.js + 5 modules
var cloud_init = __webpack_require__(7896);
// EXTERNAL MODULE: ./build/lease/duration.js
var duration = __webpack_require__(1256);
// EXTERNAL MODULE: ./build/machine/address.js
var machine_address = __webpack_require__(9845);
// EXTERNAL MODULE: ./node_modules/ssh2/lib/index.js
var lib = __webpack_require__(5472);
var lib_default = /*#__PURE__*/__webpack_require__.n(lib);
// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(7598);
;// CONCATENATED MODULE: ./build/machine/host-key.js



/** The key of a machine that we see for the first time, or undefined when the bytes are none. */
function decodePublicKey(raw) {
    if (raw.length < 8)
        return undefined;
    const length = raw.readUInt32BE(0);
    if (length > 64 || raw.length <= 4 + length)
        return undefined;
    const type = raw.toString("latin1", 4, 4 + length);
    return /^[a-z0-9@.-]+$/.test(type) ? { type, raw } : undefined;
}
/** Reads `ssh-ed25519 AAAA… comment`; throws SshFailure when it is not a public key. */
function readPublicKey(line) {
    const [type = "", encoded = ""] = line.trim().split(/\s+/);
    const key = decodePublicKey(Buffer.from(encoded, "base64"));
    if (key?.type === type)
        return key;
    throw new lease_failure/* SshFailure */.dI(`'${(0,plain/* plain */.pj)(line, 60)}' is not a public key of OpenSSH.`, "This is a defect of gpu-provision; the machine is deleted.");
}
/** `ssh-ed25519 AAAA…`, as known_hosts has it. */
function writePublicKey(key) {
    return `${key.type} ${key.raw.toString("base64")}`;
}
function isSameKey(one, other) {
    return one.raw.length === other.raw.length && (0,external_node_crypto_.timingSafeEqual)(one.raw, other.raw);
}
/** `SHA256:…`, as ssh-keygen -l shows it. */
function fingerprintOf(key) {
    return `SHA256:${(0,external_node_crypto_.createHash)("sha256").update(key.raw).digest("base64").replaceAll("=", "")}`;
}
/** Signature algorithms by which a server can prove that it holds a key of this type. */
function signaturesOf(type) {
    return type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type];
}

;// CONCATENATED MODULE: ./build/machine/dial.js





const ANY_HOST_KEY = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
];
const UNANSWERED = 4;
const LOST_HINT = "The machine may have been reclaimed or restarted by its vendor. It is deleted; its time until now is billed.";
function propertyOf(error, name) {
    const value = Reflect.get(error, name);
    return typeof value === "string" ? value : "";
}
function explain(error, address, timeoutMs) {
    const code = propertyOf(error, "code");
    const level = propertyOf(error, "level");
    if (code === "ECONNREFUSED")
        return `nothing listens on port ${address.port} yet (connection refused)`;
    if (code === "ECONNRESET" || code === "EPIPE")
        return "the machine closed the connection (reset)";
    if (code === "EHOSTUNREACH" || code === "ENETUNREACH")
        return "there is no route to the machine yet";
    if (code === "ENOTFOUND" || code === "EAI_AGAIN")
        return `the name ${address.host} does not resolve yet`;
    if (level === "client-timeout" || code === "ETIMEDOUT")
        return `no SSH answer within ${Math.round(timeoutMs / 1000)} s`;
    if (level === "client-authentication")
        return "the machine does not accept our key yet (permission denied)";
    if (/^Connection lost before handshake/.test(error.message))
        return "the machine closed the connection before SSH began";
    return (0,plain/* plain */.pj)(error.message, 120);
}
function followChannel(channel, lost, signal) {
    const close = () => {
        channel.end();
        channel.close();
    };
    const exited = new Promise((resolve, reject) => {
        const abort = () => {
            reject(signal?.reason);
            close();
        };
        const settled = () => signal?.removeEventListener("abort", abort);
        signal?.addEventListener("abort", abort, { once: true });
        channel.once("exit", (code, name) => {
            resolve(name === undefined ? { code } : { code, signal: name });
            settled();
        });
        channel.once("close", () => {
            // The end of a lost connection also closes its channels, and says more.
            setImmediate(() => {
                reject(new lease_failure/* SshFailure */.dI("The machine closed the channel without telling how the command ended.", LOST_HINT));
                settled();
            });
        });
        lost.then((failure) => {
            reject(failure);
            settled();
        });
        if (signal?.aborted)
            abort();
    });
    // Whoever awaits it sees the rejection; who has already failed otherwise must not be killed by it.
    exited.catch(() => undefined);
    // A write after the remote end was closed is answered by `exited`.
    channel.on("error", () => undefined);
    return { stdin: channel, stdout: channel, stderr: channel.stderr, exited, close };
}
function superviseClient(client, address, key) {
    let closed = false;
    let gone;
    let lastError;
    const { promise: lost, resolve: lose } = Promise.withResolvers();
    client.on("error", (error) => {
        lastError = error;
    });
    client.once("close", () => {
        const detail = lastError ? `: ${(0,plain/* plain */.pj)((0,lease_failure/* describe */.q0)(lastError), 160)}` : "";
        gone = new lease_failure/* SshFailure */.dI(`The SSH connection to ${(0,machine_address/* writeAddress */.o)(address)} was lost${detail}.`, LOST_HINT);
        if (!closed)
            lose(gone);
    });
    const refuse = () => gone ?? new lease_failure/* SshFailure */.dI(`The SSH connection to ${(0,machine_address/* writeAddress */.o)(address)} is closed.`, "This is a defect of gpu-provision.");
    return {
        hostPublicKey: writePublicKey(key),
        lost,
        start(command, signal) {
            return new Promise((resolve, reject) => {
                if (signal?.aborted)
                    return reject(signal.reason);
                if (closed || gone)
                    return reject(refuse());
                const abort = () => reject(signal?.reason);
                signal?.addEventListener("abort", abort, { once: true });
                lost.then(reject);
                const opened = (error, channel) => {
                    signal?.removeEventListener("abort", abort);
                    if (error) {
                        const message = `The machine did not start a command (${(0,plain/* plain */.pj)(error.message, 120)}).`;
                        return reject(gone ?? new lease_failure/* SshFailure */.dI(message, LOST_HINT, { cause: error }));
                    }
                    const started = followChannel(channel, lost, signal);
                    if (signal?.aborted)
                        return started.close();
                    resolve(started);
                };
                try {
                    client.exec(command, opened);
                }
                catch (error) {
                    // The socket is gone already, and its close event is on the way.
                    reject(new lease_failure/* SshFailure */.dI(`The SSH connection to ${(0,machine_address/* writeAddress */.o)(address)} was lost.`, LOST_HINT, { cause: error }));
                }
            });
        },
        close() {
            closed = true;
            client.end();
            // A machine that does not answer must not keep this process alive.
            client.destroy();
        },
    };
}
/**
 * Tries once to log in. With `expected`, no other host key is accepted: a server that proves another one, or has none of that
 * type, is left before any word about us is sent. Rejects with the signal's reason, and with SshFailure when our own key cannot
 * be read.
 */
function dial(options) {
    const { address, expected, signal, silenceMs, timeoutMs } = options;
    return new Promise((resolve, reject) => {
        if (signal.aborted)
            return reject(signal.reason);
        // The parser's message is left out: it may quote what it could not parse.
        const ownKey = lib_default().utils.parseKey(options.privateKey);
        if (ownKey instanceof Error || !ownKey.isPrivateKey())
            return reject(new lease_failure/* SshFailure */.dI("Our own SSH key cannot be read.", "This is a defect of gpu-provision; the machine is deleted."));
        const client = new (lib_default()).Client();
        let seen;
        let foreign;
        const finish = (settle) => {
            signal.removeEventListener("abort", abort);
            settle();
        };
        const abort = () => {
            client.destroy();
            finish(() => reject(signal.reason));
        };
        signal.addEventListener("abort", abort, { once: true });
        const verify = (raw) => {
            const key = decodePublicKey(raw);
            if (key && (!expected || isSameKey(key, expected))) {
                seen = key;
                return true;
            }
            foreign = key ? fingerprintOf(key) : "an unreadable key";
            return false;
        };
        const fail = (error) => {
            client.destroy();
            if (/no matching host key format/.test(error.message))
                foreign = "no key of that type";
            if (foreign !== undefined) {
                const shown = foreign;
                const reason = `the machine shows a host key that is not its own (${shown}), so nothing is sent to it`;
                return finish(() => resolve({ kind: "foreign-key", reason }));
            }
            const reason = explain(error, address, timeoutMs);
            finish(() => resolve(seen ? { kind: "not-yet", reason, seen } : { kind: "not-yet", reason }));
        };
        // Small packets going back and forth would each wait for a delayed acknowledgement.
        client.once("connect", () => client.setNoDelay(true));
        client.on("error", fail);
        client.once("close", () => fail(new Error("Connection lost before handshake")));
        client.once("ready", () => {
            const key = seen;
            if (!key)
                return fail(new Error("The handshake ended without a host key"));
            client.removeAllListeners("error");
            client.removeAllListeners("close");
            const connection = superviseClient(client, address, key);
            finish(() => resolve({ kind: "open", connection, seen: key }));
        });
        const algorithms = expected
            ? ANY_HOST_KEY.filter((algorithm) => signaturesOf(expected.type).includes(algorithm))
            : [...ANY_HOST_KEY];
        const login = { type: "publickey", username: address.user, key: options.privateKey };
        const config = {
            host: address.host,
            port: address.port,
            username: address.user,
            authHandler: [login],
            algorithms: { serverHostKey: algorithms },
            hostVerifier: verify,
            readyTimeout: timeoutMs,
            // The library gives up when one more than these has had no answer.
            keepaliveInterval: Math.round(silenceMs / (UNANSWERED + 1)),
            keepaliveCountMax: UNANSWERED,
        };
        client.connect(config);
    });
}

// EXTERNAL MODULE: external "node:fs/promises"
var promises_ = __webpack_require__(1455);
// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __webpack_require__(6760);
;// CONCATENATED MODULE: ./build/machine/bytes.js
/** A chunk of a byte stream whose type the stream does not state. Text is taken as UTF-8. */
function asBytes(chunk) {
    if (Buffer.isBuffer(chunk))
        return chunk;
    if (chunk instanceof Uint8Array)
        return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (typeof chunk === "string")
        return Buffer.from(chunk);
    throw new TypeError(`A byte stream delivered a ${typeof chunk}.`);
}

;// CONCATENATED MODULE: ./build/machine/settle.js
/** Milliseconds for which output may still come when the command itself has ended. */
const DRAIN = 2_000;
/**
 * After a command has ended: waits until all its output is read. Background processes can hold stdout open for ever, so after two
 * seconds the channel is closed; what has arrived by then is still passed on, however slow the taker is.
 */
async function settleOutput(reading, progress, process, clock) {
    const over = new AbortController();
    const giveUp = async () => {
        await clock.sleep(DRAIN, over.signal);
        process.close();
        let seen;
        do {
            seen = progress.chunks;
            await clock.sleep(DRAIN, over.signal);
        } while (progress.busy || progress.chunks !== seen);
    };
    try {
        await Promise.race([reading, giveUp()]);
    }
    finally {
        over.abort();
    }
}

;// CONCATENATED MODULE: ./build/machine/execute.js





const DEFAULT_MAX_OUTPUT = 1_048_576;
async function collect(stream, into, limit, progress, command) {
    let size = 0;
    for await (const chunk of stream) {
        const bytes = asBytes(chunk);
        progress.chunks += 1;
        size += bytes.length;
        if (size > limit)
            throw new lease_failure/* SshFailure */.dI(`The machine answered '${(0,plain/* plain */.pj)(command, 60)}' with more than ${limit} bytes.`, "No such answer was expected; the machine is deleted.");
        into.push(bytes);
    }
}
const textOf = (chunks) => Buffer.concat(chunks).toString("utf8");
/** Runs one shell command and collects its output. The command's text is visible in the machine's process list. */
async function execute(connection, command, options, clock) {
    const limit = options.maxOutput ?? DEFAULT_MAX_OUTPUT;
    const over = new AbortController();
    const stop = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
    if (options.timeoutMs !== undefined) {
        const limitMs = options.timeoutMs;
        const failure = () => new lease_failure/* DeadlineFailure */.$v(`The machine did not finish '${(0,plain/* plain */.pj)(command, 60)}' within ${(0,duration/* formatDuration */.a)(limitMs)}.`, "The machine hangs or is overloaded. It is deleted; its time until now is billed.");
        clock.sleep(limitMs, over.signal).then(() => stop.abort(failure()), () => undefined);
    }
    try {
        const process = await connection.start(command, signal);
        try {
            process.stdin.end(options.stdin);
            const progress = { chunks: 0, busy: false };
            const stdout = [];
            const stderr = [];
            const reading = Promise.all([
                collect(process.stdout, stdout, limit, progress, command),
                collect(process.stderr, stderr, limit, progress, command),
            ]);
            const exit = await Promise.race([process.exited, reading.then(() => process.exited)]);
            await settleOutput(reading, progress, process, clock);
            return { ...exit, stdout: textOf(stdout), stderr: textOf(stderr) };
        }
        finally {
            process.close();
        }
    }
    finally {
        over.abort();
    }
}

;// CONCATENATED MODULE: ./build/machine/transfer.js



const BILLED = "The machine is deleted; its time until now is billed.";
const TELL_EVERY = 5_000;
/** `doing` begins the sentence: `upload of 'data'`. */
function followTransfer(doing, { clock, log }) {
    const started = clock.ticks();
    let told = started;
    let files = 0;
    let bytes = 0;
    const sentence = (verb) => {
        const seconds = Math.max(0.001, (clock.ticks() - started) / 1000);
        const megabytes = bytes / 1_000_000;
        return `${doing} ${verb}: ${files} files, ${megabytes.toFixed(1)} MB, ${(megabytes / seconds).toFixed(1)} MB/s.`;
    };
    const tellSometimes = () => {
        if (clock.ticks() - told <= TELL_EVERY)
            return;
        told = clock.ticks();
        log.info(sentence("goes on"));
    };
    return {
        file() {
            files += 1;
            tellSometimes();
        },
        bytes(count) {
            bytes += count;
            tellSometimes();
        },
        finish() {
            if (clock.ticks() - started > TELL_EVERY)
                log.info(sentence("is done"));
            return { files, bytes };
        },
    };
}
/** Asks the machine in a few shell words, before a stream is opened. */
async function askMachine(connection, command, signal, { clock }) {
    const needTar = 'command -v tar >/dev/null 2>&1 || { echo "no tar" >&2; exit 97; }';
    const answer = await execute(connection, `${needTar}; ${command}`, { signal, timeoutMs: 60_000 }, clock);
    if (answer.code === 97)
        throw new lease_failure/* TransferFailure */.ao("There is no 'tar' on the machine, and files travel as a tar archive.", `Install it with 'cloud-init' (packages: [tar]). ${BILLED}`);
    return answer;
}
/** What the machine said on stderr, as the end of a sentence. */
function machineWords(stderr) {
    const words = (0,plain/* plain */.pj)(stderr.trim().split("\n").slice(0, 3).join("; "), 240);
    return words === "" ? "" : `: ${words}`;
}

// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __webpack_require__(3024);
// EXTERNAL MODULE: ./node_modules/tar-stream/index.js
var tar_stream = __webpack_require__(6118);
;// CONCATENATED MODULE: ./build/machine/archive-name.js




/** A hostile machine can put anything into an archive, so whatever leaves the target is refused, not repaired. */
function refuseEntry(name, why) {
    return new lease_failure/* TransferFailure */.ao(`The machine sent '${(0,plain/* plain */.pj)(name, 160)}', which ${why}. It was not written.`, `A download may only contain files, directories and links within itself. ${BILLED}`);
}
/** The parts of an entry's path below the target; none for the target itself. Throws TransferFailure when it leads out of it. */
function readEntryName(name) {
    if (name.includes("\0"))
        throw refuseEntry(name, "contains a NUL character");
    if (name.startsWith("/"))
        throw refuseEntry(name, "is an absolute path");
    const parts = name.split("/").filter((part) => part !== "" && part !== ".");
    if (parts.includes(".."))
        throw refuseEntry(name, "contains '..'");
    // On Windows these would be separators and drives.
    if (process.platform === "win32" && parts.some((part) => /[\\:]/.test(part)))
        throw refuseEntry(name, "cannot be a file name here");
    return parts;
}
/**
 * Throws TransferFailure unless a symlink at `parts` stays inside the target. `..` may stand only at the front: after the name of
 * another symlink it would be resolved from wherever that one leads.
 */
function checkLinkTarget(parts, target) {
    const name = parts.join("/");
    if (target === "" || target.includes("\0"))
        throw refuseEntry(name, "is a symlink to nowhere");
    if (target.startsWith("/") || (process.platform === "win32" && /[\\:]/.test(target)))
        throw refuseEntry(name, `is a symlink to the absolute path '${(0,plain/* plain */.pj)(target, 100)}'`);
    const steps = target.split("/").filter((step) => step !== "" && step !== ".");
    const ups = steps.findIndex((step) => step !== "..");
    const leading = ups === -1 ? steps.length : ups;
    if (steps.slice(leading).includes("..") || leading > parts.length - 1)
        throw refuseEntry(name, `is a symlink that leads out of the download ('${(0,plain/* plain */.pj)(external_node_path_.posix.normalize(target), 100)}')`);
}

;// CONCATENATED MODULE: ./build/machine/unpack.js







const hasCode = (error, code) => error instanceof Error && "code" in error && error.code === code;
function openFresh(path, mode) {
    const flags = external_node_fs_.constants.O_WRONLY | external_node_fs_.constants.O_CREAT | external_node_fs_.constants.O_EXCL;
    // Rights for the owner are kept, so that a later download can replace the file.
    const bits = (mode & 0o777) | 0o600;
    try {
        return (0,external_node_fs_.openSync)(path, flags, bits);
    }
    catch (error) {
        if (!hasCode(error, "EEXIST"))
            throw error;
    }
    // What lies there is replaced, not written into: it may be a symlink.
    (0,external_node_fs_.unlinkSync)(path);
    return (0,external_node_fs_.openSync)(path, flags, bits);
}
// Synchronous: for a small file, the hops to the thread pool would take longer than the writing, and a chunk is small as well.
async function unpack_writeFile(entry, path, progress) {
    const file = openFresh(path, entry.header.mode);
    try {
        for await (const piece of entry) {
            const chunk = asBytes(piece);
            for (let written = 0; written < chunk.length;)
                written += (0,external_node_fs_.writeSync)(file, chunk, written);
            progress.bytes(chunk.length);
        }
    }
    finally {
        (0,external_node_fs_.closeSync)(file);
    }
    progress.file();
}
/** Makes directories below `root`, and refuses to pass through anything else. Remembers what it has looked at. */
function directoryKeeper(root) {
    const known = new Set([""]);
    return async function enter(parts, entryName, mode = 0o777) {
        for (let depth = 1; depth <= parts.length; depth += 1) {
            const below = parts.slice(0, depth).join("/");
            if (known.has(below))
                continue;
            const path = (0,external_node_path_.join)(root, below);
            try {
                await (0,promises_.mkdir)(path, depth === parts.length ? (mode & 0o777) | 0o700 : 0o777);
            }
            catch (error) {
                if (!hasCode(error, "EEXIST"))
                    throw error;
                if (!(await (0,promises_.lstat)(path)).isDirectory())
                    throw refuseEntry(entryName, `leads through '${below}', which is no directory`);
            }
            known.add(below);
        }
    };
}
async function removeOld(path) {
    try {
        await (0,promises_.unlink)(path);
    }
    catch (error) {
        if (!hasCode(error, "ENOENT"))
            throw error;
    }
}
async function unpack(stream, target, progress) {
    const enter = directoryKeeper(target.path);
    let files = 0;
    const place = async (entry) => {
        const { name, type, linkname } = entry.header;
        const isFile = type === "file" || type === "contiguous-file";
        if (target.kind === "file") {
            files += 1;
            if (!isFile || files > 1)
                throw refuseEntry(name, "is not the one file that was asked for");
            return unpack_writeFile(entry, target.path, progress);
        }
        const parts = readEntryName(name);
        const path = (0,external_node_path_.join)(target.path, ...parts);
        if (type === "directory")
            return enter(parts, name, entry.header.mode);
        if (parts.length === 0)
            throw refuseEntry(name, "takes the place of the directory itself");
        if (isFile) {
            await enter(parts.slice(0, -1), name);
            return unpack_writeFile(entry, path, progress);
        }
        if (type === "symlink") {
            checkLinkTarget(parts, linkname ?? "");
            await enter(parts.slice(0, -1), name);
            await removeOld(path);
            return (0,promises_.symlink)(linkname ?? "", path);
        }
        if (type === "link") {
            const source = readEntryName(linkname ?? "");
            const sourcePath = (0,external_node_path_.join)(target.path, ...source);
            await enter(source.slice(0, -1), name);
            if (source.length === 0 || !(await (0,promises_.lstat)(sourcePath)).isFile())
                throw refuseEntry(name, "is a hard link to something that is no file");
            await enter(parts.slice(0, -1), name);
            if (sourcePath === path)
                return;
            await removeOld(path);
            return (0,promises_.link)(sourcePath, path);
        }
        throw refuseEntry(name, `is a ${type ?? "thing of unknown type"}`);
    };
    const extract = (0,tar_stream.extract)();
    let goOn = () => undefined;
    extract.on("drain", () => goOn());
    extract.on("close", () => goOn());
    // Whoever iterates gets its errors; an emitted error without a listener would end the process.
    extract.on("error", () => undefined);
    const feed = async () => {
        for await (const chunk of stream) {
            if (extract.destroyed)
                return;
            if (extract.write(asBytes(chunk)))
                continue;
            await new Promise((resolve) => {
                goOn = resolve;
            });
        }
        extract.end(null);
    };
    const feeding = feed();
    feeding.catch((error) => extract.destroy(error instanceof Error ? error : new Error(String(error))));
    try {
        for await (const entry of extract) {
            await place(entry);
            entry.resume();
        }
    }
    finally {
        extract.destroy(null);
    }
    await feeding;
    if (target.kind === "file" && files === 0)
        throw new lease_failure/* TransferFailure */.ao("The machine sent an archive without the file that was asked for.", "This is a defect of gpu-provision.");
}

;// CONCATENATED MODULE: ./build/machine/download.js







async function isLocalDirectory(path) {
    try {
        return (await (0,promises_.stat)(path)).isDirectory();
    }
    catch {
        // Whatever keeps us from looking at it will be told when we write there.
        return false;
    }
}
async function prepareTarget(transfer, kind) {
    const { from, to } = transfer;
    if (kind === "directory") {
        await (0,promises_.mkdir)(to, { recursive: true });
        return { kind, path: to };
    }
    const path = to.endsWith("/") || (await isLocalDirectory(to)) ? (0,external_node_path_.join)(to, external_node_path_.posix.basename(from)) : to;
    await (0,promises_.mkdir)((0,external_node_path_.dirname)(path), { recursive: true });
    return { kind, path };
}
/** What the machine's tar is to send: a directory's contents, or one file under a name that cannot be an option. */
function archiveCommand(from, kind) {
    if (kind === "directory")
        return `exec tar -c -f - -C ${(0,shell_word/* remotePathWord */.k)(from)} .`;
    const directory = from.includes("/") ? external_node_path_.posix.dirname(from) : "~";
    return `exec tar -c -h -f - -C ${(0,shell_word/* remotePathWord */.k)(directory)} ${(0,shell_word/* shellWord */.r)(`./${external_node_path_.posix.basename(from)}`)}`;
}
/**
 * Fetches a file or a directory as one tar stream. The machine is not trusted: what would be written outside the target is
 * refused. Rejects with TransferFailure, SshFailure or the signal's reason.
 */
async function download(connection, transfer, signal, world) {
    const { from, to } = transfer;
    const progress = followTransfer(`Download of '${(0,plain/* plain */.pj)(from, 100)}'`, world);
    const word = (0,shell_word/* remotePathWord */.k)(from);
    const probe = `if [ -d ${word} ]; then echo directory; elif [ -f ${word} ]; then echo file; else echo none; fi`;
    const kind = (await askMachine(connection, probe, signal, world)).stdout.trim();
    if (kind !== "directory" && kind !== "file")
        throw new lease_failure/* TransferFailure */.ao(`There is no file or directory '${(0,plain/* plain */.pj)(from)}' on the machine.`, `Paths that do not begin with a slash start at the home of the SSH user. ${BILLED}`);
    let process;
    let stderr = "";
    try {
        const target = await prepareTarget(transfer, kind);
        process = await connection.start(archiveCommand(from, kind), signal);
        process.stdin.end();
        process.stderr.on("data", (chunk) => {
            if (stderr.length < 2_000)
                stderr += chunk.toString();
        });
        const failing = process.exited.then(() => new Promise(() => undefined));
        await Promise.race([unpack(process.stdout, target, progress), failing]);
        const exit = await process.exited;
        // GNU tar: 1 means that a file changed while it was read; the archive is whole.
        if (exit.code === 1 && stderr !== "")
            world.log.warn(`While '${(0,plain/* plain */.pj)(from)}' was downloaded, the machine said${machineWords(stderr)}.`);
        else if (exit.code !== 0)
            throw new lease_failure/* TransferFailure */.ao(`The machine could not send '${(0,plain/* plain */.pj)(from)}' (tar ended with ${exit.code ?? exit.signal})${machineWords(stderr)}.`, `May the SSH user read all of it? ${BILLED}`);
        return progress.finish();
    }
    catch (error) {
        if (error instanceof lease_failure/* Failure */.HR || error === signal.reason)
            throw error;
        throw new lease_failure/* TransferFailure */.ao(`'${(0,plain/* plain */.pj)(from)}' could not be downloaded to '${(0,plain/* plain */.pj)(to)}' (${(0,plain/* plain */.pj)((0,lease_failure/* describe */.q0)(error))})${machineWords(stderr)}.`, `Is the local path writable, and its disk large enough? ${BILLED}`, { cause: error });
    }
    finally {
        process?.close();
    }
}

// EXTERNAL MODULE: external "node:os"
var external_node_os_ = __webpack_require__(8161);
;// CONCATENATED MODULE: ./build/machine/launcher.js

/** What the launcher says, after its nonce, on a line of stderr when it cannot start the script. */
const refusals = ["no-temporary-directory", "cut-short", "no-directory", "no-shell"];
/** Where the files of one run lie on the machine. The nonce makes the path unguessable, and mkdir refuses one that exists. */
function runDirectory(nonce) {
    return `/tmp/gpup-${nonce}`;
}
/**
 * Runs on the machine under whatever POSIX shell `sh` is there (dash, busybox, bash). Its arguments are two sizes, a nonce and the
 * script's file extension; everything else comes over stdin: first the file `go`, then the script. Nothing more follows, so stdin
 * then ends exactly when the connection does, however that comes about, and the watcher ends the script's whole process group. What
 * the script leaves running at its own end stays, as in a workflow step: a server for the steps that follow.
 */
const LAUNCHER = `
go_size=$1 script_size=$2 nonce=$3 extension=$4
dir=/tmp/gpup-$nonce
job= watcher= target=

quietly() { "$@" 2>/dev/null; }
refuse() { printf "%s %s\\n" "$nonce" "$1" >&2; exit 125; }
pause() {
  if quietly sleep 0.1; then ticks=$((ticks + 1)); else sleep 1; ticks=$((ticks + 10)); fi
}
linger() {
  ticks=0
  while [ "$ticks" -lt 20 ] && quietly kill -0 "$target"; do pause; done
}
stop() {
  ticks=0
  quietly kill -TERM "$target" || { pause; quietly kill -TERM "$target"; }
  linger
  quietly kill -KILL "$target"
}
clean() {
  [ -z "$watcher" ] || quietly kill -TERM "$watcher"
  rm -rf "$dir"
}

mask=$(umask)
umask 077
quietly mkdir -m 700 "$dir" || refuse no-temporary-directory
trap clean EXIT
trap "exit 143" HUP INT TERM
head -c "$((go_size + script_size))" >"$dir/both" || refuse no-temporary-directory
head -c "$go_size" "$dir/both" >"$dir/go" || refuse no-temporary-directory
tail -c "+$((go_size + 1))" "$dir/both" >"$dir/script$extension" || refuse no-temporary-directory
[ "$(wc -c <"$dir/both")" -eq "$((go_size + script_size))" ] || refuse cut-short
rm -f "$dir/both"
umask "$mask"

exec 3<&0
if command -v setsid >/dev/null 2>&1; then
  setsid sh "$dir/go" </dev/null 3<&- &
  job=$! target=-$!
else
  quietly set -m
  sh "$dir/go" </dev/null 3<&- &
  job=$!
  case $- in *m*) target=-$job ;; *) target=$job ;; esac
  quietly set +m
fi
exec </dev/null >/dev/null 2>&1
trap "stop; exit 143" HUP INT TERM
(
  trap - HUP INT TERM EXIT
  while IFS= read -r line; do :; done
  : >"$dir/stopping"
  stop
  rm -rf "$dir"
) <&3 &
watcher=$!
exec 3<&-
wait "$job"
code=$?
if [ -e "$dir/stopping" ]; then
  wait "$watcher"
  watcher=
fi
exit "$code"
`;
/** The command that starts a script whose two files have these sizes in bytes. It says nothing about what is in them. */
function launchCommand(goSize, scriptSize, nonce, extension) {
    return `exec sh -c ${(0,shell_word/* shellWord */.r)(LAUNCHER)} gpup ${goSize} ${scriptSize} ${nonce} ${(0,shell_word/* shellWord */.r)(extension)}`;
}

// EXTERNAL MODULE: external "node:string_decoder"
var external_node_string_decoder_ = __webpack_require__(6193);
;// CONCATENATED MODULE: ./build/machine/lines.js

/** Characters after which a line without an end is cut. */
const LONGEST_LINE = 65_536;
const isHighSurrogate = (code) => code >= 0xd800 && code <= 0xdbff;
/**
 * Lines end with `\n`, `\r\n` or, as progress bars do it, with a lone `\r`; the nothing before a lone `\r` is no line.
 * UTF-8 that is split across chunks is put together again.
 */
function splitLines(longest = LONGEST_LINE) {
    const decoder = new external_node_string_decoder_.StringDecoder("utf8");
    let rest = "";
    // What the carriage return before the current character ended: that decides what a `\n` after it means.
    let afterReturn = "no";
    const take = (text) => {
        const lines = [];
        let from = 0;
        const ends = /[\r\n]/g;
        const add = (piece) => {
            if (piece !== "")
                afterReturn = "no";
            rest += piece;
            while (rest.length > longest) {
                const cut = isHighSurrogate(rest.charCodeAt(longest - 1)) ? longest - 1 : longest;
                lines.push(rest.slice(0, cut));
                rest = rest.slice(cut);
            }
        };
        for (let end = ends.exec(text); end; end = ends.exec(text)) {
            add(text.slice(from, end.index));
            from = end.index + 1;
            if (end[0] === "\r") {
                if (rest !== "")
                    lines.push(rest);
                afterReturn = rest === "" ? "nothing" : "text";
            }
            else {
                if (afterReturn !== "text")
                    lines.push(rest);
                afterReturn = "no";
            }
            rest = "";
        }
        add(text.slice(from));
        return lines;
    };
    return {
        push: (chunk) => take(decoder.write(chunk)),
        end() {
            const lines = take(decoder.end());
            if (rest !== "")
                lines.push(rest);
            rest = "";
            return lines;
        },
    };
}

;// CONCATENATED MODULE: ./build/machine/run-script.js









/** Thrown when the commands in `run` could not be started on the machine. */
class ScriptFailure extends lease_failure/* Failure */.HR {
    code = "script";
}
const NOTHING_RAN = "None of the commands in 'run' was executed. The machine is deleted; its time until now is billed.";
// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell
function commandLine(shell, scriptPath, refuse) {
    const need = (program) => `command -v ${program} >/dev/null 2>&1 || ${refuse("no-shell")}`;
    switch (shell) {
        case "bash":
            return `${need("bash")}\nexec bash --noprofile --norc -eo pipefail ${scriptPath}`;
        case "sh":
            return `exec sh -e ${scriptPath}`;
        case "python":
            return `if command -v python3 >/dev/null 2>&1; then exec python3 ${scriptPath}; fi\n${need("python")}\nexec python ${scriptPath}`;
        default:
            if (shell.includes("{0}"))
                return shell.replaceAll("{0}", scriptPath);
            throw new ScriptFailure(`The shell '${(0,plain/* plain */.pj)(shell, 80)}' is not one of bash, sh and python and has no {0} for the path of the script.`, NOTHING_RAN);
    }
}
function extensionFor(shell) {
    if (/^python/.test(shell))
        return ".py";
    if (/^(pwsh|powershell)/.test(shell))
        return ".ps1";
    return ".sh";
}
/** The file that enters the working directory, sets the environment and becomes the script's shell. */
function writeGo(script, nonce) {
    const refuse = (why) => `{ printf '%s\\n' '${nonce} ${why}' >&2; exit 125; }`;
    const path = `${runDirectory(nonce)}/script${extensionFor(script.shell)}`;
    return [
        `cd ${(0,shell_word/* remotePathWord */.k)(script.workingDirectory ?? "~")} 2>/dev/null || ${refuse("no-directory")}`,
        ...Object.entries(script.env).map(([name, value]) => `export ${name}=${(0,shell_word/* shellWord */.r)(value)}`),
        commandLine(script.shell, path, refuse),
        "",
    ].join("\n");
}
function run_script_explain(refusal, script) {
    switch (refusal) {
        case "no-directory":
            return new ScriptFailure(`The working directory '${(0,plain/* plain */.pj)(script.workingDirectory ?? "~", 200)}' does not exist on the machine, or may not be entered.`, `${NOTHING_RAN} Paths that do not begin with a slash start at the home of the SSH user; 'upload' creates directories.`);
        case "no-shell":
            return new ScriptFailure(`There is no '${(0,plain/* plain */.pj)(script.shell, 80)}' on the machine.`, `${NOTHING_RAN} Set 'shell: sh', or install it with 'cloud-init'.`);
        case "no-temporary-directory":
            return new ScriptFailure("The script could not be written to /tmp on the machine: it is full, or not writable.", NOTHING_RAN);
        case "cut-short":
            return new ScriptFailure("The script did not reach the machine whole.", NOTHING_RAN);
    }
}
function exitCode(exit) {
    if (exit.code !== null)
        return exit.code;
    const numbers = external_node_os_.constants.signals;
    return 128 + (numbers[exit.signal ?? ""] ?? 0);
}
/**
 * Runs a script on the machine and passes its output on, line by line as it comes. Text and environment travel over the channel's
 * stdin, so no process shows them. Resolves to the exit code, 128 + N when signal N ended it. Rejects with ScriptFailure when it
 * was not started, with SshFailure when the connection is lost, with the signal's reason, and with what the sink throws.
 */
async function runScript(connection, script, sink, signal, clock) {
    const nonce = (0,external_node_crypto_.randomBytes)(16).toString("hex");
    const go = Buffer.from(writeGo(script, nonce));
    const text = Buffer.from(script.text.endsWith("\n") ? script.text : `${script.text}\n`);
    if (go.includes(0) || text.includes(0))
        throw new ScriptFailure("'run', 'env' or 'working-directory' contains a NUL character, which no shell can hold.", NOTHING_RAN);
    let refusal;
    const isRefusal = (line) => {
        if (!line.startsWith(`${nonce} `))
            return false;
        refusal = refusals.find((one) => line === `${nonce} ${one}`);
        return true;
    };
    const progress = { chunks: 0, busy: false };
    const read = async (stream, take) => {
        const splitter = splitLines();
        const pass = async (lines) => {
            progress.chunks += 1;
            for (const line of lines) {
                const taking = take(line);
                if (taking === undefined)
                    continue;
                progress.busy = true;
                await taking;
                progress.busy = false;
            }
        };
        for await (const chunk of stream)
            await pass(splitter.push(asBytes(chunk)));
        await pass(splitter.end());
    };
    const process = await connection.start(launchCommand(go.length, text.length, nonce, extensionFor(script.shell)), signal);
    try {
        // Stdin stays open: its end is how the machine learns that we are gone.
        process.stdin.write(Buffer.concat([go, text]));
        const reading = Promise.all([
            read(process.stdout, (line) => sink.stdout(line)),
            read(process.stderr, (line) => (isRefusal(line) ? undefined : sink.stderr(line))),
        ]);
        const exit = await Promise.race([process.exited, reading.then(() => process.exited)]);
        await settleOutput(reading, progress, process, clock);
        if (refusal)
            throw run_script_explain(refusal, script);
        return exitCode(exit);
    }
    finally {
        process.close();
    }
}

// EXTERNAL MODULE: ./node_modules/ignore/index.js
var ignore = __webpack_require__(298);
var ignore_default = /*#__PURE__*/__webpack_require__.n(ignore);
;// CONCATENATED MODULE: ./build/machine/local-tree.js



/**
 * Everything below `root`, hidden files too, parents before their children and in a steady order. What `ignored` matches stays
 * out, and as in git nothing below an ignored directory is looked at. Symlinks are not followed.
 */
async function* walkTree(root, ignored) {
    const waiting = [""];
    for (let below = waiting.pop(); below !== undefined; below = waiting.pop()) {
        const names = (await (0,promises_.readdir)((0,external_node_path_.join)(root, below))).sort();
        const directories = [];
        for (const own of names) {
            const name = below === "" ? own : `${below}/${own}`;
            const path = (0,external_node_path_.join)(root, name);
            // Synchronous: of ten thousand small files, the hops to the thread pool would cost most of the time.
            const stats = (0,external_node_fs_.lstatSync)(path);
            if (ignored.ignores(stats.isDirectory() ? `${name}/` : name))
                continue;
            if (stats.isDirectory()) {
                yield { kind: "directory", name, stats };
                directories.push(name);
            }
            else if (stats.isFile()) {
                yield { kind: "file", name, path, stats };
            }
            else if (stats.isSymbolicLink()) {
                yield { kind: "symlink", name, target: await (0,promises_.readlink)(path), stats };
            }
            else {
                yield { kind: "other", name };
            }
        }
        waiting.push(...directories.reverse());
    }
}

;// CONCATENATED MODULE: ./build/machine/send-stream.js

const BLOCK = 65_536;
/**
 * Sends a byte stream to a process on the machine, no faster than it takes it, in blocks that are worth an SSH packet. Resolves
 * to true when all is sent, to false when the process has ended or the connection is lost before: `exited` says which.
 */
async function sendStream(process, stream) {
    let over = false;
    let goOn = () => undefined;
    const end = () => {
        over = true;
        goOn();
    };
    process.exited.then(end, end);
    const send = (block) => new Promise((resolve) => {
        goOn = resolve;
        process.stdin.write(block, () => resolve());
    });
    let waiting = [];
    let size = 0;
    for await (const piece of stream) {
        const chunk = asBytes(piece);
        waiting.push(chunk);
        size += chunk.length;
        if (size < BLOCK)
            continue;
        await send(Buffer.concat(waiting));
        if (over)
            return false;
        waiting = [];
        size = 0;
    }
    if (size > 0)
        await send(Buffer.concat(waiting));
    if (!over)
        process.stdin.end();
    return true;
}

;// CONCATENATED MODULE: ./build/machine/upload.js











const CHUNK = 262_144;
const SMALL = 65_536;
function shrank(path) {
    return new lease_failure/* TransferFailure */.ao(`The file '${(0,plain/* plain */.pj)(path)}' became shorter while it was being uploaded.`, `Upload files that nothing writes to. ${BILLED}`);
}
async function readFully(file, buffer, path) {
    for (let filled = 0; filled < buffer.length;) {
        const { bytesRead } = await file.read(buffer, filled, buffer.length - filled);
        if (bytesRead === 0)
            throw shrank(path);
        filled += bytesRead;
    }
}
// Synchronous: for a small file, the hops to the thread pool would take ten times as long as the reading.
function readSmallFile(path) {
    const file = (0,external_node_fs_.openSync)(path, "r");
    try {
        const stats = (0,external_node_fs_.fstatSync)(file);
        const content = Buffer.allocUnsafe(stats.size);
        for (let filled = 0; filled < content.length;) {
            const count = (0,external_node_fs_.readSync)(file, content, filled, content.length - filled, null);
            if (count === 0)
                throw shrank(path);
            filled += count;
        }
        return { stats, content };
    }
    finally {
        (0,external_node_fs_.closeSync)(file);
    }
}
// Owners of the local files mean nothing on the machine; set-user-ID bits have no business there.
function headerOf(name, stats, more) {
    return { name, mode: stats.mode & 0o777, mtime: stats.mtime, uid: 0, gid: 0, ...more };
}
function addEmpty(pack, header) {
    return new Promise((resolve, reject) => {
        pack.entry(header, (error) => (error ? reject(error) : resolve()));
    });
}
async function addLargeFile(pack, name, path, progress) {
    const file = await (0,promises_.open)(path, "r");
    try {
        const stats = await file.stat();
        await new Promise((resolve, reject) => {
            const header = headerOf(name, stats, { type: "file", size: stats.size });
            const entry = pack.entry(header, (error) => (error ? reject(error) : resolve()));
            entry.on("error", reject);
            const feed = async () => {
                for (let left = stats.size; left > 0;) {
                    const buffer = Buffer.allocUnsafe(Math.min(CHUNK, left));
                    await readFully(file, buffer, path);
                    left -= buffer.length;
                    progress.bytes(buffer.length);
                    if (!entry.write(buffer))
                        await new Promise((drained) => entry.once("drain", () => drained()));
                }
                entry.end(null);
            };
            feed().catch(reject);
        });
    }
    finally {
        await file.close();
    }
}
function addSmallFile(pack, name, path, progress) {
    return new Promise((resolve, reject) => {
        const { stats, content } = readSmallFile(path);
        const header = headerOf(name, stats, { type: "file", size: content.length });
        pack.entry(header, content, (error) => (error ? reject(error) : resolve())).on("error", reject);
        progress.bytes(content.length);
    });
}
/** Adds the bytes that the file has at this moment: what is appended later stays behind, and a file that shrinks is refused. */
async function addFile(pack, name, path, stats, progress) {
    await (stats.size <= SMALL ? addSmallFile : addLargeFile)(pack, name, path, progress);
    progress.file();
}
async function addTree(pack, root, patterns, progress) {
    const leftOut = [];
    for await (const entry of walkTree(root, ignore_default()().add([...patterns]))) {
        if (entry.kind === "file")
            await addFile(pack, entry.name, entry.path, entry.stats, progress);
        else if (entry.kind === "directory")
            await addEmpty(pack, headerOf(`${entry.name}/`, entry.stats, { type: "directory" }));
        else if (entry.kind === "symlink")
            await addEmpty(pack, headerOf(entry.name, entry.stats, { type: "symlink", linkname: entry.target }));
        else
            leftOut.push(entry.name);
    }
    return leftOut;
}
/** Where a file goes: into `to` when that is a directory, else it gets that name. */
async function placeFile(connection, from, to, signal, world) {
    if (to.endsWith("/") || to === "~" || to === "." || to === "")
        return { directory: to, name: (0,external_node_path_.basename)(from) };
    const there = await askMachine(connection, `[ -d ${(0,shell_word/* remotePathWord */.k)(to)} ]`, signal, world);
    if (there.code === 0)
        return { directory: to, name: (0,external_node_path_.basename)(from) };
    return { directory: to.includes("/") ? external_node_path_.posix.dirname(to) : "~", name: external_node_path_.posix.basename(to) };
}
async function statLocal(path) {
    try {
        return await (0,promises_.stat)(path);
    }
    catch (error) {
        throw new lease_failure/* TransferFailure */.ao(`'${(0,plain/* plain */.pj)(path)}' cannot be uploaded (${(0,plain/* plain */.pj)((0,lease_failure/* describe */.q0)(error))}).`, `Is the path right, and was the repository checked out in an earlier step? ${BILLED}`, { cause: error });
    }
}
/**
 * Sends a file or a directory as one tar stream, which the machine's own tar unpacks. Directories go whole: hidden files, empty
 * directories, symlinks as symlinks, execute bits. Rejects with TransferFailure, SshFailure or the signal's reason.
 */
async function upload(connection, transfer, patterns, signal, world) {
    const { from, to } = transfer;
    const progress = followTransfer(`Upload of '${(0,plain/* plain */.pj)(from, 100)}'`, world);
    const stats = await statLocal(from);
    const isDirectory = stats.isDirectory();
    const place = isDirectory ? { directory: to, name: "" } : await placeFile(connection, from, to, signal, world);
    const word = (0,shell_word/* remotePathWord */.k)(place.directory);
    const made = await askMachine(connection, `mkdir -p ${word}`, signal, world);
    if (made.code !== 0)
        throw new lease_failure/* TransferFailure */.ao(`The directory '${(0,plain/* plain */.pj)(place.directory)}' cannot be made on the machine${machineWords(made.stderr)}.`, `Choose another path after '->'. ${BILLED}`);
    // -o: files belong to the SSH user, whoever owns them here.
    const process = await connection.start(`exec tar -x -o -f - -C ${word}`, signal);
    const pack = (0,tar_stream.pack)();
    // Whoever reads it gets its errors; an emitted error without a listener would end the process.
    pack.on("error", () => undefined);
    const fill = async () => {
        const leftOut = isDirectory ? await addTree(pack, from, patterns, progress) : [];
        if (!isDirectory)
            await addFile(pack, place.name, from, stats, progress);
        pack.finalize();
        return leftOut;
    };
    const filling = fill();
    filling.catch((error) => pack.destroy(error instanceof Error ? error : new Error(String(error))));
    let stderr = "";
    process.stderr.on("data", (chunk) => {
        if (stderr.length < 2_000)
            stderr += chunk.toString();
    });
    process.stdout.resume();
    const remoteProblem = (how) => new lease_failure/* TransferFailure */.ao(`The machine could not unpack the upload to '${(0,plain/* plain */.pj)(to)}' (${how})${machineWords(stderr)}.`, `Is its disk full, or the path not writable for the SSH user? ${BILLED}`);
    try {
        let sent;
        try {
            sent = await sendStream(process, pack);
        }
        catch (error) {
            // The stream breaks because filling it failed; that error says more.
            await filling;
            throw error;
        }
        const exit = await process.exited;
        if (exit.code !== 0)
            throw remoteProblem(`tar ended with ${exit.code ?? exit.signal}`);
        if (!sent)
            throw remoteProblem("tar ended early");
        const leftOut = await filling;
        if (leftOut.length > 0)
            world.log.warn(`${leftOut.length} sockets, pipes or devices were not uploaded: ${(0,plain/* plain */.pj)(leftOut.slice(0, 5).join(", "), 200)}.`);
        return progress.finish();
    }
    catch (error) {
        if (error instanceof lease_failure/* Failure */.HR || error === signal.reason)
            throw error;
        throw new lease_failure/* TransferFailure */.ao(`'${(0,plain/* plain */.pj)(from)}' could not be uploaded (${(0,plain/* plain */.pj)((0,lease_failure/* describe */.q0)(error))}).`, BILLED, { cause: error });
    }
    finally {
        pack.destroy(null);
        process.close();
        await filling.catch(() => undefined); // told above; here only its open file has to be closed
    }
}

;// CONCATENATED MODULE: ./build/machine/machine-over-ssh.js




/** All that can be done with a machine, over one connection to it. */
function machineOver(connection, world) {
    return {
        hostPublicKey: connection.hostPublicKey,
        lost: connection.lost,
        close: () => connection.close(),
        exec: (command, options = {}) => execute(connection, command, options, world.clock),
        run: (script, sink, signal) => runScript(connection, script, sink, signal, world.clock),
        upload: (transfer, ignore, signal) => upload(connection, transfer, ignore, signal, world),
        download: (transfer, signal) => download(connection, transfer, signal, world),
    };
}

;// CONCATENATED MODULE: ./build/machine/connect.js






const FIRST_PAUSE = 2_000;
const LONGEST_PAUSE = 5_000;
const LONGEST_TRY = 10_000;
const HEARTBEAT = 30_000;
function firstPin(options) {
    if (options.keys.expectedHostKey !== undefined)
        return readPublicKey(options.keys.expectedHostKey);
    if (options.policy === "first-sight")
        return undefined;
    throw new lease_failure/* SshFailure */.dI("A strict connection needs the machine's host key.", "This is a defect of gpu-provision.");
}
/**
 * Logs in to a machine that may still be booting: tries again while it refuses, does not answer, does not know our key yet or
 * shows a foreign host key. Rejects with HostKeyFailure after `foreignKeyLimitMs` of nothing but foreign keys, with SshFailure
 * when the deadline passes otherwise, and with the signal's reason.
 */
async function connect(options) {
    const { address, clock, log, signal, deadline, foreignKeyLimitMs = 180_000, silenceMs = 75_000 } = options;
    (0,machine_address/* checkAddress */.l)(address);
    const where = (0,machine_address/* writeAddress */.o)(address);
    const started = clock.ticks();
    let pinned = firstPin(options);
    let reason = "it was not tried yet";
    let foreignSince;
    let lastWord = started;
    let pause = FIRST_PAUSE;
    while (!deadline.passed()) {
        const tryStarted = clock.ticks();
        const outcome = await dial({
            address,
            privateKey: options.keys.clientPrivateKey,
            expected: pinned,
            timeoutMs: Math.max(1_000, Math.min(LONGEST_TRY, deadline.left())),
            silenceMs,
            signal,
        });
        if (outcome.kind !== "foreign-key" && outcome.seen && !pinned) {
            pinned = outcome.seen;
            log.warn(`The host key of ${where} was taken at first sight: ${fingerprintOf(pinned)}. From now on only this key is accepted; ` +
                "that it is the machine's own could not be checked.");
        }
        const elapsed = clock.ticks() - started;
        if (outcome.kind === "open") {
            log.info(`SSH to ${where} works after ${(0,duration/* formatDuration */.a)(elapsed)}.`);
            return machineOver(outcome.connection, { clock, log });
        }
        if (outcome.kind === "foreign-key") {
            foreignSince ??= tryStarted;
            if (clock.ticks() - foreignSince >= foreignKeyLimitMs)
                throw new lease_failure/* HostKeyFailure */.wf(`The machine at ${where} has shown only foreign host keys for ${(0,duration/* formatDuration */.a)(clock.ticks() - foreignSince)}: ${outcome.reason}.`, "Nothing was sent to it. Someone may stand in between, or the image does not apply the key from cloud-init " +
                    "('host-key: first-sight' accepts such images). The machine is deleted; its time until now is billed.");
        }
        else {
            foreignSince = undefined;
        }
        if (outcome.reason !== reason) {
            log.info(`SSH to ${where}: ${outcome.reason}.`);
            lastWord = clock.ticks();
        }
        else if (clock.ticks() - lastWord >= HEARTBEAT) {
            log.info(`SSH to ${where}: still trying after ${(0,duration/* formatDuration */.a)(elapsed)}; ${outcome.reason}.`);
            lastWord = clock.ticks();
        }
        reason = outcome.reason;
        await clock.sleep(Math.min(pause, deadline.left()), signal);
        pause = Math.min(LONGEST_PAUSE, pause * 1.25);
    }
    throw new lease_failure/* SshFailure */.dI(`SSH to ${where} did not work within ${(0,duration/* formatDuration */.a)(clock.ticks() - started)}: ${reason}.`, "The machine is deleted; its time until now is billed. Raise 'provision-timeout' if this type of machine boots slowly.");
}

// EXTERNAL MODULE: ./build/lease/clock.js + 1 modules
var lease_clock = __webpack_require__(4467);
;// CONCATENATED MODULE: ./build/machine/gpu-names.js
// Words that say who sells a card, how it is mounted or how it is cooled, but not which one it is.
const SAYS_NOTHING = /^(?:nvidia|geforce|quadro|tesla|grid|rtx|gtx|graphics|gpu|gpus|generation|server|workstation|edition|blackwell|sff|fhhl|with|design|max|q|x\d+|sxm\d*|pcie|nvl\d*|hbm\d?e?|gb|mem|memory|\d+g|\d+gi?b|\d+tb)$/;
const GLUED_BRAND = /^(?:nvidia|geforce|quadro|tesla|rtx|gtx)+(?=[a-z0-9])/;
const GLUED_MOUNT = /(?<=\d[a-z]?)(?:sxm\d*|pcie|nvl\d*)$/;
/**
 * What tells one model from another, as one word: `a10` is not `a100`, `l40` is not `l40s`, and "RTX4090", "rtx-4090" and
 * "NVIDIA GeForce RTX 4090" are all `4090`. Empty when nothing of that kind is in the name.
 */
function modelIn(name) {
    const [card = ""] = name.toLowerCase().split(/\bmig\b/);
    return card
        .split(/[^a-z0-9]+/)
        .map((word) => word
        .replace(GLUED_BRAND, "")
        .replace(GLUED_MOUNT, "")
        .replace(/(?<=ada)generation$/, ""))
        .filter((word) => word !== "" && !SAYS_NOTHING.test(word))
        .join("");
}
/**
 * Whether a name that nvidia-smi shows is of the family that was bought (`H100`), or of the canonical type
 * (`nvidia-h100-sxm5-80gb`) where the family is empty. True when neither of them names a model, for then there is nothing to compare.
 */
function isOfFamily(nvidiaSmiName, family, gpuType) {
    const wanted = modelIn(family) || modelIn(gpuType);
    return wanted === "" || modelIn(nvidiaSmiName) === wanted;
}

;// CONCATENATED MODULE: ./build/machine/gpu-check.js





const DRIVER_PATIENCE = 180_000;
const PAUSE = 5_000;
const LONGEST_ANSWER = 30_000;
// A command over SSH gets a bare PATH on many images.
const QUERY = 'PATH="$PATH:/usr/local/nvidia/bin:/usr/local/cuda/bin:/usr/local/bin:/usr/bin:/bin:/usr/lib/wsl/lib" ' +
    "nvidia-smi --query-gpu=index,name,memory.total,driver_version --format=csv,noheader,nounits";
const HINT = "Another offer can be tried. This machine is deleted; its time until now is billed. 'verify-gpu: false' skips this check.";
/** The GPUs in nvidia-smi's CSV; lines of another form, as for MIG devices, are passed over. */
function readGpus(csv) {
    return csv.split("\n").flatMap((line) => {
        const [index = "", name = "", memory = "", driver = ""] = line.split(",").map((field) => (0,plain/* plain */.pj)(field, 80));
        if (!/^\d+$/.test(index) || name === "" || driver === "")
            return [];
        const gpu = { index: Number(index), name, driver };
        return [/^\d+$/.test(memory) ? { ...gpu, memoryMb: Number(memory) } : gpu];
    });
}
function describeGpus(gpus) {
    const counts = new Map();
    for (const { name } of gpus)
        counts.set(name, (counts.get(name) ?? 0) + 1);
    return [...counts].map(([name, count]) => `${count}x ${name}`).join(", ");
}
/** What nvidia-smi says; undefined when it hangs, as it does while some drivers load. */
async function ask(machine, signal) {
    try {
        return await machine.exec(QUERY, { signal, timeoutMs: LONGEST_ANSWER, maxOutput: 65_536 });
    }
    catch (error) {
        if (error instanceof lease_failure/* DeadlineFailure */.$v)
            return undefined;
        throw error;
    }
}
/** Why there is no answer yet, or undefined when the driver answered. */
function whyNotYet(result) {
    if (result === undefined)
        return `nvidia-smi does not answer within ${LONGEST_ANSWER / 1000} s`;
    if (result.code === 0)
        return readGpus(result.stdout).length > 0 ? undefined : "nvidia-smi shows no GPU";
    if (result.code === 127 || result.code === 126)
        return "there is no nvidia-smi command";
    const words = (0,plain/* plain */.pj)(`${result.stdout} ${result.stderr}`, 160);
    return `nvidia-smi ends with ${result.code ?? result.signal}${words === "" ? "" : `: ${words}`}`;
}
/**
 * Looks at the machine's GPUs. While the driver does not answer, it is asked again every 5 s, for 3 minutes at most. Rejects with
 * GpuFailure when it stays silent, or shows fewer GPUs than were bought or others, with SshFailure and with the signal's reason.
 */
async function checkGpus(machine, bought, world) {
    const { clock, log, signal } = world;
    const started = clock.ticks();
    const patience = (0,lease_clock/* earlier */.X)((0,lease_clock/* deadlineAfter */.d8)(clock, DRIVER_PATIENCE), world.deadline);
    const wanted = `${bought.count}x ${(0,plain/* plain */.pj)(bought.family || bought.gpuType, 60)}`;
    let reason;
    for (;;) {
        signal.throwIfAborted();
        const result = await ask(machine, signal);
        const why = whyNotYet(result);
        if (why === undefined && result !== undefined) {
            const gpus = readGpus(result.stdout);
            const right = gpus.filter((gpu) => isOfFamily(gpu.name, bought.family, bought.gpuType));
            if (right.length < bought.count)
                throw new lease_failure/* GpuFailure */.v1(`The machine was sold as ${wanted}, but nvidia-smi shows ${describeGpus(gpus)}.`, HINT);
            log.info(`nvidia-smi shows ${describeGpus(gpus)}, driver ${gpus[0]?.driver}.`);
            return { gpus };
        }
        const elapsed = (0,duration/* formatDuration */.a)(clock.ticks() - started);
        if (patience.passed())
            throw new lease_failure/* GpuFailure */.v1(`The machine was sold as ${wanted}, but after ${elapsed} ${why}.`, HINT);
        if (why !== reason)
            log.info(`The GPU driver is not ready (${why}); asking again every ${PAUSE / 1000} s.`);
        reason = why;
        await clock.sleep(Math.min(PAUSE, patience.left()), signal);
    }
}

;// CONCATENATED MODULE: ./build/machine/keys.js


/** Bytes of an ed25519 public key on the wire: the type's name and the point, each with its length. */
const PUBLIC_KEY_SIZE = 4 + 11 + 4 + 32;
// ssh2 1.17 strips leading zero bytes from the point (lib/keygen.js), which spoils one pair in 256: OpenSSH reads neither half.
// Such a pair is thrown away.
function makeKeyPair(comment) {
    for (;;) {
        const pair = lib_default().utils.generateKeyPairSync("ed25519", { comment });
        const { raw } = readPublicKey(pair.public);
        if (raw.length === PUBLIC_KEY_SIZE)
            return { privateKey: pair.private, publicKey: pair.public };
    }
}
/** Fresh keys for one lease. The comment is shown to whoever lists the keys on the machine. */
function makeLeaseKeys(comment) {
    return { client: makeKeyPair(comment), host: makeKeyPair(comment) };
}

;// CONCATENATED MODULE: ./build/machine/ssh-files.js






// Post removes these files, and must load no SSH library for it: keep this file to node's own modules.
const KEY = "id_ed25519";
const KNOWN_HOSTS = "known_hosts";
const CONFIG = "config";
/** The name by which the following steps reach the machine: `ssh -F <config> gpu`. */
const ALIAS = "gpu";
// OpenSSH takes forward slashes on Windows too, and there a backslash means something else to every shell.
const slashed = (path) => (external_node_path_.sep === "\\" ? path.replaceAll("\\", "/") : path);
// ssh_config: double quotes hold spaces, `%` begins a token and `${` a variable in paths.
function quoteForConfig(path) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a line break would begin a directive of its own
    if (/["\u0000-\u001f]|\$\{/.test(path))
        throw new lease_failure/* SshFailure */.dI(`The path '${path}' cannot stand in an ssh configuration.`, "Set the runner's work directory to a path without quotes and line breaks.");
    return `"${slashed(path).replaceAll("\\", "\\\\").replaceAll("%", "%%")}"`;
}
/**
 * Writes what the following steps need to reach the machine: a directory (0700) with a private key, a pinned host key and a
 * configuration (0600 each). Throws SshFailure when the address is not one, and the system's error when a file is already there.
 */
function writeSshFiles(options) {
    const { directory, address } = options;
    (0,machine_address/* checkAddress */.l)(address);
    const hostKey = readPublicKey(options.hostPublicKey);
    const keyPath = (0,external_node_path_.join)(directory, KEY);
    const configPath = (0,external_node_path_.join)(directory, CONFIG);
    const knownHostsPath = (0,external_node_path_.join)(directory, KNOWN_HOSTS);
    const knownAs = address.port === 22 ? address.host : `[${address.host}]:${address.port}`;
    const config = [
        `Host ${ALIAS}`,
        `  HostName ${address.host}`,
        `  Port ${address.port}`,
        `  User ${address.user}`,
        `  IdentityFile ${quoteForConfig(keyPath)}`,
        "  IdentitiesOnly yes",
        `  UserKnownHostsFile ${quoteForConfig(knownHostsPath)}`,
        "  GlobalKnownHostsFile none",
        "  StrictHostKeyChecking yes",
        "  UpdateHostKeys no",
        `  HostKeyAlgorithms ${signaturesOf(hostKey.type).join(",")}`,
        "  BatchMode yes",
        "  ConnectTimeout 15",
        "  ServerAliveInterval 15",
        "  LogLevel ERROR",
        "  ForwardAgent no",
        "  ControlMaster no",
        "  ControlPath none",
        "",
    ].join("\n");
    (0,external_node_fs_.mkdirSync)(directory, { recursive: true, mode: 0o700 });
    // An existing directory keeps its mode, and the umask may have taken bits away.
    (0,external_node_fs_.chmodSync)(directory, 0o700);
    const keep = { mode: 0o600, flag: "wx" };
    (0,external_node_fs_.writeFileSync)(keyPath, options.clientPrivateKey, keep);
    (0,external_node_fs_.writeFileSync)(knownHostsPath, `${knownAs} ${writePublicKey(hostKey)}\n`, keep);
    (0,external_node_fs_.writeFileSync)(configPath, config, keep);
    return { keyPath, configPath, knownHostsPath, command: `ssh -F ${(0,shell_word/* shellWord */.r)(slashed(configPath))} ${ALIAS}` };
}
function ssh_files_hasCode(error, ...codes) {
    return error instanceof Error && "code" in error && codes.includes(String(error.code));
}
/** Removes what `writeSshFiles` made in this directory, and the directory when nothing else is in it. Absence is no error. */
function removeSshFiles(directory) {
    for (const name of [KEY, KNOWN_HOSTS, CONFIG]) {
        try {
            unlinkSync(join(directory, name));
        }
        catch (error) {
            // Main may have failed before it wrote this one.
            if (!ssh_files_hasCode(error, "ENOENT", "ENOTDIR"))
                throw error;
        }
    }
    try {
        rmdirSync(directory);
    }
    catch (error) {
        // Gone already, or someone keeps files of their own in it, which are not ours to remove.
        if (!ssh_files_hasCode(error, "ENOENT", "ENOTDIR", "ENOTEMPTY", "EEXIST"))
            throw error;
    }
}

;// CONCATENATED MODULE: ./build/machine/kit.js
/** All that a purchase needs of this folder, as one chunk that main loads when it buys and post never does. */








/***/ })

};
;