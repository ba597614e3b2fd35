"use strict";
exports.id = 896;
exports.ids = [896];
exports.modules = {

/***/ 7896:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  checkUserScript: () => (/* binding */ checkUserScript),
  W: () => (/* binding */ composeCloudInit)
});

// UNUSED EXPORTS: MAX_CLOUD_INIT_BYTES

// EXTERNAL MODULE: ./build/lease/failure.js
var failure = __webpack_require__(4540);
// EXTERNAL MODULE: ./build/machine/shell-word.js
var shell_word = __webpack_require__(3812);
;// CONCATENATED MODULE: ./build/machine/cloud-init-admit.js

/** Where our files lie on the machine; only root may look into it. */
const LEASE_DIRECTORY = "/var/lib/gpu-provision";
const ADMIT = `"\${GPU_PROVISION_ROOT-}${LEASE_DIRECTORY}/admit.sh"`;
/** The command that runs the boot script once more, for whatever changed keys in the meantime. */
const admitAgain = `sh ${ADMIT}`;
/**
 * The command that leaves the boot script on the machine and runs it. The script comes as a here-document, for arguments
 * of a process can be read by everyone on the machine and it holds the private key.
 */
function admitAtBoot(ours) {
    return `(umask 077; mkdir -p "\${GPU_PROVISION_ROOT-}${LEASE_DIRECTORY}"; cat >${ADMIT}) <<'GPU_PROVISION_END'
${writeAdmitScript(ours)}GPU_PROVISION_END
${admitAgain}
`;
}
/**
 * The boot script: it makes sshd serve our host key and root admit our client, and changes nothing when both is so.
 * Some images serve a key of their own before cloud-init runs, or change keys while it does. `GPU_PROVISION_ROOT` is empty
 * on a machine; with it the same script works on a directory.
 */
