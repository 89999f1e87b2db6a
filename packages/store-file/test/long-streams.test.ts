import { rm, stat, writeFile } from 'node:fs/promises';

import type { StreamStore } from '@perennial/core';
import { describe, expect, it } from 'vitest';

import { createFaultFs, type FaultFs } from './fault-fs.ts';
import { append, fileOf, ID, logSize, openStore, produced, readAll, texts, withStore } from './helpers.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const PER_APPEND = 100;
const text = (n: number): string => JSON.stringify({ n, text: 'some words of an answer' });

/** A closed stream of so many records, in commits of 100. */
async function longStream(records: number): Promise<string> {
  const directory = await temporaryDirectory();
  const store = openStore({ directory, durability: 'os' });
  await store.create(ID);
  for (let n = 0; n < records; n += PER_APPEND) {
    await append(store, {
      records: texts(...Array.from({ length: PER_APPEND }, (_, i) => text(n + i))),
      producer: { id: 'p', epoch: 0, seq: n },
    });
  }
  await store.close();
  return directory;
}

/** Bytes read from log files since the last call. */
function bytesRead({ calls }: FaultFs): number {
  const bytes = calls
    .filter(({ name, path }) => name === 'read' && path.endsWith('.log'))
    .reduce((sum, { args }) => sum + Number(args[2]), 0);
  calls.length = 0;
  return bytes;
}

function openCounted(directory: string): { readonly store: StreamStore; readonly fault: FaultFs } {
  const fault = createFaultFs();
  return { store: openStore({ directory, fs: fault.fs, streamCacheBytes: 0, durability: 'os' }), fault };
}

describe('a long stream', () => {
  it('is opened and read at any place for the same few bytes as a short one', { timeout: 60_000 }, async () => {
    const costs: { readonly open: number; readonly tail: number; readonly middle: number }[] = [];
    for (const records of [10_000, 200_000]) {
      const directory = await longStream(records);
      const { store, fault } = openCounted(directory);
      expect((await store.head(ID))?.nextPosition).toBe(records);
      const open = bytesRead(fault);
      expect((await store.read(ID, { from: records - 1 })).records).toMatchObject([
        { position: records - 1, data: text(records - 1) },
      ]);
      const tail = bytesRead(fault);
      expect((await store.read(ID, { from: records / 2, limit: 1 })).records).toMatchObject([
        { data: text(records / 2) },
      ]);
      costs.push({ open, tail, middle: bytesRead(fault) });
      await store.close();
      expect(await logSize(directory)).toBeGreaterThan(records * 40);
    }
    const [short, long] = costs;
    // Closing leaves so much to be read again rather than write a snapshot for it; how much it is, depends on when the last one was written.
    expect(long?.open).toBeLessThanOrEqual(65_536 + (short?.open ?? 0));
    expect(long?.tail).toBeLessThanOrEqual(2 * 65_536 + (short?.tail ?? 0));
    expect(long?.middle).toBeLessThanOrEqual(2 * 65_536 + (short?.middle ?? 0));
  });

  it(
    'is the same without the snapshot, with a damaged one, and after a crash between two',
    { timeout: 60_000 },
    async () => {
      const directory = await longStream(30_000);
      const index = await fileOf(directory, 'index');
      const { size } = await stat(index);
      const seen = (): Promise<unknown> =>
        withStore(directory, async (store) => [
          await store.head(ID),
          await store.producer(ID, 'p'),
          (await store.read(ID, { from: 29_990 })).records,
        ]);
      const truth = await seen();
      await writeFile(index, Buffer.alloc(size, 'x'));
      expect(await seen()).toEqual(truth);
      await rm(index);
      expect(await seen()).toEqual(truth);
    },
  );

  it('is opened from a snapshot that was written while it grew', { timeout: 60_000 }, async () => {
    const directory = await temporaryDirectory();
    const fault = createFaultFs();
    const store = openStore({ directory, fs: fault.fs, durability: 'os' });
    await store.create(ID);
    const large = texts(JSON.stringify('x'.repeat(100_000)));
    for (let n = 0; n < 60; n++) await append(store, { records: large });
    await expect.poll(() => fileOf(directory, 'index').catch(() => null)).toBeTruthy();
    // What a crash at this moment would leave: the log and the last snapshot.
    const other = await import('./other-process.ts');
    const counting = createFaultFs();
    const reader = await other.openEngine(directory, { fs: counting.fs, durability: 'os' });
    expect((await reader.head(ID))?.nextPosition).toBe(60);
    expect(bytesRead(counting)).toBeLessThan(3_000_000);
  });

  it('survives being written on after every way of opening it', async () => {
    const directory = await temporaryDirectory();
    for (let round = 0; round < 6; round++) {
      await withStore(directory, async (store) => {
        if (round === 0) await store.create(ID);
        if (round === 3) await rm(await fileOf(directory, 'index').catch(() => 'none'), { force: true });
        for (let n = 0; n < 30; n++)
          await append(store, { ...produced(round * 30 + n, 1), records: texts(JSON.stringify('y'.repeat(4_000))) });
      });
    }
    const records = await readAll(openStore({ directory }));
    expect(records.map(({ producer }) => producer?.seq)).toEqual(Array.from({ length: 180 }, (_, n) => n));
  });
});
