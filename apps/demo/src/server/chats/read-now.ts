import {
  decodeData,
  isStreamNotFound,
  liveView,
  publicEnd,
  type ReadResult,
  type StreamEnd,
  type StreamRecord,
  type StreamStore,
} from '@perennial/core';
import type { z } from 'zod';

/** A stream as it is at this moment. */
export interface StreamNow<T> {
  readonly values: readonly T[];
  /** Where a reader goes on. */
  readonly position: number;
  /** Null while the stream is open. */
  readonly end: StreamEnd | null;
}

/** Reads all of a stream that is there now from a position on and nobody took back, without waiting for more; null when it does not exist. */
export async function readNow<T>(
  store: StreamStore,
  streamId: string,
  schema: z.ZodType<T>,
  from = 0,
): Promise<StreamNow<T> | null> {
  const all: StreamRecord[] = [];
  for (let position = from; ;) {
    const page = await readPage(store, streamId, position);
    if (!page) return null;
    const { records, head } = page;
    all.push(...records);
    position += records.length;
    if (position < head.nextPosition) continue;
    const values = liveView(all).map(({ data }) => schema.parse(decodeData(data)));
    return { values, position, end: head.end && publicEnd(head.end) };
  }
}

async function readPage(store: StreamStore, streamId: string, from: number): Promise<ReadResult | null> {
  try {
    return await store.read(streamId, { from });
  } catch (error) {
    if (isStreamNotFound(error)) return null;
    throw error;
  }
}
