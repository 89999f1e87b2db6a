import type { StreamEnd } from '@perennial/core';
import type { UseStreamResult } from '@perennial/react';

/** What a reader of an answer needs to know about its stream: how it ended, or how the connection to it is. */
export type AnswerStatus =
  | StreamEnd['outcome']
  | 'connecting'
  | 'catching-up'
  | 'live'
  | 'reconnecting'
  | 'stalled'
  | 'paused'
  | 'error';

/** The state of a stream, from its end where it has one, and from the connection. */
export function toStatus(status: UseStreamResult<unknown>['status'], end: StreamEnd | null): AnswerStatus {
  if (end) return end.outcome;
  switch (status) {
    // Before the effect that connects has run, as in the server's HTML.
    case 'idle':
      return 'connecting';
    // Disconnected by hand; a stream that has ended has an end.
    case 'closed':
      return 'paused';
    default:
      return status;
  }
}

/** True while the answer is being written, as far as is known: there is something to stop. */
export function isOpen(status: AnswerStatus): boolean {
  switch (status) {
    case 'connecting':
    case 'catching-up':
    case 'live':
    case 'reconnecting':
    case 'stalled':
    case 'paused':
      return true;
    case 'completed':
    case 'failed':
    case 'cancelled':
    case 'error':
      return false;
  }
}

/** What a screen reader is told when an answer's status changes; null for changes that matter to the eye only. */
export function announcement(status: AnswerStatus): string | null {
  switch (status) {
    case 'live':
      return 'The answer is being written.';
    case 'reconnecting':
      return 'The connection was lost. Reconnecting.';
    case 'stalled':
      return 'The answer pauses until a server goes on with it.';
    case 'completed':
      return 'The answer is finished.';
    case 'cancelled':
      return 'The answer was stopped.';
    case 'failed':
    case 'error':
      return 'The answer failed.';
    case 'connecting':
    case 'catching-up':
    case 'paused':
      return null;
  }
}

const EXPLANATIONS: Readonly<Record<string, string>> = {
  PRODUCER_LOST: 'The server stopped in the middle of this answer. What it had written is kept.',
  INTERNAL: 'Something went wrong on the server. What it had written is kept.',
};

/** Why an answer failed, for the reader. */
export function explainFailure(end: StreamEnd): string {
  const { code, message } = end.error ?? { code: 'INTERNAL', message: '' };
  return EXPLANATIONS[code] ?? message;
}
