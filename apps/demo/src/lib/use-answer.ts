'use client';

import type { AsyncResult, StreamEnd, StreamError } from '@perennial/core';
import { useStream, type UseStreamResult } from '@perennial/react';

import { type Answer, answerEventSchema, EMPTY_ANSWER, foldAnswer } from './answer.ts';
import { streamUrl } from './ids.ts';
import type { EndedAnswer } from './snapshot.ts';
import { type AnswerStatus, toStatus } from './status.ts';

/** The state of an answer's stream. */
export interface AnswerState {
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

/** An answer as far as it has arrived. */
export interface AnswerNow extends AnswerState {
  readonly answer: Answer;
}

/** Options of {@link useAnswer}. */
export interface UseAnswerOptions {
  /** The whole answer, where it is known: it needs no connection. */
  readonly ended?: EndedAnswer | undefined;
  /** False while the stream may not exist yet. @default true */
  readonly enabled?: boolean;
}

/** Follows one answer. All users of one stream share one connection. */
export function useAnswer(streamId: string, options: UseAnswerOptions = {}): AnswerNow {
  const stream = useAnswerStream(streamId, options);
  return { ...toState(stream, options), answer: options.ended?.answer ?? stream.data };
}

/** The same without the text, for what need not render with each word. */
export function useAnswerState(streamId: string, options: UseAnswerOptions = {}): AnswerState {
  return toState(useAnswerStream(streamId, options), options);
}

function useAnswerStream(streamId: string, { ended, enabled = true }: UseAnswerOptions): UseStreamResult<Answer> {
  return useStream(streamUrl(streamId), {
    schema: answerEventSchema,
    initial: EMPTY_ANSWER,
    reduce: foldAnswer,
    enabled: enabled && !ended,
  });
}

/** Reads only the fields it returns, since each field that is read is a reason to render. */
function toState(stream: UseStreamResult<Answer>, { ended }: UseAnswerOptions): AnswerState {
  const end = ended?.end ?? stream.end;
  return {
    status: toStatus(stream.status, end),
    end,
    error: stream.error,
    stop: stream.cancel,
    reconnect: stream.reconnect,
  };
}
