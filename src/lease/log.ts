/** Where sentences for the user go. Text from outside must have gone through `quote` or `plain` first. */
export interface Log {
  info(sentence: string): void;
  debug(sentence: string): void;
  notice(sentence: string, title?: string): void;
  warn(sentence: string, title?: string): void;
  error(sentence: string, title?: string): void;
  /** Runs `work` inside a foldable group. Groups do not nest; the group ends when the work does. */
  group<T>(title: string, work: () => Promise<T>): Promise<T>;
}

/** Lines of a machine go to the step's log as they are, and can be no workflow command while this is open. */
export interface MachineOutput {
  stdout(line: string): void;
  stderr(line: string): void;
  close(): void;
}

export const silentLog: Log = {
  info: () => undefined,
  debug: () => undefined,
  notice: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  group: (_title, work) => work(),
};
