/** Waits until a time of the monotonic clock; resolves early when `signal` fires. */
export type WaitUntil = (time: number, signal: AbortSignal) => Promise<void>;

/** Options of {@link paced}. */
export interface PaceOptions {
  /** 0 = as fast as they are taken. */
  readonly wordsPerSecond: number;
  readonly signal: AbortSignal;
  /** Monotonic milliseconds. @default performance.now */
  readonly now?: () => number;
  /** @default a timer */
  readonly waitUntil?: WaitUntil;
}

/** Gives a text out word by word at a steady pace. The pieces joined are the text; it stops between two words when `signal` fires. */
export async function* paced(text: string, options: PaceOptions): AsyncGenerator<string> {
  const { wordsPerSecond, signal, now = () => performance.now(), waitUntil = timer } = options;
  const started = now();
  let count = 0;
  for (const word of toPieces(text)) {
    if (wordsPerSecond > 0) await waitUntil(started + (count++ * 1000) / wordsPerSecond, signal);
    if (signal.aborted) return;
    yield word;
  }
}

/** Words with the white space that follows them. */
function toPieces(text: string): string[] {
  return text.match(/\s*\S+\s*/g) ?? [];
}

function timer(time: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timeout);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timeout = setTimeout(done, Math.max(0, time - performance.now()));
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
