import { Document, isMap, isScalar, isSeq, type Node, Pair, Scalar, YAMLMap, YAMLSeq } from "yaml";
import { plain } from "../lease/plain.ts";
import { isNull, isUntaggedPlain } from "./cloud-init-expand.ts";

/** What our part of a document is made of. */
export type Value = string | boolean | readonly Value[] | { readonly [key: string]: Value };

export interface Merged {
  readonly content: Node;
  /** A sentence for each key of the user's that fights ours; `content` then has ours. */
  readonly flaws: readonly string[];
}

/**
 * Joins our part with the user's, key by key: maps are merged, the user's lists come after ours, equal values and nulls of
 * the user's are fine. Anything else is a flaw. `theirs` is without aliases.
 */
export function mergeCloudConfig(ours: { readonly [key: string]: Value }, theirs = new YAMLMap()): Merged {
  const flaws: string[] = [];
  const content = merge(toNode(ours), theirs, [], flaws);
  return { content, flaws };
}

/** The document as text, `#cloud-config` in its first line. */
export function writeCloudConfig(content: Node): string {
  const document = new Document(content, { schema: "failsafe", version: "1.1" });
  const body = document.toString({ lineWidth: 0 });
  // These stand only in double quotes here, where the library leaves them as they are.
  return `#cloud-config\n${body.replace(/[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g, escapeCharacter)}`;
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function merge(ours: Node, theirs: Node, path: readonly string[], flaws: string[]): Node {
  if (isMap<Scalar, Node>(ours) && isMap<Scalar, Node>(theirs)) return mergeMaps(ours, theirs, path, flaws);
  if (isSeq(ours) && isSeq(theirs)) {
    const joined = new YAMLSeq();
    joined.items = [...ours.items, ...theirs.items];
    return joined;
  }
  if (isScalar(theirs) && (isNull(theirs) || (isScalar(ours) && saysTheSame(ours, theirs)))) return ours;
  flaws.push(describeConflict(path, ours));
  return ours;
}

function mergeMaps(ours: YAMLMap<Scalar, Node>, theirs: YAMLMap<Scalar, Node>, path: readonly string[], flaws: string[]) {
  const named = (pairs: Pair<Scalar, Node>[]) => new Map(pairs.map((pair) => [String(pair.key.value), pair.value]));
  const [own, foreign] = [named(ours.items), named(theirs.items)];
  const merged = new YAMLMap<Scalar, Node>();
  merged.items = [
    ...ours.items.map((pair) => {
      const name = String(pair.key.value);
      const other = foreign.get(name);
      return pair.value && other ? new Pair(pair.key, merge(pair.value, other, [...path, name], flaws)) : pair;
    }),
    ...theirs.items.filter((pair) => !own.has(String(pair.key.value))),
  ];
  return merged;
}

const BOOLEANS: readonly (readonly [RegExp, boolean])[] = [
  [/^(?:yes|Yes|YES|true|True|TRUE|on|On|ON)$/, true],
  [/^(?:no|No|NO|false|False|FALSE|off|Off|OFF)$/, false],
];

function saysTheSame(one: Scalar, other: Scalar): boolean {
  return readScalar(one) === readScalar(other);
}

function readScalar(scalar: Scalar): string | boolean {
  const text = String(scalar.value);
  const found = isUntaggedPlain(scalar) ? BOOLEANS.find(([spelling]) => spelling.test(text)) : undefined;
  return found ? found[1] : text;
}

const REASONS: { readonly [path: string]: string } = {
  disable_root: "gpu-provision logs in as root, so this has to be false",
  ssh_pwauth: "the machine stands in the open internet, so this has to be false",
  ssh_deletekeys: "host keys that the image came with must not be served, so this has to be true",
  "ssh_keys.ed25519_private": "the machine is known by the host key that gpu-provision makes for it",
  "ssh_keys.ed25519_public": "the machine is known by the host key that gpu-provision makes for it",
};

function describeConflict(path: readonly string[], ours: Node): string {
  const key = path.join(".");
  const shape = isMap(ours) ? "a map" : "a list";
  const reason = REASONS[key];
  if (reason) return `it sets '${key}', which fights gpu-provision's own: ${reason}. Remove it.`;
  return `it sets '${plain(key)}' to something that cannot be merged with gpu-provision's own: make it ${shape}.`;
}

function toNode(value: Value): Node {
  if (typeof value === "string" || typeof value === "boolean") return toScalar(value);
  if (isList(value)) {
    const sequence = new YAMLSeq();
    sequence.items = value.map(toNode);
    return sequence;
  }
  const map = new YAMLMap<Scalar, Node>();
  map.items = Object.entries(value).map(([key, inner]) => new Pair(toScalar(key, Scalar.PLAIN), toNode(inner)));
  return map;
}

// Array.isArray does not narrow readonly arrays.
function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function toScalar(value: string | boolean, type?: Scalar.Type): Scalar {
  const scalar = new Scalar(String(value));
  if (type) scalar.type = type;
  else if (typeof value === "boolean") scalar.type = Scalar.PLAIN;
  else scalar.type = value.includes("\n") ? Scalar.BLOCK_LITERAL : Scalar.QUOTE_DOUBLE;
  return scalar;
}
