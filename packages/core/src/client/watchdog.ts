import type { ClientClock } from './clock.ts';

/** Notices silence. One timer serves it however many chunks arrive: being told of a chunk only notes the time. */
export interface Watchdog {
  /** When the last sign of life was noted, in ms of the clock. */
  readonly lastSign: number;
  /** Notes a sign of life. */
  touch(): void;
  /** Notes a sign of life and sets how long silence may last from now on, in ms. */
  expect(limitMs: number): void;
  /** Lets the present silence last no longer than this, counted from the last sign of life. */
  tighten(limitMs: number): void;
  /** Stops the watch for good. Idempotent. */
  stop(): void;
}

/** Starts a watch that calls `onSilence` once, when nothing was heard for `limitMs`. */
export function createWatchdog(clock: ClientClock, limitMs: number, onSilence: () => void): Watchdog {
  let lastSign = clock.now();
  let limit = limitMs;
  let stopped = false;
  let unschedule: () => void = () => undefined;

  const check = (): void => {
    const remaining = lastSign + limit - clock.now();
    if (remaining > 0) {
      unschedule = clock.schedule(check, remaining);
    } else {
      stopped = true;
      onSilence();
    }
  };
  const recheck = (): void => {
    unschedule();
    if (!stopped) check();
  };
  recheck();
  return {
    get lastSign() {
      return lastSign;
    },
    touch() {
      lastSign = clock.now();
    },
    expect(ms) {
      lastSign = clock.now();
      limit = ms;
      recheck();
    },
    tighten(ms) {
      if (ms >= limit) return;
      limit = ms;
      recheck();
    },
    stop() {
      stopped = true;
      unschedule();
    },
  };
}
