/**
 * Reading the file store: the tail of a stream of 1,000 records against one of 1,000,000, from memory and from the disk; opening both;
 * and catching up on 100,000 records.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createFileStreamStore } from '@perennial/store-file';

import { compare } from './lib/rounds.mjs';

const SHORT = 1_000;
const LONG = 1_000_000;
const PER_APPEND = 20;
const text = (n) => JSON.stringify({ type: 'text-delta', id: '0', delta: `token ${n}` });

const directory = await mkdtemp(join(tmpdir(), 'perennial-bench-'));

/** A directory with one stream of so many records, in commits of 20. */
async function fill(name, count) {
  const path = join(directory, name);
  const store = createFileStreamStore({ directory: path, durability: 'os' });
  await store.create('bench');
  for (let n = 0; n < count; n += PER_APPEND) {
    await store.append('bench', {
      segments: [{ records: Array.from({ length: PER_APPEND }, (_, i) => ({ data: text(n + i) })) }],
    });
  }
  await store.close();
  return path;
}

async function tailReads(store, count, times) {
  for (let i = 0; i < times; i++) {
    const { records } = await store.read('bench', { from: count - 1 - (i % 10) });
    if (records.at(-1)?.position !== count - 1) throw new Error('The tail is missing.');
  }
  return times;
}

async function open(path, count) {
  const store = createFileStreamStore({ directory: path, durability: 'os' });
  const head = await store.head('bench');
  if (head?.nextPosition !== count) throw new Error('Records are missing.');
  await store.close();
  return 1;
}

try {
  const short = await fill('short', SHORT);
  const long = await fill('long', LONG);
  const cold = { durability: 'os', streamCacheBytes: 0 };
  await compare(
    'Opening a stream',
    { [`of ${SHORT} records`]: () => open(short, SHORT), [`of ${LONG} records`]: () => open(long, LONG) },
    { rounds: 15, unit: 'opening', wall: true },
  );
  const coldShort = createFileStreamStore({ directory: short, ...cold });
  const coldLong = createFileStreamStore({ directory: long, ...cold });
  for (const store of [coldShort, coldLong]) await store.append('bench', { segments: [{ records: [{ data: '0' }] }] });
  await compare(
    'Reading the last records from the disk',
    {
      [`of ${SHORT}`]: () => tailReads(coldShort, SHORT + 1, 200),
      [`of ${LONG}`]: () => tailReads(coldLong, LONG + 1, 200),
    },
    { unit: 'read', wall: true },
  );
  let lines = [];
  await compare(
    'Catching up on 100,000 records',
    {
      'bare decode and split': async () => {
        if (lines.length === 0) lines = Array.from({ length: 100_000 }, (_, n) => text(n));
        const bytes = Buffer.from(lines.join('\n'));
        return bytes
          .toString('utf8')
          .split('\n')
          .map((data, position) => ({ kind: 'data', position, data, timestamp: 0 })).length;
      },
      'file store, in pages of 1,000': async () => {
        let from = 0;
        while (from < 100_000) from += (await coldLong.read('bench', { from, limit: 1_000 })).records.length;
        return from;
      },
    },
    { unit: 'record' },
  );
  await coldShort.close();
  await coldLong.close();
  const warmShort = createFileStreamStore({ directory: short, durability: 'os' });
  const warmLong = createFileStreamStore({ directory: long, durability: 'os' });
  for (const store of [warmShort, warmLong]) {
    for (let i = 0; i < 20; i++) await store.append('bench', { segments: [{ records: [{ data: '0' }] }] });
  }
  await compare(
    'Reading the last records from memory',
    {
      [`of ${SHORT}`]: () => tailReads(warmShort, SHORT + 21, 5_000),
      [`of ${LONG}`]: () => tailReads(warmLong, LONG + 21, 5_000),
    },
    { unit: 'read' },
  );
  await warmShort.close();
  await warmLong.close();
} finally {
  await rm(directory, { recursive: true, force: true });
}
