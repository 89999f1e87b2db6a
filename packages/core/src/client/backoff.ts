/** How the pauses between failed attempts grow. */
export interface BackoffOptions {
  /** Upper bound of the first pause, in ms; it doubles with each failure. */
  readonly baseMs: number;
  /** Upper bound of every pause, in ms. */
  readonly maxMs: number;
  /** A number from 0 to 1. */
  readonly random: () => number;
}

/**
 * The pause before the next attempt: "full jitter", a random part of an exponentially growing bound, so that clients which lost the same
 * server do not come back all at once (M. Brooker, "Exponential Backoff And Jitter", 2015).
 *
 * @param failures Attempts that failed in a row, at least 1.
 */
export function backoffDelay(failures: number, { baseMs, maxMs, random }: BackoffOptions): number {
  return Math.round(random() * Math.min(maxMs, baseMs * 2 ** Math.min(failures - 1, 30)));
}

/** Longest `Retry-After` that is honoured: a mistyped date must not silence a page for days. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/**
 * Reads a `Retry-After` header (RFC 9110, section 10.2.3) as a pause in ms; null when there is none or it makes no sense.
 *
 * @param now Milliseconds since the Unix epoch, for the date form.
 */
export function parseRetryAfter(value: string | null, now: number): number | null {
  if (value === null || value.trim() === '') return null;
  const seconds = Number(value);
  const delayMs = Number.isNaN(seconds) ? Date.parse(value) - now : seconds * 1000;
  return Number.isNaN(delayMs) ? null : Math.min(Math.max(delayMs, 0), MAX_RETRY_AFTER_MS);
}
