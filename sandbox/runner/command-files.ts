/** What a file of `name=value` and `name<<DELIMITER` records holds, as the runner reads it. */
export interface FileRecords {
  readonly pairs: readonly (readonly [name: string, value: string])[];
  /** Why the runner stopped reading; the pairs before that count all the same, and the step fails. */
  readonly error?: string;
}

/**
 * Reads GITHUB_STATE, GITHUB_OUTPUT or GITHUB_ENV the way EnvFileKeyValuePairs of actions/runner does
 * (src/Runner.Worker/FileCommandManager.cs): pair by pair, until the end or the first record that it cannot read.
 */
export function readRecords(text: string): FileRecords {
  const pairs: [string, string][] = [];
  let index = 0;
  /** The next line and whether a newline ended it; undefined at the end. */
  const nextLine = () => {
    if (index >= text.length) return undefined;
    const start = index;
    const end = text.indexOf("\n", start);
    index = end < 0 ? text.length : end + 1;
    return { text: text.slice(start, end < 0 ? text.length : end), end: end < 0 ? text.length : end };
  };

  for (let line = nextLine(); line !== undefined; line = nextLine()) {
    if (line.text === "") continue;
    const equals = line.text.indexOf("=");
    const heredoc = line.text.indexOf("<<");
    if (heredoc >= 0 && (equals < 0 || heredoc < equals)) {
      const name = line.text.slice(0, heredoc);
      const delimiter = line.text.slice(heredoc + 2);
      if (name === "" || delimiter === "")
        return { pairs, error: `Invalid format '${line.text}'. Name must not be empty and delimiter must not be empty` };
      const start = index;
      let end = index;
      let next = nextLine();
      while (next !== undefined && next.text !== delimiter) {
        end = next.end;
        next = nextLine();
      }
      if (next === undefined) return { pairs, error: `Invalid value. Matching delimiter not found '${delimiter}'` };
      pairs.push([name, text.slice(start, end)]);
    } else if (equals >= 0) {
      if (equals === 0) return { pairs, error: `Invalid format '${line.text}'. Name must not be empty` };
      pairs.push([line.text.slice(0, equals), line.text.slice(equals + 1)]);
    } else {
      return { pairs, error: `Invalid format '${line.text}'` };
    }
  }
  return { pairs };
}
