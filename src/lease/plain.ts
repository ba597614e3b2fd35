const LONGEST = 300;

/**
 * Text from a vendor or a machine as one harmless line: no control characters, nothing that the runner could take for a
 * workflow command (`::name::`, `##[name]`), at most `longest` characters.
 */
export function plain(text: string, longest = LONGEST): string {
  const line = text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, " ")
    .replaceAll("::", ": :")
    .replaceAll("##[", "## [")
    .trim();
  return line.length > longest ? `${line.slice(0, longest - 1)}…` : line;
}

/** The same as a word that a shell takes as it is: for outputs, which workflows paste into scripts. */
export function plainWord(text: string, longest = LONGEST): string {
  return plain(text, longest).replace(/[^A-Za-z0-9._:/+-]+/g, "-");
}

/** The same, inside a line of a markdown report: nothing in it is markup, a link, a mention or a reference. */
export function plainMarkdown(text: string, longest = LONGEST): string {
  return plain(text, longest).replace(/[\\`*_[\]<>#|~&@]|:(?=\/\/)/g, (mark) => `&#${mark.charCodeAt(0)};`);
}
