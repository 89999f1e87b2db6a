import {
  decodeData,
  getStreamWriter,
  type Result,
  retryStoreCall,
  type StreamHead,
  type StreamStore,
  type StreamWriteError,
  type StreamWriter,
} from '@perennial/core';

import { PipelineError } from '../errors/streaming-error.ts';

/** Options of {@link openFencedLog}. */
export interface FencedLogOptions {
  readonly store: StreamStore;
  readonly streamId: string;
  /** Kinds and keys of the stages that the records are about: they mean nothing to other stages. */
  readonly shape: readonly string[];
  /** Sliding time to live of a new stream, in ms. */
  readonly ttlMs?: number | undefined;
}

/** A stream of JSON records that one run at a time may write. */
export interface FencedLog<T> {
  /** Nothing will be added: an earlier run finished it. */
  readonly ended: boolean;
  /** Records found at opening. */
  readonly count: number;
  /** The last record found at opening. */
  last(): Promise<T | undefined>;
  /** The records found at opening. */
  readAll(): AsyncGenerator<T, undefined>;
  /** Resolves once the record is accepted; rejects once the log can take no more. */
  append(record: T): Promise<void>;
  /** Resolves once everything appended is durable. */
  flush(): Promise<void>;
  /** Ends the log, after everything appended. */
  end(): Promise<void>;
}

interface Header {
  readonly perennial: 'checkpoint';
  readonly version: 1;
  readonly shape: readonly string[];
}

/** Opens a log and fences off every run that had it open before: a process that was thought dead can do no harm. */
export async function openFencedLog<T>({ store, streamId, shape, ttlMs }: FencedLogOptions): Promise<FencedLog<T>> {
  const opening = `opening checkpoint ${streamId}`;
  const { head: found } = await retryStoreCall(opening, () =>
    store.create(streamId, ttlMs === undefined ? {} : { ttlMs }),
  );
  // One nonce for all tries: a fence whose answer was lost is recognised as ours.
  const fence = { type: 'fence', token: found.token + 1, nonce: crypto.randomUUID() } as const;
  const head = found.end ? found : await retryStoreCall(opening, () => store.mark(streamId, fence));
  const writer = getStreamWriter<T | Header>({ store, streamId, create: false, token: head.token });
  if (head.nextPosition > 0) await assertShape(store, head, shape);
  else unwrap(await writer.write({ perennial: 'checkpoint', version: 1, shape }));
  return createLog(store, head, writer);
}

function createLog<T>(store: StreamStore, head: StreamHead, writer: StreamWriter<T | Header>): FencedLog<T> {
  const { id, nextPosition } = head;
  const count = Math.max(nextPosition - 1, 0);
  return {
    ended: head.end !== null,
    count,
    async last() {
      if (count === 0) return undefined;
      const [record] = await readPage<T>(store, id, nextPosition - 1);
      return record;
    },
    async *readAll() {
      for (let position = 1; position < nextPosition;) {
        const page = await readPage<T>(store, id, position);
        yield* page;
        position += page.length;
      }
      return undefined;
    },
    append: async (record) => unwrap(await writer.write(record)),
    flush: async () => unwrap(await writer.flush()),
    end: async () => unwrap(await writer.close()),
  };
}

async function readPage<T>(store: StreamStore, id: string, from: number): Promise<T[]> {
  const { records } = await retryStoreCall(`reading checkpoint ${id}`, () => store.read(id, { from }));
  // The header's shape vouches for what the records are.
  return records.map((record) => (record.kind === 'data' ? decodeData(record.data) : null) as T);
}

async function assertShape(store: StreamStore, { id }: StreamHead, shape: readonly string[]): Promise<void> {
  const [header] = await readPage<Partial<Header> | null>(store, id, 0);
  if (header?.perennial !== 'checkpoint' || header.version !== 1 || !Array.isArray(header.shape)) {
    throw mismatch(
      `Stream '${id}' is not a checkpoint of this version. Name another one by \`runId\` or \`streamId\`.`,
    );
  }
  if (header.shape.join() === shape.join()) return;
  throw mismatch(
    `The checkpoint in stream '${id}' was written by other stages: ${header.shape.join(', ')}; now they are ${shape.join(', ')}. Start anew with another \`runId\`, or delete the stream.`,
  );
}

function mismatch(message: string): PipelineError {
  return new PipelineError('CHECKPOINT_MISMATCH', message);
}

function unwrap(result: Result<void, StreamWriteError>): void {
  if (!result.ok) throw result.error;
}
