import type { StreamEnd, StreamHead } from '@perennial/core';

import { EXIT, type ExitCode } from '../exit-codes.ts';

/** `open`, or how the stream ended. */
export function stateOf({ end }: Pick<StreamHead, 'end'>): 'open' | StreamEnd['outcome'] {
  return end?.outcome ?? 'open';
}

/** Milliseconds since the Unix epoch as people read them, to the second. */
export function isoTime(ms: number): string {
  const date = new Date(ms);
  // A store's clock may hold anything; `toISOString` throws beyond the year 275760.
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** An end in one line. */
export function describeEnd({ outcome, error, reason }: StreamEnd): string {
  if (outcome === 'failed') return error ? `failed: ${error.code}: ${error.message}` : 'failed';
  if (outcome === 'cancelled') return reason === undefined ? 'cancelled' : `cancelled: ${reason}`;
  return 'completed';
}

/** The exit code by which a command reports how a stream ended. */
export function exitCodeOfEnd({ outcome }: StreamEnd): ExitCode {
  switch (outcome) {
    case 'completed':
      return EXIT.ok;
    case 'failed':
      return EXIT.endedFailed;
    case 'cancelled':
      return EXIT.endedCancelled;
  }
}

/** A duration in milliseconds as people read it. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
  return `${Math.floor(ms / 3_600_000)} h ${Math.round((ms % 3_600_000) / 60_000)} min`;
}
