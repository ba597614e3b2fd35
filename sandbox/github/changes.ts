/** Tells whoever waits that something in the stand is another than before. */
export interface Changes {
  announce(): void;
  onChange(listener: () => void): void;
  /** Resolves as soon as the condition holds; rejects after `limitMs` real milliseconds, naming what was waited for. */
  until(what: string, condition: () => boolean, limitMs: number): Promise<void>;
  /** Ends every wait with a rejection. */
  close(): void;
}

export function announceChanges(): Changes {
  const listeners = new Set<() => void>();
  const endings = new Set<() => void>();
  return {
    announce() {
      for (const listener of [...listeners]) listener();
    },
    onChange: (listener) => void listeners.add(listener),
    until(what, condition, limitMs) {
      if (condition()) return Promise.resolve();
      return new Promise((resolve, reject) => {
        const settle = (end: () => void) => {
          listeners.delete(look);
          endings.delete(give);
          clearTimeout(timer);
          end();
        };
        const look = () => {
          if (condition()) settle(resolve);
        };
        const give = () => settle(() => reject(new Error(`The stand was closed while somebody waited for ${what}.`)));
        const timer = setTimeout(() => settle(() => reject(new Error(`Waited ${limitMs} ms in vain for ${what}.`))), limitMs);
        listeners.add(look);
        endings.add(give);
      });
    },
    close() {
      for (const give of [...endings]) give();
    },
  };
}
