import { InvalidArgumentError } from '@perennial/core';

/** A clock that moves only when it is told to: pass `clock.now` wherever a store takes `now`. */
export interface ManualClock {
  /** Milliseconds since the Unix epoch. Bound: it may be passed on by itself. */
  readonly now: () => number;
  /** Moves the clock forward. Throws `INVALID_ARGUMENT` for a negative or fractional number of milliseconds. */
  readonly advance: (ms: number) => void;
}

/** Options of {@link createManualClock}. */
export interface ManualClockOptions {
  /** Time at the start, in ms since the Unix epoch. @default 1764000000000 (24 November 2025) */
  readonly start?: number;
}

/** Creates a {@link ManualClock}. */
export function createManualClock({ start = 1_764_000_000_000 }: ManualClockOptions = {}): ManualClock {
  let time = start;
  return {
    now: () => time,
    advance(ms) {
      if (!Number.isSafeInteger(ms) || ms < 0) {
        throw new InvalidArgumentError(
          'ms',
          `A clock advances by a whole number of milliseconds, not by ${String(ms)}.`,
        );
      }
      time += ms;
    },
  };
}
