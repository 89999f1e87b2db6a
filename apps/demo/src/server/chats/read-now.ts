import { decodeData, publicEnd, type StreamEnd, type StreamStore } from '@perennial/core';
import type { z } from 'zod';

/** A stream as it is at this moment. */
export interface StreamNow<T> {
  readonly values: readonly T[];
  /** Where a reader goes on. */
  readonly position: number;
  /** Null while the stream is open. */
  readonly end: StreamEnd | null;
}

/** Reads all of a stream that is there now, without waiting for more; null when it does not exist. */
export async function readNow<T>(
  store: StreamStore,
  streamId: string,
  schema: z.ZodType<T>,
): Promise<StreamNow<T> | null> {
  if (!(await store.head(streamId))) return null;
  const values: T[] = [];
  for (let position = 0; ;) {
    const { records, head } = await store.read(streamId, { from: position });
    for (const record of records) if (record.kind === 'data') values.push(schema.parse(decodeData(record.data)));
    position += records.length;
    if (position >= head.nextPosition) return { values, position, end: head.end && publicEnd(head.end) };
  }
}
