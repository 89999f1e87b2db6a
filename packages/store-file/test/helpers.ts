import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import {
  type AppendSegment,
  isStreamError,
  type NewRecord,
  type SegmentResult,
  type StreamRecord,
  type StreamStore,
} from '@perennial/core';
import { onTestFinished } from 'vitest';

import { createFileStreamStore, type FileStreamStoreOptions } from '../src/index.ts';
import { encodeStreamId } from '../src/stream-name.ts';

export const ID = 'runs/r42/tokens';

/** A store that is closed when the test is over. */
export function openStore(options: FileStreamStoreOptions): StreamStore {
  const store = createFileStreamStore(options);
  onTestFinished(() => store.close());
  return store;
}

/** Uses a store and closes it, as a process of its own would. */
export async function withStore<T>(directory: string, use: (store: StreamStore) => Promise<T>): Promise<T> {
  const store = createFileStreamStore({ directory });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

/** New records with these JSON texts. */
export const texts = (...data: readonly string[]): readonly NewRecord[] => data.map((text) => ({ data: text }));

/** `count` numbered records of a producer, with the sequence as their text. */
export function produced(seq: number, count: number, id = 'p'): AppendSegment {
  return {
    records: Array.from({ length: count }, (_, i) => ({ data: String(seq + i) })),
    producer: { id, epoch: 0, seq },
  };
}

/** Appends one segment. */
export async function append(store: StreamStore, segment: AppendSegment, id: string = ID): Promise<SegmentResult> {
  const { segments } = await store.append(id, { segments: [segment] });
  if (!segments[0]) throw new Error('An append answers each segment.');
  return segments[0];
}

/** All records, read in pages. */
export async function readAll(store: StreamStore, id: string = ID, from = 0): Promise<StreamRecord[]> {
  const all: StreamRecord[] = [];
  for (;;) {
    const { records } = await store.read(id, { from: from + all.length });
    if (records.length === 0) return all;
    all.push(...records);
  }
}

/** The texts of all records. */
export async function readTexts(store: StreamStore, id: string = ID): Promise<string[]> {
  return (await readAll(store, id)).map((record) => (record.kind === 'data' ? String(record.data) : `!${record.step}`));
}

/** The folder of a stream. */
export const folderOf = (directory: string, id: string = ID): string => join(directory, 'streams', encodeStreamId(id));

/** The path of a stream's file with this suffix. */
export async function fileOf(directory: string, suffix: 'log' | 'tail' | 'index', id: string = ID): Promise<string> {
  const folder = folderOf(directory, id);
  const name = (await readdir(folder)).find((file) => file.endsWith(`.${suffix}`));
  if (!name) throw new Error(`There is no ${suffix} in ${folder}.`);
  return join(folder, name);
}

/** Size of a stream's log. */
export const logSize = async (directory: string, id: string = ID): Promise<number> =>
  (await stat(await fileOf(directory, 'log', id))).size;

/** Lets everything run that is ready to run. */
export async function settle(turns = 20): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** A promise and its outcome so far. */
export function observe<T>(promise: Promise<T>): {
  readonly promise: Promise<T>;
  readonly state: () => 'pending' | 'fulfilled' | 'rejected';
} {
  let state: 'pending' | 'fulfilled' | 'rejected' = 'pending';
  promise.then(
    () => (state = 'fulfilled'),
    () => (state = 'rejected'),
  );
  return { promise, state: () => state };
}

/** A promise to be resolved by hand. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

/** The code that a promise rejects with; null when it does not. */
export function codeOf(promise: Promise<unknown>): Promise<string | null> {
  return promise.then(
    () => null,
    (error: unknown) => (isStreamError(error) ? error.code : String(error)),
  );
}
