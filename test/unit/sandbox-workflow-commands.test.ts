import { describe, expect, it } from "vitest";
import { splitLines } from "../../sandbox/runner/lines.ts";
import { followCommands } from "../../sandbox/runner/workflow-commands.ts";

function follow(...lines: string[]) {
  const log = followCommands();
  for (const line of lines) log.take(line);
  return log;
}

describe("followCommands", () => {
  it("reads properties and data, and unescapes them", () => {
    const { commands, log } = follow(
      "  ::error title=a%2Cb%3A c,file=x::50%25%0Amore",
      "##[warning title=1%3B2;line=3]careful%5D",
    );
    expect(commands).toEqual([
      { name: "error", properties: { title: "a,b: c", file: "x" }, data: "50%\nmore" },
      { name: "warning", properties: { title: "1;2", line: "3" }, data: "careful]" },
    ]);
    expect(log).toEqual(["##[error]50%", "more", "##[warning]careful]"]);
  });

  it("takes the colon form only at the start of a line, the bracket form anywhere", () => {
    const { commands, log } = follow("see ::error::no", "see ##[error]yes", "::unheard-of::x", "::error without end");
    expect(commands).toEqual([{ name: "error", properties: {}, data: "yes" }]);
    expect(log).toContain("see ::error::no");
    expect(log).toContain("::unheard-of::x");
  });

  it("processes nothing between stop-commands and its token, in either form", () => {
    const { commands, masks, log } = follow(
      "::stop-commands::T0ken",
      "::add-mask::visible",
      "##[error]not an error",
      "::stop-commands::other",
      "::other::",
      "::error::still none",
      "visible",
      "::t0KEN::",
      "::notice::again",
    );
    expect(commands.map((command) => command.name)).toEqual(["stop-commands", "notice"]);
    expect(masks).toEqual([]);
    expect(log).toContain("visible");
  });

  it("resumes at the token in bracket form, and no second time", () => {
    const { commands } = follow("::stop-commands::abc", "x ##[abc]", "::notice::1", "::abc::", "::notice::2");
    expect(commands.map((command) => command.data)).toEqual(["abc", "1", "2"]);
  });

  it.each(["", "error", "pause-logging"])("refuses '%s' as a token, and goes on processing", (token) => {
    const { errors, commands } = follow(`::stop-commands::${token}`, "::notice::heard");
    expect(errors).toHaveLength(1);
    expect(commands.at(-1)?.data).toBe("heard");
  });

  it("masks what follows add-mask, each line of it, and never shows the command", () => {
    const { log } = follow("before secret-1", "::add-mask::secret-1%0Asecret-2", "a secret-1 and secret-2");
    expect(log).toEqual(["before secret-1", "a *** and ***"]);
  });

  it("masks secrets of the repository from the start", () => {
    const log = followCommands({ secrets: ["hunter2"] });
    log.take("::error::password hunter2");
    expect(log.log).toEqual(["##[error]password ***"]);
  });

  it("fails a step that uses a disabled command", () => {
    expect(follow("::set-env name=A::1").errors).toHaveLength(1);
  });
});

describe("splitLines", () => {
  it("ends lines at LF, CR and CRLF, wherever the chunks are cut", () => {
    const lines: string[] = [];
    const splitter = splitLines((line) => lines.push(line));
    for (const chunk of ["a\nb", "c\r", "\nd\re\r\n", "", "\n", "f"]) splitter.write(chunk);
    splitter.end();
    expect(lines).toEqual(["a", "bc", "d", "e", "", "f"]);
  });
});