function writeAdmitScript(ours) {
    return `#!/bin/sh
# gpu-provision: this lease's host key for sshd, and this lease's client key for root.
umask 077
PATH=$PATH:/usr/sbin:/sbin
ROOT=\${GPU_PROVISION_ROOT-}
host_private=${(0,shell_word/* shellWord */.r)(ours.hostKey.privateKey.trim())}
host_public=${(0,shell_word/* shellWord */.r)(ours.hostKey.publicKey.trim())}
client=${(0,shell_word/* shellWord */.r)(ours.clientPublicKey.trim())}
${SCRIPT_BODY}`;
}
const SCRIPT_BODY = String.raw `ssh=$ROOT/etc/ssh
key=$ssh/ssh_host_ed25519_key
changed=
failed=

# Writes stdin to a file for root only, in one step, unless the file is so already.
put() {
  if ! { rm -f "$1.new" && cat >"$1.new"; }; then
    echo "gpu-provision: cannot write $1" >&2
    failed=yes
    return
  fi
  case $(ls -ld "$1" 2>/dev/null) in
    -rw-------*)
      if [ "$(cat "$1"; echo .)" = "$(cat "$1.new"; echo .)" ]; then
        rm -f "$1.new"
        return
      fi
      ;;
  esac
  if ! mv -f "$1.new" "$1"; then
    echo "gpu-provision: cannot replace $1" >&2
    failed=yes
    return
  fi
  if command -v restorecon >/dev/null 2>&1; then restorecon "$1"; fi
  changed=yes
}

# What sshd has been told. When sshd cannot say (without any host key it refuses), its files are read instead.
settings() {
  if [ -n "$ROOT" ]; then set -- -f "$ssh/sshd_config"; fi
  sshd -T "$@" 2>/dev/null && return
  if grep -Eiq '^[[:space:]]*Include[[:space:]].*sshd_config\.d' "$ssh/sshd_config" 2>/dev/null; then
    cat "$ssh"/sshd_config.d/*.conf 2>/dev/null
  fi
  cat "$ssh/sshd_config" 2>/dev/null
}

# The lines that sshd_config lacks.
missing() {
  told=$(settings)
  keys=$(printf '%s\n' "$told" | grep -Ei '^[[:space:]]*HostKey[[:space:]=]')
  if [ -n "$keys" ] && ! printf '%s\n' "$keys" | grep -Eq "[[:space:]=\"]$key(\$|[[:space:]\"])"; then
    echo "HostKey $key"
  fi
  if printf '%s\n' "$told" | grep -Ei '^[[:space:]]*PermitRootLogin[[:space:]=]' | head -n 1 |
    grep -Eiq '(no|forced-commands-only)[[:space:]]*$'; then
    echo 'PermitRootLogin prohibit-password'
  fi
}

# Only an sshd that runs. Waiting for systemd here would wait for the boot that waits for us.
restart_sshd() {
  if [ -d "$ROOT/run/systemd/system" ]; then
    for unit in ssh.service sshd.service; do
      systemctl --no-block try-restart "$unit" 2>/dev/null
    done
    return
  fi
  pid=$(cat "$ROOT/run/sshd.pid" 2>/dev/null)
  case $(cat "/proc/$pid/comm" 2>/dev/null) in
    sshd*)
      kill -HUP "$pid"
      return
      ;;
  esac
  for name in ssh sshd; do
    if service "$name" status >/dev/null 2>&1; then service "$name" restart; fi
  done
}

(umask 022; mkdir -p "$ssh")
put "$key" <<EOF
$host_private
EOF
put "$key.pub" <<EOF
$host_public
EOF

if command -v sshd >/dev/null 2>&1; then
  # Debian's sshd answers nothing while this directory is missing, which it is until sshd's first start.
  (umask 022; mkdir -p "$ROOT/run/sshd")
  # First the drop-in; sshd_config itself where drop-ins are not read. The first value of a setting counts.
  for file in "$ssh/sshd_config.d/00-gpu-provision.conf" "$ssh/sshd_config"; do
    lines=$(missing)
    if [ -z "$lines" ]; then break; fi
    if [ ! -d "$(dirname "$file")" ]; then continue; fi
    put "$file" <<EOF
$(printf '%s\n' "$lines"; cat "$file" 2>/dev/null)
EOF
  done
fi

if [ -n "$changed" ]; then restart_sshd; fi

# sshd takes the first line with a key, so one with a forced command would win over ours.
keys=$ROOT/root/.ssh/authorized_keys
blob=$(printf '%s\n' "$client" | cut -d ' ' -f 2)
mkdir -p "$ROOT/root/.ssh"
if [ "$(grep -F "$blob" "$keys" 2>/dev/null)" != "$client" ]; then
  put "$keys" <<EOF
$(grep -vF "$blob" "$keys" 2>/dev/null; printf '%s\n' "$client")
EOF
fi

[ -z "$failed" ]
`;

// EXTERNAL MODULE: ./node_modules/yaml/dist/index.js
var dist = __webpack_require__(8815);
// EXTERNAL MODULE: ./build/lease/plain.js
var plain = __webpack_require__(2042);
;// CONCATENATED MODULE: ./build/machine/cloud-init-expand.js

/** YAML that PyYAML would not load: with it, cloud-init drops the whole document, our part included. */
class UnreadableYaml extends Error {
    /** Characters from the start of the text. */
    offset;
    constructor(message, node) {
        super(message);
        this.offset = (0,dist/* isNode */.Ll)(node) ? (node.range?.[0] ?? 0) : 0;
    }
}
/** More values than this have no room in a document of 64,000 bytes. */
const MOST_VALUES = 64_000;
/**
 * The same content without anchors, aliases, merge keys and comments, so that parts of it can be moved and joined. Scalars
 * keep their spelling, quotes and tags. `root` comes from a document of the failsafe schema. Throws UnreadableYaml.
 */
