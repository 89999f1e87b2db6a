import { readFile, writeFile } from 'node:fs/promises';

import type { StreamRecord } from '@perennial/core';
import { describe, expect, it } from 'vitest';

import { encodeBatch } from '../src/batch-encoder.ts';
import { NO_CHANGE } from '../src/change.ts';
import { createFileStreamStore, StreamCorruptError } from '../src/index.ts';
import { saltOf } from '../src/log-state.ts';
import { readWhatCanBeRead, restoreFiles, saveFiles } from './damage.ts';
import {
  append,
  fileOf,
  folderOf,
  ID,
  logSize,
  openStore,
  produced,
  readAll,
  readTexts,
  texts,
  withStore,
} from './helpers.ts';
import { temporaryDirectory } from './temporary-directory.ts';

async function flip(path: string, offset: number, bit = 0): Promise<void> {
  const bytes = await readFile(path);
  bytes[offset] = (bytes[offset] ?? 0) ^ (1 << bit);
  await writeFile(path, bytes);
}

/** A closed stream of three commits with one record each, and the offsets at which their frames begin. */
async function threeFrames(): Promise<{
  readonly directory: string;
  readonly log: string;
  readonly offsets: readonly number[];
}> {
  const directory = await temporaryDirectory();
  const store = createFileStreamStore({ directory });
  await store.create(ID, { leaseMs: 1_000 });
  const offsets: number[] = [];
  for (let n = 0; n < 3; n++) {
    offsets.push(await logSize(directory));
    await append(store, produced(n, 1));
  }
  await store.close();
  return { directory, log: await fileOf(directory, 'log'), offsets };
}

describe('a damaged frame', () => {
  it('in the middle is never served; what is before it stays readable', async () => {
    const { directory, log, offsets } = await threeFrames();
    await flip(log, (offsets[1] ?? 0) + 50);
    const store = openStore({ directory });
    expect((await store.read(ID, { from: 0 })).records).toMatchObject([{ position: 0, data: '0' }]);
    const error = await store.read(ID, { from: 1 }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StreamCorruptError);
    expect(error).toMatchObject({ code: 'CORRUPT', streamId: ID, position: 1, offset: offsets[1], file: log });
    expect(String(error)).toContain(JSON.stringify(ID));
    expect(String(error)).toContain('position 1');
    await expect(store.read(ID, { from: 2 })).rejects.toMatchObject({ code: 'CORRUPT' });
    await expect(store.wait(ID, { position: 1 })).rejects.toMatchObject({ code: 'CORRUPT' });
    await expect(store.head(ID)).rejects.toMatchObject({ code: 'CORRUPT' });
    await expect(store.producer(ID, 'p')).rejects.toMatchObject({ code: 'CORRUPT' });
  });

  it('stops writers too, and nothing is cut off', async () => {
    const { directory, log, offsets } = await threeFrames();
    await flip(log, (offsets[1] ?? 0) + 50);
    const bytes = await readFile(log);
    const store = openStore({ directory });
    for (const call of [
      () => append(store, produced(3, 1)),
      () => store.mark(ID, { type: 'fence', token: 1, nonce: 'n' }),
      () => store.mark(ID, { type: 'lease' }),
      () => store.mark(ID, { type: 'cancel' }),
      () => store.create(ID),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'CORRUPT', streamId: ID, position: 1 });
    }
    expect((await store.read(ID, { from: 0 })).records).toHaveLength(1);
    await store.close();
    expect(await readFile(log)).toEqual(bytes);
  });

  it('does not hide its stream from listings, nor other streams', async () => {
    const { directory, log, offsets } = await threeFrames();
    const other = createFileStreamStore({ directory });
    await other.create('z');
    await other.close();
    await flip(log, (offsets[1] ?? 0) + 50);
    const store = openStore({ directory });
    expect((await store.list()).streams.map(({ id }) => id)).toEqual([ID, 'z']);
    expect((await append(store, produced(0, 1), 'z')).status).toBe('ok');
  });

  it('can be deleted, also when the creation itself is damaged', async () => {
    const { directory, log } = await threeFrames();
    await flip(log, 60);
    const store = openStore({ directory });
    await expect(store.read(ID, { from: 0 })).rejects.toMatchObject({ code: 'CORRUPT', position: 0 });
    await expect(store.create(ID)).rejects.toMatchObject({ code: 'CORRUPT' });
    expect(await store.delete(ID)).toBe(true);
    expect((await store.create(ID)).created).toBe(true);
    expect(await readTexts(store)).toEqual([]);
  });

  it('at the end is damage, not a torn write, as long as the tail mark knows better', async () => {
    const { directory, log, offsets } = await threeFrames();
    await flip(log, (offsets[2] ?? 0) + 50);
    const store = openStore({ directory });
    expect((await store.read(ID, { from: 0 })).records).toHaveLength(2);
    await expect(store.read(ID, { from: 2 })).rejects.toMatchObject({ code: 'CORRUPT', position: 2 });
    await expect(append(store, produced(3, 1))).rejects.toMatchObject({ code: 'CORRUPT', position: 2 });
  });

  it('that was never durable is a torn write, even with whole frames of the same write behind it', async () => {
    const { directory, log } = await threeFrames();
    const bytes = await readFile(log);
    const head = await withStore(directory, (store) => store.head(ID));
    const place = {
      salt: saltOf(head?.incarnation ?? ''),
      offset: bytes.length,
      position: 3,
      syncedBytes: bytes.length,
      generation: 1,
    };
    const large = JSON.stringify('y'.repeat(300_000));
    const changes = [0, 1, 2].map((n) => ({
      ...NO_CHANGE,
      bytes: large.length,
      records: [{ kind: 'data', position: 3 + n, data: large, timestamp: 1 }] satisfies StreamRecord[],
    }));
    const frames = encodeBatch(changes, place).map(({ frame }) => frame);
    expect(frames).toHaveLength(3);
    // The pages of a write reach the disk in any order: the second frame is missing, the third is there.
    frames[1]?.fill(0);
    await writeFile(log, Buffer.concat([bytes, ...frames]));
    const store = openStore({ directory });
    expect((await append(store, produced(3, 1))).status).toBe('ok');
    expect(await readTexts(store)).toEqual(['0', '1', '2', large, '3']);
  });

  it('is found by readers of a stream that was opened from a snapshot', async () => {
    const directory = await temporaryDirectory();
    const store = createFileStreamStore({ directory });
    await store.create(ID);
    const text = JSON.stringify('x'.repeat(1_000));
    for (let n = 0; n < 150; n++) await append(store, { records: texts(text) });
    await store.close();
    const log = await fileOf(directory, 'log');
    expect(await fileOf(directory, 'index')).toBeTruthy();
    await flip(log, 80_000);
    const reader = openStore({ directory });
    const { records, code } = await readWhatCanBeRead(reader);
    expect(code).toBe('CORRUPT');
    expect(records.length).toBeGreaterThan(50);
    expect(records.length).toBeLessThan(100);
    expect(records.every((record) => record.kind === 'data' && record.data === text)).toBe(true);
    await expect(reader.read(ID, { from: records.length })).rejects.toMatchObject({
      code: 'CORRUPT',
      position: records.length,
    });
    expect((await reader.read(ID, { from: 149 })).records).toHaveLength(1);
  });
});

