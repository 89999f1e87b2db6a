import { setImmediate, setTimeout } from 'node:timers/promises';

/** How long work may go on before others have their turn. */
const SLICE_MS = 12;

/** Makes a function to call now and then in long work: it waits a moment whenever others have waited long enough. */
export function takeBreaths(now: () => number = () => performance.now()): () => Promise<void> {
  let since = now();
  return async () => {
    if (now() - since < SLICE_MS) return;
    await setImmediate();
    since = now();
  };
}

/** Makes a function that lets its callers go on at a steady pace; 0 = at once. */
export function takeTurns(perSecond: number): () => Promise<void> {
  let next = performance.now();
  return async () => {
    if (perSecond === 0) return;
    const now = performance.now();
    next = Math.max(next, now) + 1_000 / perSecond;
    await setTimeout(next - now);
  };
}
