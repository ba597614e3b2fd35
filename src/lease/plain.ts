const LONGEST = 300;

/**
 * Text from a vendor or a machine as one harmless line: no control characters, nothing that the runner could take for a
 * workflow command (`::name::`, `##[name]`), at most `longest` characters.
 */
export function plain(text: string, longest = LONGEST): string {
  const line = text
    .toWellFormed()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, " ")
    .replace(/:(?=:)/g, ": ")
    .replaceAll("##[", "## [")
    .trim();
  return line.length > longest ? `${line.slice(0, longest - 1).replace(/[\ud800-\udbff]$/, "")}…` : line;
}

/** The same as a word that a shell takes as it is, and no program as an option: for outputs, which workflows paste into scripts. */
export function plainWord(text: string, longest = LONGEST): string {
  return plain(text, longest)
    .replace(/[^A-Za-z0-9._:/+-]+/g, "-")
    .replace(/^-+/, "");
}

/** Not seen, and enough between a mark and a name to make neither a mention nor a reference of them. */
const ZERO_WIDTH_SPACE = "&#8203;";

/**
 * The same, inside a line of a markdown report: nothing in it is markup, a link, a mention or a reference. GitHub looks for the
 * last two in what its renderer has made, where an entity is the character again.
 */
export function plainMarkdown(text: string, longest = LONGEST): string {
  return plain(text, longest).replace(
    /[\\`*_[\]<>#|~&@$]|:(?=\/\/)|(?<=www)\./gi,
    (mark) => `&#${mark.charCodeAt(0)};${mark === "@" || mark === "#" ? ZERO_WIDTH_SPACE : ""}`,
  );
}
