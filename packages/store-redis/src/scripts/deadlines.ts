/** Rejects promises that take too long, with one timer for all of them. */
export interface Deadlines {
  /** Settles like `promise`, or rejects with `late()` after the time is up. */
  within<T>(promise: Promise<T>, late: () => Error): Promise<T>;
  /** Forgets all; what is pending settles with its promise only. */
  close(): void;
}

interface Entry {
  readonly at: number;
  readonly expire: () => void;
}

/** Creates deadlines of `timeoutMs`, all the same, so that the oldest is always the next to expire. */
export function createDeadlines(timeoutMs: number): Deadlines {
  const entries = new Set<Entry>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const check = (): void => {
    timer = undefined;
    const now = performance.now();
    for (const entry of entries) {
      if (entry.at > now) break;
      entries.delete(entry);
      entry.expire();
    }
    arm(now);
  };
  const arm = (now: number): void => {
    const [oldest] = entries;
    if (!oldest || timer !== undefined) return;
    timer = setTimeout(check, Math.max(1, oldest.at - now));
    timer.unref();
  };

  return {
    within(promise, late) {
      return new Promise((resolve, reject) => {
        const now = performance.now();
        const entry: Entry = { at: now + timeoutMs, expire: () => reject(late()) };
        entries.add(entry);
        if (timer === undefined) arm(now);
        promise.then(
          (value) => {
            entries.delete(entry);
            resolve(value);
          },
          (error: unknown) => {
            entries.delete(entry);
            reject(error instanceof Error ? error : new Error(String(error)));
          },
        );
      });
    },
    close() {
      entries.clear();
      clearTimeout(timer);
    },
  };
}
