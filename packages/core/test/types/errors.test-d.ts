/** Checked by `tsc`: how the error unions narrow. */
import { expectTypeOf } from 'vitest';

import {
  endError,
  type InvalidArgumentError,
  isStreamEnded,
  isStreamError,
  isStreamFailed,
  isStreamWriteError,
  type SegmentResult,
  type StreamCancelledError,
  type StreamEnd,
  type StreamEndedError,
  StreamError,
  type StreamErrorCode,
  type StreamFailedError,
  type StreamGapError,
  type StreamReadError,
  type StreamSupersededError,
  type StreamWriteError,
} from '../../src/index.ts';

declare const error: StreamReadError;

// `type` and `code` both discriminate the errors of a reader.
if (error.type === 'STREAM_GAP') expectTypeOf(error).toEqualTypeOf<StreamGapError>();
if (error.code === 'SUPERSEDED') expectTypeOf(error).toEqualTypeOf<StreamSupersededError>();
if (error.type === 'STREAM_FAILED') expectTypeOf(error.failureCode).toEqualTypeOf<string>();
if (error.code === 'STORE_ERROR') expectTypeOf(error).toEqualTypeOf<StreamError<'STORE_ERROR'>>();

// @ts-expect-error A reader never reports a code of a writer.
if (error.code === 'SEQUENCE_GAP') expectTypeOf(error).toBeNever();
// @ts-expect-error Only a gap names the earliest position.
expectTypeOf(error.earliestPosition).toBeNumber();

// `type` follows `code`.
expectTypeOf<StreamError<'NOT_FOUND'>['type']>().toEqualTypeOf<'STREAM_NOT_FOUND'>();
expectTypeOf<StreamError['type']>().toEqualTypeOf<`STREAM_${StreamErrorCode}`>();
expectTypeOf<InvalidArgumentError>().toExtend<StreamError>();
expectTypeOf<StreamWriteError>().not.toExtend<StreamError>();
// @ts-expect-error A code is one of the list.
expectTypeOf(new StreamError('OOPS', 'm')).toEqualTypeOf<StreamError>();

// The guards narrow what was caught.
declare const caught: unknown;
if (isStreamError(caught)) expectTypeOf(caught).toEqualTypeOf<StreamError>();
if (isStreamEnded(caught)) expectTypeOf(caught).toEqualTypeOf<StreamEndedError>();
if (isStreamFailed(caught)) expectTypeOf(caught).toEqualTypeOf<StreamFailedError>();
if (isStreamWriteError(caught)) expectTypeOf(caught).toEqualTypeOf<StreamWriteError>();

// The error of an end is one of three.
declare const end: StreamEnd;
expectTypeOf(endError(end, 3)).toEqualTypeOf<StreamEndedError | StreamFailedError | StreamCancelledError>();

// Each status of a segment has its own members.
declare const segment: SegmentResult;
if (segment.status === 'ok') expectTypeOf(segment.skipped).toBeNumber();
if (segment.status === 'closed') expectTypeOf(segment.end).toEqualTypeOf<StreamEnd>();
// @ts-expect-error Only a stored segment has a position.
expectTypeOf(segment.position).toBeNumber();
expectTypeOf<SegmentResult['status']>().toEqualTypeOf<
  'ok' | 'duplicate' | 'stale-epoch' | 'closed' | 'content-type' | 'gap' | 'regression' | 'conflict'
>();
