/** Checked by `tsc`: code that was written against the types of `resumable-stream` compiles with those of this package. */
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import type {
  CreateResumableStreamContextOptions as PeerOptions,
  ResumableStreamContext as PeerContext,
} from 'resumable-stream';
import { expectTypeOf } from 'vitest';

import {
  createResumableStreamContext,
  type ResumableStreamContext,
  type ResumableStreamContextOptions,
} from '../src/index.ts';

expectTypeOf<ResumableStreamContext>().toExtend<PeerContext>();
expectTypeOf<Omit<PeerOptions, 'publisher'>>().toExtend<ResumableStreamContextOptions>();

// Clients that are typed as what their packages make, and the options that such code may name.
const options = { waitUntil: null, keyPrefix: 'chat', doneWatchdogIntervalMs: 5_000 } as const;
createResumableStreamContext({ ...options, publisher: new Redis(), subscriber: new Redis() });
createResumableStreamContext({ waitUntil: null, doneWatchdogIntervalMs: 5_000, publisher: createClient() });

declare const after: (task: Promise<unknown> | (() => unknown)) => void;
const context: PeerContext = createResumableStreamContext({ waitUntil: after });
expectTypeOf(context.resumableStream('id', () => new ReadableStream<string>(), 3)).toEqualTypeOf<
  Promise<ReadableStream<string> | null>
>();
