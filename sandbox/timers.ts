/** Timers that can all be ended at once, so that nothing of a closed world goes on. */
export interface Timers {
  /** Runs `work` after `ms` real milliseconds, unless `clear` came first. */
  later(ms: number, work: () => void): void;
  clear(): void;
}

export function trackTimers(): Timers {
  const pending = new Set<NodeJS.Timeout>();
  let cleared = false;
  return {
    later(ms, work) {
      if (cleared) return;
      const timer = setTimeout(() => {
        pending.delete(timer);
        work();
      }, ms);
      pending.add(timer);
    },
    clear() {
      cleared = true;
      for (const timer of pending) clearTimeout(timer);
      pending.clear();
    },
  };
}
