import { isAlias, isMap, isNode, isScalar, isSeq, type Node, Pair, Scalar, YAMLMap, YAMLSeq } from "yaml";

/** YAML that PyYAML would not load: with it, cloud-init drops the whole document, our part included. */
export class UnreadableYaml extends Error {
  /** Characters from the start of the text. */
  readonly offset: number;

  constructor(message: string, node: unknown) {
    super(message);
    this.offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  }
}

/** More values than this have no room in a document of 64,000 bytes. */
const MOST_VALUES = 64_000;

/**
 * The same content without anchors, aliases, merge keys and comments, so that parts of it can be moved and joined. Scalars
 * keep their spelling, quotes and tags. `root` comes from a document of the failsafe schema. Throws UnreadableYaml.
 */
export function expandCloudConfig(root: unknown): Node {
  if (root === null || (isScalar(root) && isNull(root))) return new YAMLMap();
  return expand(root, { anchors: new Map(), weights: new Map() });
}

/** Whether PyYAML reads a null. */
export function isNull(scalar: Scalar): boolean {
  return isUntaggedPlain(scalar) && /^(?:~|null|Null|NULL|)$/.test(String(scalar.value));
}

/** Whether a scalar's meaning comes from its spelling alone. */
export function isUntaggedPlain(scalar: Scalar): boolean {
  return scalar.type === Scalar.PLAIN && scalar.tag === undefined;
}

interface Expansion {
  /** What each anchor stands for at this point of the document. */
  readonly anchors: Map<string, Node>;
  /** How many values a collection holds, those behind aliases counted each time. */
  readonly weights: Map<Node, number>;
}

function expand(node: unknown, expansion: Expansion): Node {
  if (isAlias(node)) {
    const target = expansion.anchors.get(node.source);
    if (!target) throw new UnreadableYaml(`'*${node.source}' refers to nothing that is complete before it`, node);
    return target;
  }
  if (!isNode(node)) return plainNull();
  const expanded = expandCollection(node, expansion) ?? copyScalar(node);
  if (node.anchor !== undefined) expansion.anchors.set(node.anchor, expanded);
  return expanded;
}

function expandCollection(node: unknown, expansion: Expansion): Node | undefined {
  const collection = isMap(node) ? expandMap(node, expansion) : isSeq(node) ? expandSequence(node, expansion) : undefined;
  if (!collection) return undefined;
  const children = isMap(collection) ? collection.items.flatMap((pair) => [pair.key, pair.value]) : collection.items;
  const weight = children.reduce<number>((sum, child) => sum + (isNode(child) ? (expansion.weights.get(child) ?? 1) : 1), 1);
  if (weight > MOST_VALUES) throw new UnreadableYaml("its aliases stand for more than has room in the document", node);
  expansion.weights.set(collection, weight);
  return collection;
}

function expandSequence(sequence: YAMLSeq, expansion: Expansion): YAMLSeq {
  refuseForeignTag(sequence);
  const expanded = new YAMLSeq();
  expanded.items = sequence.items.map((item) => expand(item, expansion));
  return expanded;
}

function expandMap(map: YAMLMap, expansion: Expansion): YAMLMap<Scalar, Node> {
  refuseForeignTag(map);
  const inherited: Pair<Scalar, Node>[] = [];
  const own: Pair<Scalar, Node>[] = [];
  for (const pair of map.items) {
    if (isScalar(pair.key) && isUntaggedPlain(pair.key) && pair.key.value === "<<") {
      inherited.push(...readMerged(expand(pair.value, expansion), pair.value));
      continue;
    }
    const key = expand(pair.key, expansion);
    if (!isScalar(key)) throw new UnreadableYaml("a key must be a plain value, not a list or a map", pair.key);
    own.push(new Pair(key, expand(pair.value, expansion)));
  }
  // The later one counts, and the map's own after all that it inherits.
  const byKey = new Map([...inherited, ...own].map((pair) => [String(pair.key.value), pair]));
  const expanded = new YAMLMap<Scalar, Node>();
  expanded.items = [...byKey.values()];
  return expanded;
}

/** The pairs that `<<` brings: from a map, or from a list of maps of which the first one counts. */
function readMerged(value: Node, origin: unknown): Pair<Scalar, Node>[] {
  const maps = isSeq(value) ? value.items.toReversed() : [value];
  return maps.flatMap((map) => {
    if (!isMap<Scalar, Node>(map)) throw new UnreadableYaml("'<<' takes a map or a list of maps", origin);
    return map.items;
  });
}

// PyYAML takes these for ends of lines, or not at all, unless they stand in quotes as an escape.
const NEEDS_ESCAPE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/;

function copyScalar(node: Node): Scalar {
  if (!isScalar(node)) return plainNull();
  refuseForeignTag(node);
  const text = String(node.value);
  if (isUntaggedPlain(node)) {
    if (text === "") return plainNull();
    refuseUnreadable(text, node);
  }
  const copy = new Scalar(text);
  const quoted = NEEDS_ESCAPE.test(text) || (node.type === Scalar.PLAIN && text.includes("\t"));
  copy.type = quoted ? Scalar.QUOTE_DOUBLE : (node.type ?? Scalar.QUOTE_DOUBLE);
  if (node.tag !== undefined) copy.tag = node.tag;
  return copy;
}

function plainNull(): Scalar {
  const scalar = new Scalar("null");
  scalar.type = Scalar.PLAIN;
  return scalar;
}

const KNOWN_TAGS = ["str", "binary", "int", "float", "bool", "null", "map", "seq"].map((name) => `tag:yaml.org,2002:${name}`);

function refuseForeignTag(node: Node & { tag?: string }): void {
  if (node.tag !== undefined && !KNOWN_TAGS.includes(node.tag))
    throw new UnreadableYaml(`the tag '${node.tag}' is not one that it knows`, node);
}

const TIMESTAMP =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:(?:[Tt]|[ \t]+)(\d{1,2}):(\d{2}):(\d{2})(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d{1,2}(?::\d{2})?))?)?$/;

// PyYAML gives these spellings a meaning that its safe loader cannot make a value of.
function refuseUnreadable(text: string, node: Scalar): void {
  if (text === "=" || text === "<<") throw new UnreadableYaml(`a bare '${text}' has to be put in quotes`, node);
  const parts = TIMESTAMP.exec(text)
    ?.slice(1)
    .map((part) => Number(part ?? 0));
  if (!parts) return;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  const lastDay = new Date(Date.UTC(year, month, 0)).getUTCDate();
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > lastDay || hour > 23 || minute > 59 || second > 59)
    throw new UnreadableYaml("this looks like a date and is none; put it in quotes", node);
}
