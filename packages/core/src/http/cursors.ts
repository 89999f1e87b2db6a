const EPOCH_MS = Date.UTC(2024, 9, 9);
const INTERVAL_MS = 20_000;
const MAX_JITTER_MS = 3_600_000;
const CURSOR = /^\d{1,15}$/;

/** Supplies the cursors by which caches tell live requests apart (the base protocol, section 8.1). */
export interface Cursors {
  /** The number of the current interval. */
  current(): string;
  /** A cursor for a client that sent `sent`: the current one, unless the client has that or a later one already. */
  after(sent: string | undefined): string;
}

/** Creates the source of cursors. */
export function createCursors(now: () => number, random: () => number): Cursors {
  const interval = (): number => Math.floor((now() - EPOCH_MS) / INTERVAL_MS);
  return {
    current: () => String(interval()),
    after(sent) {
      const latest = interval();
      const known = sent !== undefined && CURSOR.test(sent) ? Number(sent) : -1;
      if (known < latest) return String(latest);
      // Cursors never stand still: a client that got the same one again would be served the same cached answer for ever.
      return String(known + Math.max(1, Math.ceil((random() * MAX_JITTER_MS) / INTERVAL_MS)));
    },
  };
}
