import { MAX_TIMER_MS } from '../log/waiters.ts';

/** Time as the client sees it; tests supply their own. */
export interface ClientClock {
  /** Milliseconds. Should go on while the machine sleeps, so that a dead connection is noticed on waking. */
  now(): number;
  /** Calls back once, after `delayMs`; the returned function calls it off. */
  schedule(callback: () => void, delayMs: number): () => void;
}

/** The clock of the platform. */
export const systemClock: ClientClock = {
  // Not performance.now(): in some browsers it stands still while the machine sleeps.
  now: () => Date.now(),
  schedule(callback, delayMs) {
    const timer = setTimeout(callback, Math.min(delayMs, MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
};
