import type { StreamChunk } from '@perennial/core';

/** What has come so far. */
export interface Progress {
  /** Parts of the result that came. */
  readonly count: number;
  /** `tokens` as long as all parts were text, else `results`. */
  readonly unit: 'tokens' | 'results';
  /** Since the start, in ms. */
  readonly elapsedMs: number;
  /** Parts per second since the first one; 0 before the second. */
  readonly perSecond: number;
}

/** Counts the chunks of an actor. */
export interface Tally {
  /** Takes note of a chunk; true when the count is round enough to be told. */
  note(chunk: StreamChunk): boolean;
  readonly progress: Progress;
  /** What the actor's `complete` chunk carried; without one, the text that came. */
  readonly result: unknown;
}

/** Up to 500 every 50th, up to 5,000 every 500th, then every 5,000th: a long answer must not flood a log. */
function isMilestone(count: number): boolean {
  return count % (count <= 500 ? 50 : count <= 5_000 ? 500 : 5_000) === 0;
}

/** Creates a tally. @param now Monotonic milliseconds. */
export function createTally(now: () => number = () => performance.now()): Tally {
  const startedAt = now();
  let firstAt: number | null = null;
  let lastAt = startedAt;
  let count = 0;
  let isText = true;
  let text = '';
  let result: unknown;
  return {
    note(chunk) {
      if (chunk.type === 'complete') result = chunk.data;
      if (chunk.type !== 'data') return false;
      lastAt = now();
      firstAt ??= lastAt;
      count++;
      const part = textOf(chunk.data);
      if (part === null) isText = false;
      text = isText ? text + part : '';
      return isMilestone(count);
    },
    get progress() {
      const seconds = (lastAt - (firstAt ?? lastAt)) / 1_000;
      return {
        count,
        unit: isText ? 'tokens' : 'results',
        elapsedMs: now() - startedAt,
        perSecond: seconds > 0 ? (count - 1) / seconds : 0,
      } as const;
    },
    get result() {
      if (result !== undefined) return result;
      return isText && count > 0 ? text : undefined;
    },
  };
}

/** The text of a part: the part itself, or its `token`, as model calls have it. */
function textOf(data: unknown): string | null {
  if (typeof data === 'string') return data;
  if (typeof data === 'object' && data !== null && 'token' in data && typeof data.token === 'string') return data.token;
  return null;
}
