/** The text as one word of a POSIX shell, whatever it contains. NUL cannot be in a shell word. */
export function shellWord(text: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * A path on the machine as a shell word: `~`, `~/x` and relative paths start at home. The word begins with a slash, so a path
 * that starts with a dash is not taken for an option.
 */
export function remotePathWord(path: string): string {
  if (path === "~" || path === "" || path === ".") return '"$HOME"';
  if (path.startsWith("/")) return shellWord(path);
  const rest = path.startsWith("~/") ? path.slice(2) : path;
  return `"$HOME"/${shellWord(rest)}`;
}
