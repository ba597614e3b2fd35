import { StringDecoder } from "node:string_decoder";

/** Characters after which a line without an end is cut. */
const LONGEST_LINE = 65_536;

/** Cuts a byte stream into lines. `push` and `end` return those that are complete. */
export interface LineSplitter {
  push(chunk: Buffer): readonly string[];
  end(): readonly string[];
}

const isHighSurrogate = (code: number) => code >= 0xd800 && code <= 0xdbff;

/**
 * Lines end with `\n`, `\r\n` or, as progress bars do it, with a lone `\r`; the nothing before a lone `\r` is no line.
 * UTF-8 that is split across chunks is put together again.
 */
export function splitLines(longest = LONGEST_LINE): LineSplitter {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  // What the carriage return before the current character ended: that decides what a `\n` after it means.
  let afterReturn: "no" | "text" | "nothing" = "no";

  const take = (text: string): string[] => {
    const lines: string[] = [];
    let from = 0;
    const ends = /[\r\n]/g;
    const add = (piece: string) => {
      if (piece !== "") afterReturn = "no";
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
        if (rest !== "") lines.push(rest);
        afterReturn = rest === "" ? "nothing" : "text";
      } else {
        if (afterReturn !== "text") lines.push(rest);
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
      if (rest !== "") lines.push(rest);
      rest = "";
      return lines;
    },
  };
}