function expandCloudConfig(root) {
    if (root === null || ((0,dist/* isScalar */.jn)(root) && isNull(root)))
        return new dist/* YAMLMap */.CA();
    return expand(root, { anchors: new Map(), weights: new Map() });
}
/** Whether PyYAML reads a null. */
function isNull(scalar) {
    return isUntaggedPlain(scalar) && /^(?:~|null|Null|NULL|)$/.test(String(scalar.value));
}
/** Whether a scalar's meaning comes from its spelling alone. */
function isUntaggedPlain(scalar) {
    return scalar.type === dist/* Scalar */.X5.PLAIN && scalar.tag === undefined;
}
function expand(node, expansion) {
    if ((0,dist/* isAlias */.Vj)(node)) {
        const target = expansion.anchors.get(node.source);
        if (!target)
            throw new UnreadableYaml(`'*${node.source}' refers to nothing that is complete before it`, node);
        return target;
    }
    if (!(0,dist/* isNode */.Ll)(node))
        return plainNull();
    const expanded = expandCollection(node, expansion) ?? copyScalar(node);
    if (node.anchor !== undefined)
        expansion.anchors.set(node.anchor, expanded);
    return expanded;
}
function expandCollection(node, expansion) {
    const collection = (0,dist/* isMap */.jh)(node) ? expandMap(node, expansion) : (0,dist/* isSeq */.oP)(node) ? expandSequence(node, expansion) : undefined;
    if (!collection)
        return undefined;
    const children = (0,dist/* isMap */.jh)(collection) ? collection.items.flatMap((pair) => [pair.key, pair.value]) : collection.items;
    const weight = children.reduce((sum, child) => sum + ((0,dist/* isNode */.Ll)(child) ? (expansion.weights.get(child) ?? 1) : 1), 1);
    if (weight > MOST_VALUES)
        throw new UnreadableYaml("its aliases stand for more than has room in the document", node);
    expansion.weights.set(collection, weight);
    return collection;
}
function expandSequence(sequence, expansion) {
    refuseForeignTag(sequence);
    const expanded = new dist/* YAMLSeq */.Rw();
    expanded.items = sequence.items.map((item) => expand(item, expansion));
    return expanded;
}
function expandMap(map, expansion) {
    refuseForeignTag(map);
    const inherited = [];
    const own = [];
    for (const pair of map.items) {
        if ((0,dist/* isScalar */.jn)(pair.key) && isUntaggedPlain(pair.key) && pair.key.value === "<<") {
            inherited.push(...readMerged(expand(pair.value, expansion), pair.value));
            continue;
        }
        const key = expand(pair.key, expansion);
        if (!(0,dist/* isScalar */.jn)(key))
            throw new UnreadableYaml("a key must be a plain value, not a list or a map", pair.key);
        own.push(new dist/* Pair */.Rm(key, expand(pair.value, expansion)));
    }
    // The later one counts, and the map's own after all that it inherits.
    const byKey = new Map([...inherited, ...own].map((pair) => [String(pair.key.value), pair]));
    const expanded = new dist/* YAMLMap */.CA();
    expanded.items = [...byKey.values()];
    return expanded;
}
/** The pairs that `<<` brings: from a map, or from a list of maps of which the first one counts. */
function readMerged(value, origin) {
    const maps = (0,dist/* isSeq */.oP)(value) ? value.items.toReversed() : [value];
    return maps.flatMap((map) => {
        if (!(0,dist/* isMap */.jh)(map))
            throw new UnreadableYaml("'<<' takes a map or a list of maps", origin);
        return map.items;
    });
}
// PyYAML takes these for ends of lines, or not at all, unless they stand in quotes as an escape.
const NEEDS_ESCAPE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/;
function copyScalar(node) {
    if (!(0,dist/* isScalar */.jn)(node))
        return plainNull();
    refuseForeignTag(node);
    const text = String(node.value);
    if (isUntaggedPlain(node)) {
        if (text === "")
            return plainNull();
        refuseUnreadable(text, node);
    }
    const copy = new dist/* Scalar */.X5(text);
    const quoted = NEEDS_ESCAPE.test(text) || (node.type === dist/* Scalar */.X5.PLAIN && text.includes("\t"));
    copy.type = quoted ? dist/* Scalar */.X5.QUOTE_DOUBLE : (node.type ?? dist/* Scalar */.X5.QUOTE_DOUBLE);
    if (node.tag !== undefined)
        copy.tag = node.tag;
    return copy;
}
function plainNull() {
    const scalar = new dist/* Scalar */.X5("null");
    scalar.type = dist/* Scalar */.X5.PLAIN;
    return scalar;
}
const KNOWN_TAGS = ["str", "binary", "int", "float", "bool", "null", "map", "seq"].map((name) => `tag:yaml.org,2002:${name}`);
function refuseForeignTag(node) {
    if (node.tag !== undefined && !KNOWN_TAGS.includes(node.tag))
        throw new UnreadableYaml(`the tag '${node.tag}' is not one that it knows`, node);
}
const TIMESTAMP = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:(?:[Tt]|[ \t]+)(\d{1,2}):(\d{2}):(\d{2})(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d{1,2}(?::\d{2})?))?)?$/;
// PyYAML gives these spellings a meaning that its safe loader cannot make a value of.
function refuseUnreadable(text, node) {
    if (text === "=" || text === "<<")
        throw new UnreadableYaml(`a bare '${text}' has to be put in quotes`, node);
    const parts = TIMESTAMP.exec(text)
        ?.slice(1)
        .map((part) => Number(part ?? 0));
    if (!parts)
        return;
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
    const lastDay = new Date(Date.UTC(year, month, 0)).getUTCDate();
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > lastDay || hour > 23 || minute > 59 || second > 59)
        throw new UnreadableYaml("this looks like a date and is none; put it in quotes", node);
}

