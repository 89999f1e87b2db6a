/** Checked by `tsc`: what callers may rely on when they look at a Result. */
import { expectTypeOf } from 'vitest';

import { type AsyncResult, err, type Err, ok, type Ok, type Result, type StreamError } from '../../src/index.ts';

// Without a value, `ok()` is a success of nothing, not of `undefined`.
expectTypeOf(ok()).toEqualTypeOf<Ok<void>>();
expectTypeOf(ok(5)).toEqualTypeOf<Ok<number>>();
expectTypeOf(err('e')).toEqualTypeOf<Err<string>>();

declare const result: Result<number, StreamError>;

// `ok` discriminates: value and error are each there only on their side.
if (result.ok) expectTypeOf(result.value).toEqualTypeOf<number>();
else expectTypeOf(result.error).toEqualTypeOf<StreamError>();

// @ts-expect-error A value may not be read before the result is looked at.
expectTypeOf(result.value).toEqualTypeOf<number>();
// @ts-expect-error Nor an error.
expectTypeOf(result.error).toEqualTypeOf<StreamError>();
// @ts-expect-error Results are read-only.
result.ok = true;

// What fails with fewer errors, or succeeds with more specific values, fits where more is expected.
expectTypeOf<Ok<5>>().toExtend<Result<number, never>>();
expectTypeOf<Result<5, TypeError>>().toExtend<Result<number, Error>>();
expectTypeOf<Result<number, Error>>().not.toExtend<Result<5, Error>>();
expectTypeOf<Result<number, StreamError>>().not.toExtend<Result<number, StreamError<'FENCED'>>>();

expectTypeOf<Awaited<AsyncResult<number, StreamError>>>().toEqualTypeOf<Result<number, StreamError>>();

// An async function may return both sides without annotations getting in the way.
expectTypeOf(async (): AsyncResult<number, Error> =>
  Math.random() > 2 ? ok(1) : err(new Error('e')),
).returns.toEqualTypeOf<AsyncResult<number, Error>>();
