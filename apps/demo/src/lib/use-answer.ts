'use client';

import type { AsyncResult, StreamEnd, StreamError } from '@perennial/core';
import { useStream } from '@perennial/react';

import { type Answer, answerEventSchema, EMPTY_ANSWER, foldAnswer } from './answer.ts';
import { streamUrl } from './ids.ts';
import type { EndedAnswer } from './snapshot.ts';
import type { AnswerStatus } from './status.ts';

/** An answer as far as it has arrived. */
export interface AnswerNow {
  readonly answer: Answer;
  readonly status: AnswerStatus;
  /** Null until it is known. */
  readonly end: StreamEnd | null;
  /** Why it cannot be read, with status `error`. */
  readonly error: Error | null;
  /** Stops the answer on the server, for every reader. */
  readonly stop: () => AsyncResult<void, StreamError>;
  /** Tries again after `error`. */
  readonly reconnect: () => void;
}

/** Options of {@link useAnswer}. */
export interface UseAnswerOptions {
  /** The whole answer, where it is known: it needs no connection. */
  readonly ended?: EndedAnswer | undefined;
  /** False while the stream may not exist yet. @default true */
  readonly enabled?: boolean;
}

/** Follows one answer. All users of one stream share one connection. */
export function useAnswer(streamId: string, { ended, enabled = true }: UseAnswerOptions = {}): AnswerNow {
  const stream = useStream(ended || !enabled ? null : streamUrl(streamId), {
    schema: answerEventSchema,
    initial: EMPTY_ANSWER,
    reduce: foldAnswer,
  });
  const end = ended?.end ?? stream.end;
  return {
    answer: ended?.answer ?? stream.data,
    status: toStatus(stream.status, end),
    end,
    error: stream.error,
    stop: stream.cancel,
    reconnect: stream.reconnect,
  };
}

type StreamStatus = ReturnType<typeof useStream>['status'];

function toStatus(status: StreamStatus, end: StreamEnd | null): AnswerStatus {
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