;// CONCATENATED MODULE: ./build/machine/cloud-init-merge.js



/**
 * Joins our part with the user's, key by key: maps are merged, the user's lists come after ours, equal values and nulls of
 * the user's are fine. Anything else is a flaw. `theirs` is without aliases.
 */
function mergeCloudConfig(ours, theirs = new dist/* YAMLMap */.CA()) {
    const flaws = [];
    const content = merge(toNode(ours), theirs, [], flaws);
    return { content, flaws };
}
/** The document as text, `#cloud-config` in its first line. */
function writeCloudConfig(content) {
    const document = new dist/* Document */.yo(content, { schema: "failsafe", version: "1.1" });
    const body = document.toString({ lineWidth: 0 });
    // These stand only in double quotes here, where the library leaves them as they are.
    return `#cloud-config\n${body.replace(/[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g, escapeCharacter)}`;
}
function escapeCharacter(character) {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
function merge(ours, theirs, path, flaws) {
    if ((0,dist/* isMap */.jh)(ours) && (0,dist/* isMap */.jh)(theirs))
        return mergeMaps(ours, theirs, path, flaws);
    if ((0,dist/* isSeq */.oP)(ours) && (0,dist/* isSeq */.oP)(theirs)) {
        const joined = new dist/* YAMLSeq */.Rw();
        joined.items = [...ours.items, ...theirs.items];
        return joined;
    }
    if ((0,dist/* isScalar */.jn)(theirs) && (isNull(theirs) || ((0,dist/* isScalar */.jn)(ours) && saysTheSame(ours, theirs))))
        return ours;
    flaws.push(describeConflict(path, ours));
    return ours;
}
function mergeMaps(ours, theirs, path, flaws) {
    const named = (pairs) => new Map(pairs.map((pair) => [String(pair.key.value), pair.value]));
    const [own, foreign] = [named(ours.items), named(theirs.items)];
    const merged = new dist/* YAMLMap */.CA();
    merged.items = [
        ...ours.items.map((pair) => {
            const name = String(pair.key.value);
            const other = foreign.get(name);
            return pair.value && other ? new dist/* Pair */.Rm(pair.key, merge(pair.value, other, [...path, name], flaws)) : pair;
        }),
        ...theirs.items.filter((pair) => !own.has(String(pair.key.value))),
    ];
    return merged;
}
const BOOLEANS = [
    [/^(?:yes|Yes|YES|true|True|TRUE|on|On|ON)$/, true],
    [/^(?:no|No|NO|false|False|FALSE|off|Off|OFF)$/, false],
];
function saysTheSame(one, other) {
    return readScalar(one) === readScalar(other);
}
function readScalar(scalar) {
    const text = String(scalar.value);
    const found = isUntaggedPlain(scalar) ? BOOLEANS.find(([spelling]) => spelling.test(text)) : undefined;
    return found ? found[1] : text;
}
const REASONS = {
    disable_root: "gpu-provision logs in as root, so this has to be false",
    ssh_pwauth: "the machine stands in the open internet, so this has to be false",
    ssh_deletekeys: "host keys that the image came with must not be served, so this has to be true",
    "ssh_keys.ed25519_private": "the machine is known by the host key that gpu-provision makes for it",
    "ssh_keys.ed25519_public": "the machine is known by the host key that gpu-provision makes for it",
};
function describeConflict(path, ours) {
    const key = path.join(".");
    const shape = (0,dist/* isMap */.jh)(ours) ? "a map" : "a list";
    const reason = REASONS[key];
    if (reason)
        return `it sets '${key}', which fights gpu-provision's own: ${reason}. Remove it.`;
    return `it sets '${(0,plain/* plain */.pj)(key)}' to something that cannot be merged with gpu-provision's own: make it ${shape}.`;
}
function toNode(value) {
    if (typeof value === "string" || typeof value === "boolean")
        return toScalar(value);
    if (isList(value)) {
        const sequence = new dist/* YAMLSeq */.Rw();
        sequence.items = value.map(toNode);
        return sequence;
    }
    const map = new dist/* YAMLMap */.CA();
    map.items = Object.entries(value).map(([key, inner]) => new dist/* Pair */.Rm(toScalar(key, dist/* Scalar */.X5.PLAIN), toNode(inner)));
    return map;
}
// Array.isArray does not narrow readonly arrays.
function isList(value) {
    return Array.isArray(value);
}
function toScalar(value, type) {
    const scalar = new dist/* Scalar */.X5(String(value));
    if (type)
        scalar.type = type;
    else if (typeof value === "boolean")
        scalar.type = dist/* Scalar */.X5.PLAIN;
    else
        scalar.type = value.includes("\n") ? dist/* Scalar */.X5.BLOCK_LITERAL : dist/* Scalar */.X5.QUOTE_DOUBLE;
    return scalar;
}

;// CONCATENATED MODULE: ./build/machine/cloud-init-read.js



// How other user data begins: https://docs.cloud-init.io/en/latest/explanation/format.html
const OTHER_FORMATS = [
    ["#cloud-config-archive", "it is a cloud-config archive, which cannot be merged; put its parts into one '#cloud-config'"],
    ["#cloud-config-jsonp", "it is a JSON patch, which cannot be merged; write a '#cloud-config'"],
    ["#cloud-boothook", "it is a boothook, which cannot be merged; put its commands under 'bootcmd' of a '#cloud-config'"],
    ["#part-handler", "it is a part handler, which the marketplace does not take; write a '#cloud-config' or a '#!' script"],
    ["#include", "it includes other files by address, which cannot be checked here; write their content into a '#cloud-config'"],
    ["## template:", "it is a template that the machine fills in, so it cannot be merged here; write its values out"],
    ["content-type:", "it is a MIME message, which the marketplace does not take; write one '#cloud-config'"],
    ["mime-version:", "it is a MIME message, which the marketplace does not take; write one '#cloud-config'"],
    ["\u001f", "it is compressed; give it as text"],
];
function readUserScript(given) {
    const text = given.replace(/^\ufeff/, "");
    const start = text.trimStart();
    const other = OTHER_FORMATS.find(([beginning]) => start.toLowerCase().startsWith(beginning));
    if (other)
        return refuse(`${other[1]}.`);
    if (start.startsWith("#!"))
        return readShebang(start);
    if (/^#cloud-config(?:\s|$)/.test(start))
        return readCloudConfig(text.replace(/\r\n?/g, "\n"));
    return refuse("it must begin with '#cloud-config' or with '#!' and the path of an interpreter.");
}
function readShebang(text) {
    const [line = ""] = text.split("\n", 1);
    if (line.endsWith("\r"))
        return refuse("its '#!' line ends with CR LF, so the interpreter would not be found; save it with LF line ends.");
    if (!/^#![ \t]*\/\S/.test(line))
        return refuse(`it begins with '${(0,plain/* plain */.pj)(line, 60)}'; after '#!' it needs the path of an interpreter, as in '#!/bin/bash'.`);
    return { kind: "script", text };
}
// PyYAML, which reads it on the machine, refuses some of these, takes others for the end of a line, and skips the byte order mark.
const UNPRINTABLE = /[^\t\n -~\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]/u;
function readCloudConfig(text) {
    const lines = new dist/* LineCounter */.HN();
    const at = (offset) => {
        const { line, col } = lines.linePos(offset);
        return `line ${line}, column ${col}`;
    };
    // With the failsafe schema every plain scalar stays as it is written (`0644`, `yes`, `1e3`), for it is cloud-init that
    // gives it a meaning. Pretty errors would quote the text, which may hold a secret.
    const document = (0,dist/* parseDocument */.Tp)(text, {
        schema: "failsafe",
        version: "1.1",
        lineCounter: lines,
        prettyErrors: false,
        logLevel: "error",
        uniqueKeys: (one, other) => (0,dist/* isScalar */.jn)(one) && (0,dist/* isScalar */.jn)(other) && one.value === other.value && one.value !== "<<",
    });
    const unprintable = UNPRINTABLE.exec(text);
    if (unprintable)
        return refuse(`it has the character U+${hex(unprintable[0])} at ${at(unprintable.index)}, which YAML does not take; write it as an escape.`);
    if (document.errors.length > 0)
        return {
            kind: "refused",
            flaws: document.errors.map((error) => `it is not YAML that can be read, at ${at(error.pos[0])}: ${explain(error)}`),
        };
    try {
        const content = expandCloudConfig(document.contents);
        if ((0,dist/* isMap */.jh)(content))
            return { kind: "cloud-config", content };
        return refuse("it is not a map at its top level; a '#cloud-config' has lines such as 'packages: [git]'.");
    }
    catch (error) {
        // Only what the user wrote is answered with a flaw; anything else is a defect.
        if (!(error instanceof UnreadableYaml))
            throw error;
        return refuse(`cloud-init would not read it, at ${at(error.offset)}: ${(0,plain/* plain */.pj)(error.message)}`);
    }
}
function explain(error) {
    return error.code === "MULTIPLE_DOCS" ? "it has to be one document" : (0,plain/* plain */.pj)(error.message);
}
function hex(character) {
    return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
}
function refuse(flaw) {
    return { kind: "refused", flaws: [flaw] };
}

;// CONCATENATED MODULE: ./build/machine/cloud-init-script.js

const SCRIPT = `${LEASE_DIRECTORY}/user-script`;
const LOG = "/var/log/gpu-provision-user-script.log";
/**
 * A `#!` script as a file and the command that runs it. Its output goes to a log that root may read, its exit code to a
 * file; a failed script makes `cloud-init status` an error, as it does when cloud-init is given the script alone.
 */
function carryScript(text) {
    return {
        writeFiles: [{ path: SCRIPT, encoding: "b64", content: Buffer.from(text).toString("base64"), permissions: "0700" }],
        runcmd: [
            `(
  script="\${GPU_PROVISION_ROOT-}${SCRIPT}"
  log="\${GPU_PROVISION_ROOT-}${LOG}"
  (umask 077; : >"$log")
  "$script" >>"$log" 2>&1 </dev/null
  code=$?
  echo "$code" >"$script.exit"
  echo "gpu-provision: the script of the cloud-init input ended with exit code $code; its output is in $log"
  exit "$code"
)
`,
        ],
    };
}

;// CONCATENATED MODULE: ./build/machine/cloud-init.js





/**
 * Largest document, in bytes of UTF-8. Compute Clear says "64KB" and leaves open whether it counts bytes or characters,
 * to 64,000 or to 65,536; this is the smallest reading.
 */
const MAX_CLOUD_INIT_BYTES = 64_000;
/**
 * One `#cloud-config` document with our part and the user's; commands and files of ours stand before theirs.
 * It holds the private host key, so it is a secret. Throws InputFailure when the user's script cannot be read, fights
 * ours, or makes the document larger than MAX_CLOUD_INIT_BYTES.
 */
function composeCloudInit(ours, userScript = "#cloud-config") {
    const { document, flaws } = compose(ours, userScript);
    if (flaws.length > 0)
        throw new failure/* InputFailure */.RP(flaws.map((flaw) => `'cloud-init' cannot be used: ${flaw}`));
    return document;
}
/**
 * What is wrong with a user's script, for a sentence that has named the input already; empty when it can be carried. It is
 * composed with keys at least as long as real ones, and with `parts` of that kind, so that whatever would be refused shows before anything is bought.
 */
function checkUserScript(userScript, parts = []) {
    return compose({ ...SAMPLE, parts }, userScript).flaws;
}
function compose(ours, userScript) {
    const user = readUserScript(userScript);
    if (user.kind === "refused")
        return { document: "", flaws: user.flaws };
    if (user.kind === "script") {
        const document = writeCloudConfig(mergeCloudConfig(describeOurs(ours, [carryScript(user.text)])).content);
        const length = Buffer.byteLength(user.text);
        const around = Buffer.byteLength(document) - 4 * Math.ceil(length / 3);
        return { document, flaws: measure(document, length, Math.floor((MAX_CLOUD_INIT_BYTES - around) / 4) * 3) };
    }
    const own = describeOurs(ours);
    const { content, flaws } = mergeCloudConfig(own, user.content);
    if (flaws.length > 0)
        return { document: "", flaws };
    const document = writeCloudConfig(content);
    const around = Buffer.byteLength(writeCloudConfig(mergeCloudConfig(own).content));
    return { document, flaws: measure(document, Buffer.byteLength(document) - around, MAX_CLOUD_INIT_BYTES - around) };
}
/** The flaw of a document that is too large. `taken` and `room` are the user's, in bytes. */
function measure(document, taken, room) {
    const size = Buffer.byteLength(document);
    if (size <= MAX_CLOUD_INIT_BYTES)
        return [];
    const count = (bytes) => Math.max(0, bytes).toLocaleString("en-US");
    return [
        `it is too large: with the part of gpu-provision the document has ${count(size)} bytes, and the marketplace takes ` +
            `${count(MAX_CLOUD_INIT_BYTES)}. Your script takes ${count(taken)} bytes, and there is room for ${count(room)}. ` +
            "Let it download what is large, or use 'upload'.",
    ];
}
const SAMPLE = {
    hostKey: { privateKey: `${"A".repeat(70)}\n`.repeat(7), publicKey: `ssh-ed25519 ${"A".repeat(120)}` },
    clientPublicKey: `ssh-ed25519 ${"A".repeat(120)}`,
};
// Without `disable_root: false` and `ssh_deletekeys: true` cloud-init puts a command before root's keys, and leaves host
// keys of the image: https://docs.cloud-init.io/en/latest/reference/modules.html#ssh
function describeOurs(ours, more = []) {
    const parts = [...(ours.parts ?? []), ...more];
    const files = parts.flatMap((part) => part.writeFiles ?? []);
    return {
        disable_root: false,
        ssh_pwauth: false,
        ssh_deletekeys: true,
        // Both end in a newline as the files do that the boot script writes; else every boot would find them changed.
        ssh_keys: { ed25519_private: `${ours.hostKey.privateKey.trim()}\n`, ed25519_public: `${ours.hostKey.publicKey.trim()}\n` },
        bootcmd: [admitAtBoot(ours), ...parts.flatMap((part) => part.bootcmd ?? [])],
        ...(files.length > 0 ? { write_files: files.map((file) => ({ owner: "root:root", ...file })) } : {}),
        runcmd: [admitAgain, ...parts.flatMap((part) => part.runcmd ?? [])],
    };
}


/***/ }),

/***/ 3812:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   k: () => (/* binding */ remotePathWord),
/* harmony export */   r: () => (/* binding */ shellWord)
/* harmony export */ });
/** The text as one word of a POSIX shell, whatever it contains. NUL cannot be in a shell word. */
function shellWord(text) {
    if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(text))
        return text;
    return `'${text.replaceAll("'", "'\\''")}'`;
}
/**
 * A path on the machine as a shell word: `~`, `~/x` and relative paths start at home. The word begins with a slash, so a path
 * that starts with a dash is not taken for an option.
 */
function remotePathWord(path) {
    if (path === "~" || path === "" || path === ".")
        return '"$HOME"';
    if (path.startsWith("/"))
        return shellWord(path);
    const rest = path.startsWith("~/") ? path.slice(2) : path;
    return `"$HOME"/${shellWord(rest)}`;
}


/***/ })

};
;