/** Checked by `tsc`: which records and marks can be written down at all. */
import { expectTypeOf } from 'vitest';

import type { AppendSegment, DataRecord, Mark, NewRecord, StreamRecord, SupersedeRecord } from '../../src/index.ts';

// `kind` may be left out of new data, never of a supersede record.
expectTypeOf<{ data: string }>().toExtend<NewRecord>();
expectTypeOf<{ data: Uint8Array; step: string; attempt: number }>().toExtend<NewRecord>();
expectTypeOf<{ kind: 'supersede'; step: string; belowAttempt: number }>().toExtend<NewRecord>();
expectTypeOf<{ step: string; belowAttempt: number }>().not.toExtend<NewRecord>();
expectTypeOf<{ data: number }>().not.toExtend<NewRecord>();

// Optional means absent, not undefined: stores encode what is there.
expectTypeOf<{ data: string; step: undefined }>().not.toExtend<NewRecord>();
expectTypeOf<{ records: []; end: undefined }>().not.toExtend<AppendSegment>();

// A stored record narrows by kind.
declare const record: StreamRecord;
if (record.kind === 'data') expectTypeOf(record).toEqualTypeOf<DataRecord>();
else expectTypeOf(record).toEqualTypeOf<SupersedeRecord>();
// @ts-expect-error Records never change.
record.position = 1;

// A fence needs its nonce; a lease may be released by null.
expectTypeOf<{ type: 'fence'; token: number }>().not.toExtend<Mark>();
expectTypeOf<{ type: 'lease'; durationMs: null }>().toExtend<Mark>();