describe('every bit of a small log', () => {
  it('flipped, alters nothing that is served', { timeout: 120_000 }, async () => {
    const { directory, log, truth } = await smallLog();
    const files = await saveFiles(folderOf(directory));
    const length = files.get(log)?.length ?? 0;
    let refused = 0;
    for (let offset = 0; offset < length; offset++) {
      const bit = offset % 8;
      await flip(log, offset, bit);
      const { records, code } = await withStore(directory, (store) => readWhatCanBeRead(store));
      expect(records, `byte ${offset}, bit ${bit}`).toEqual(truth.slice(0, records.length));
      if (code === 'CORRUPT' && records.length < truth.length) refused++;
      await restoreFiles(files);
    }
    // One bit of each byte: all of them are covered by a checksum.
    expect(refused).toBe(length);
  });

  it('flipped in the files beside it, alters nothing either', { timeout: 60_000 }, async () => {
    const { directory, log, truth } = await smallLog();
    const head = await withStore(directory, (store) => store.head(ID));
    const files = await saveFiles(folderOf(directory));
    for (const [path, bytes] of files) {
      if (path === log) continue;
      for (let offset = 0; offset < bytes.length; offset++) {
        await flip(path, offset, (offset * 3) % 8);
        const seen = await withStore(directory, async (store) => ({
          head: await store.head(ID),
          records: await readAll(store),
        }));
        expect(seen.records).toEqual(truth);
        // A request or a beat that can no longer be read is as good as lost, but never another one.
        expect([head, { ...head, cancel: null }, { ...head, lease: { durationMs: 5_000, beat: 0 } }]).toContainEqual(
          seen.head,
        );
        await restoreFiles(files);
      }
    }
  });
});

async function smallLog(): Promise<{
  readonly directory: string;
  readonly log: string;
  readonly truth: readonly StreamRecord[];
}> {
  const directory = await temporaryDirectory();
  const store = createFileStreamStore({ directory });
  await store.create(ID, { leaseMs: 5_000 });
  await append(store, { ...produced(0, 2), streamSeq: 'a' });
  await append(store, {
    records: [
      { data: '"é"', step: 's', attempt: 2 },
      { kind: 'supersede', step: 's', belowAttempt: 2 },
    ],
  });
  await store.mark(ID, { type: 'lease' });
  await store.mark(ID, { type: 'cancel', reason: 'enough' });
  await append(store, { records: texts('{"last":1.0}') });
  const truth = await readAll(store);
  await store.close();
  return { directory, log: await fileOf(directory, 'log'), truth };
}
