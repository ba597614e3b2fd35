/** A line as the process wrote it, without its line end. */
export interface OutputLine {
  readonly stream: "stdout" | "stderr";
  readonly text: string;
  /** Real milliseconds since the epoch. */
  readonly at: number;
}

/** Splits chunks into lines at LF, CR and CRLF, each of which ends a line for the runner. */
export function splitLines(onLine: (text: string) => void): { write(chunk: string): void; end(): void } {
  let rest = "";
  let endsWithReturn = false;
  return {
    write(chunk) {
      const fresh = endsWithReturn && chunk.startsWith("\n") ? chunk.slice(1) : chunk;
      if (chunk !== "") endsWithReturn = chunk.endsWith("\r");
      const lines = (rest + fresh).split(/\r\n|\n|\r/);
      rest = lines.pop() ?? "";
      for (const line of lines) onLine(line);
    },
    end() {
      if (rest !== "") onLine(rest);
      rest = "";
    },
  };
}
