import ms from "ms";

const WRITTEN = /^(\d+(?:\.\d+)?)(s|m|h)$/;

/** Milliseconds of a written duration (`90s`, `15m`, `2h`), or undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  const match = WRITTEN.exec(text);
  if (!match) return undefined;
  const value = ms(text as ms.StringValue);
  return Number.isFinite(value) ? Math.round(value) : undefined;
}

/** How people read a duration: `42 s`, `3 min 5 s`, `2 h 10 min`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  return minutes % 60 === 0 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
