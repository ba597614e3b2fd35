/** A workflow command that a step printed, after unescaping. */
export interface WorkflowCommand {
  /** Lower case: `error`, `add-mask`, `group`… */
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly data: string;
}

const REGISTERED = [
  "add-mask",
  "add-matcher",
  "add-path",
  "debug",
  "echo",
  "endgroup",
  "error",
  "group",
  "notice",
  "remove-matcher",
  "save-state",
  "set-env",
  "set-output",
  "stop-commands",
  "warning",
];

// Both tables are applied in this order, the percent sign last, as src/Runner.Common/ActionCommand.cs does.
const DATA_ESCAPES: readonly (readonly [string, string])[] = [
  ["%0D", "\r"],
  ["%0A", "\n"],
  ["%25", "%"],
];
const PROPERTY_ESCAPES: typeof DATA_ESCAPES = [
  ["%0D", "\r"],
  ["%0A", "\n"],
  ["%3A", ":"],
  ["%2C", ","],
  ["%25", "%"],
];
const BRACKET_ESCAPES: typeof DATA_ESCAPES = [
  ["%3B", ";"],
  ["%0D", "\r"],
  ["%0A", "\n"],
  ["%5D", "]"],
  ["%25", "%"],
];

const unescapeWith = (escapes: typeof DATA_ESCAPES, text: string) =>
  escapes.reduce((unescaped, [escaped, character]) => unescaped.replaceAll(escaped, character), text);

function read(
  info: string,
  data: string,
  separator: string,
  escapes: typeof DATA_ESCAPES,
  dataEscapes: typeof DATA_ESCAPES,
): WorkflowCommand {
  const space = info.indexOf(" ");
  const properties: Record<string, string> = {};
  if (space > 0)
    for (const property of info
      .slice(space + 1)
      .trim()
      .split(separator)) {
      const equals = property.indexOf("=");
      const value = property.slice(equals + 1);
      if (equals > 0 && value !== "") properties[property.slice(0, equals)] = unescapeWith(escapes, value);
    }
  return { name: (space < 0 ? info : info.slice(0, space)).toLowerCase(), properties, data: unescapeWith(dataEscapes, data) };
}

/** `::name k=v,k=v::data`, where only white space may stand before it. */
function readColonForm(line: string): WorkflowCommand | undefined {
  const text = line.trimStart();
  const end = text.startsWith("::") ? text.indexOf("::", 2) : -1;
  return end < 0 ? undefined : read(text.slice(2, end), text.slice(end + 2), ",", PROPERTY_ESCAPES, DATA_ESCAPES);
}

/** `##[name k=v;k=v]data`, anywhere in the line. */
function readBracketForm(line: string): WorkflowCommand | undefined {
  const start = line.indexOf("##[");
  const end = start < 0 ? -1 : line.indexOf("]", start);
  return end < 0 ? undefined : read(line.slice(start + 3, end), line.slice(end + 1), ";", BRACKET_ESCAPES, BRACKET_ESCAPES);
}

/** What came of one step's lines. */
export interface CommandLog {
  /** Takes one raw line of stdout or stderr. */
  take(line: string): void;
  /** Commands that took effect, in order. */
  readonly commands: readonly WorkflowCommand[];
  /** What the user sees, masks applied. */
  readonly log: readonly string[];
  readonly masks: readonly string[];
  /** From the deprecated `set-output` and `save-state`. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly state: Readonly<Record<string, string>>;
  /** Commands that the runner refuses, and that fail the step. */
  readonly errors: readonly string[];
  mask(text: string): string;
  /** Adds a line of the runner's own. */
  say(line: string): void;
}

/**
 * Follows a step's output as ActionCommandManager of actions/runner does, one for each step: a token given to `stop-commands`
 * ends all processing until exactly that token comes back as a command. `secrets` are masked from the start.
 */
export function followCommands(
  options: { readonly secrets?: readonly string[]; readonly showsDebug?: boolean } = {},
): CommandLog {
  const registered = new Set(REGISTERED);
  const commands: WorkflowCommand[] = [];
  const log: string[] = [];
  const masks: string[] = [];
  const outputs: Record<string, string> = {};
  const state: Record<string, string> = {};
  const errors: string[] = [];
  let stopToken: string | undefined;

  const addMask = (secret: string) => {
    for (const text of [secret, ...secret.split(/\r?\n/)]) if (text.trim() !== "" && !masks.includes(text)) masks.push(text);
    masks.sort((one, other) => other.length - one.length);
  };
  for (const secret of options.secrets ?? []) addMask(secret);
  const mask = (text: string) => masks.reduce((masked, secret) => masked.replaceAll(secret, "***"), text);
  const say = (line: string) => {
    log.push(mask(line));
  };
  const fail = (reason: string) => {
    errors.push(reason);
    say(`##[error]${reason}`);
  };

  const obey = (command: WorkflowCommand, line: string) => {
    const { name, properties, data } = command;
    const named = properties["name"];
    switch (name) {
      case "stop-commands": {
        const token = data.toLowerCase();
        if (token === "" || token === "pause-logging" || registered.has(token)) {
          fail(`'${data}' cannot be a token for stop-commands.`);
          break;
        }
        stopToken = token;
        registered.add(token);
        say(line);
        break;
      }
      case "add-mask":
        if (data.trim() === "") say("##[warning]Can't add secret mask for empty string in ##[add-mask] command.");
        else addMask(data);
        break;
      case "error":
      case "warning":
      case "notice":
      case "group":
        for (const [index, part] of data.split("\n").entries()) say(index === 0 ? `##[${name}]${part}` : part);
        break;
      case "endgroup":
        say("##[endgroup]");
        break;
      case "debug":
        if (options.showsDebug) say(`##[debug]${data}`);
        break;
      case "set-output":
      case "save-state":
        if (named === undefined) fail(`Required field 'name' is missing in ##[${name}] command.`);
        else if (name === "set-output") outputs[named] = data;
        else state[named] = data;
        break;
      case "set-env":
      case "add-path":
        fail(`The \`${name}\` command is disabled.`);
        break;
    }
  };

  const registeredOnly = (command: WorkflowCommand | undefined) =>
    command && registered.has(command.name) ? command : undefined;

  return {
    commands,
    log,
    masks,
    outputs,
    state,
    errors,
    mask,
    say,
    take(line) {
      const command = registeredOnly(readColonForm(line)) ?? registeredOnly(readBracketForm(line));
      if (!command) return say(line);
      if (stopToken !== undefined) {
        if (command.name === stopToken) {
          registered.delete(stopToken);
          stopToken = undefined;
        }
        return say(line);
      }
      commands.push(command);
      obey(command, line);
    },
  };
}
