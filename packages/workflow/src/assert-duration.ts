import { InvalidArgumentError, quote } from '@perennial/core';

/** Longest time a timer can wait, in ms (24.8 days): a longer one would fire at once. */
export const MAX_TIMER_MS = 2_147_483_647;

/** @throws {@link InvalidArgumentError} unless the option is left out or a time above 0 that a timer can wait. */
export function assertDuration(name: string, value: number | undefined): void {
  if (value !== undefined && !(value > 0 && value <= MAX_TIMER_MS))
    throw new InvalidArgumentError(
      name,
      `\`${name}\` must be a number of milliseconds above 0, at most ${MAX_TIMER_MS}; got ${quote(value)}.`,
    );
}
