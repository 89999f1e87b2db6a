/** A memory store with one stream, `s`, and shortcuts to fill, end and read it. */
import {
  createMemoryStreamStore,
  type NewRecord,
  type StreamReadError,
  type StreamReader,
  type StreamStore,
} from '@perennial/core';

/** A store whose stream is open and empty. */
export async function open(): Promise<StreamStore> {
  const store = createMemoryStreamStore();
  await store.create('s');
  return store;
}

export function append(store: StreamStore, ...records: NewRecord[]): Promise<unknown> {
  return store.append('s', { segments: [{ records }] });
}

export function end(store: StreamStore, outcome: 'completed' | 'failed' | 'cancelled' = 'completed'): Promise<unknown> {
  return store.append('s', {
    segments: [
      {
        records: [],
        end: {
          outcome,
          ...(outcome === 'failed' && { error: { code: 'BOOM', message: 'broke' } }),
          ...(outcome === 'cancelled' && { reason: 'stop' }),
        },
      },
    ],
  });
}

/** A record of a value, by an attempt of a step if that is given. */
export function data(value: unknown, step?: string, attempt?: number): NewRecord {
  return {
    data: JSON.stringify(value),
    ...(step !== undefined && { step }),
    ...(attempt !== undefined && { attempt }),
  };
}

/** Reads until the stream is over; returns the values and why it is. */
export async function drain<T>(reader: StreamReader<T>): Promise<{ values: T[]; error: StreamReadError }> {
  const values: T[] = [];
  for (;;) {
    const result = await reader.read();
    if (!result.ok) return { values, error: result.error };
    values.push(result.value);
  }
}
