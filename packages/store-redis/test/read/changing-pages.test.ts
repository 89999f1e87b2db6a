/** Large pages are read in parts: what happens to a stream between two of them. */
import { isStreamGap, type ReadResult, type StreamStore } from '@perennial/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { fromIoredis } from '../../src/clients/ioredis.ts';
import type { RedisPort } from '../../src/clients/port.ts';
import { singleServer } from '../support/single-server.ts';
import { freshPrefix } from '../support/targets.ts';

const redis = singleServer();

/** A port that runs `change` before a page is read on without a script for the first time. */
function changing(change: () => Promise<unknown>): RedisPort {
  const port = fromIoredis(redis.admin);
  let changed: Promise<unknown> | undefined;
  return {
    ...port,
    async send(key, command) {
      if (command[0] === 'XRANGE') await (changed ??= change());
      return port.send(key, command);
    },
  };
}

const large = (count: number): readonly { readonly data: string }[] =>
  Array.from({ length: count }, (_, n) => ({ data: JSON.stringify(`${n} ${'x'.repeat(1_000)}`) }));

const positionsOf = ({ records }: ReadResult): readonly number[] => records.map(({ position }) => position);
const upwards = (from: number, { records }: ReadResult): readonly number[] =>
  Array.from(records, (_, index) => from + index);

test('a page that is trimmed while it is read ends before, and the next one is the gap', async () => {
  const prefix = freshPrefix();
  const writer = redis.open({ prefix, maxRecords: 100 });
  await writer.create('s', { records: large(100) });
  const client = changing(() => writer.append('s', { segments: [{ records: large(95) }] }));
  const store = redis.open({ prefix, client });
  const page = await store.read('s', { from: 3, limit: 1_000 });
  expect(positionsOf(page)).toEqual(upwards(3, page));
  expect(page.records.length).toBeGreaterThan(20);
  const from = 3 + page.records.length;
  await expect(store.read('s', { from })).rejects.toMatchObject({
    code: 'GAP',
    requestedPosition: from,
    earliestPosition: 95,
  });
});

test('a page of a stream that is replaced while it is read has nothing of the other', async () => {
  const prefix = freshPrefix();
  const writer = redis.open({ prefix });
  const { head } = await writer.create('s', { records: large(100) });
  const client = changing(async () => {
    await writer.delete('s');
    await writer.create('s', { records: Array.from({ length: 200 }, () => ({ data: '"other"' })) });
  });
  const page = await redis.open({ prefix, client }).read('s', { from: 3 });
  expect(page.head.incarnation).toBe(head.incarnation);
  expect(page.records).toMatchObject(large(100).slice(3, 3 + page.records.length));
  expect(positionsOf(page)).toEqual(upwards(3, page));
});

test('a page of a stream that is deleted while it is read is none', async () => {
  const prefix = freshPrefix();
  const writer = redis.open({ prefix });
  await writer.create('s', { records: large(100) });
  const store = redis.open({ prefix, client: changing(() => writer.delete('s')) });
  await expect(store.read('s', { from: 3 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

const dataAt = (position: number): string => JSON.stringify(`${position} ${'y'.repeat((position * 7_919) % 1_500)}`);

interface Reading {
  readonly skip: number;
  readonly limit: number;
  readonly maxBytes: number;
}

/** What is wrong with a page, or a gap, that a reader at `from` got; null if nothing is. */
function faultOf(from: number, page: unknown): string | null {
  if (isStreamGap(page))
    return page.requestedPosition === from && page.earliestPosition > from ? null : `${from}: ${page.message}`;
  if (page instanceof Error) return `${from}: ${page.message}`;
  const { records, head } = page as ReadResult;
  for (const [index, record] of records.entries())
    if (record.position !== from + index || record.kind !== 'data' || record.data !== dataAt(from + index))
      return `${from} + ${index}: ${JSON.stringify(record)}`;
  return from + records.length > head.nextPosition ? `${from}: more records than ${head.nextPosition}` : null;
}

/** Reads on and on, over gaps, to the tail at which writing stopped. Returns what was wrong. */
async function follow(
  store: StreamStore,
  { skip, ...bounds }: Reading,
  isWriting: () => boolean,
): Promise<readonly string[]> {
  const faults: string[] = [];
  for (let from = skip; ;) {
    const wasWriting = isWriting();
    const page: unknown = await store.read('s', { ...bounds, from }).catch((error: unknown) => error);
    const fault = faultOf(from, page);
    if (fault) faults.push(fault);
    if (isStreamGap(page)) from = page.earliestPosition;
    else if (page instanceof Error) return faults;
    else {
      const { records, head } = page as ReadResult;
      from += records.length;
      if (!wasWriting && (records.length === 0 || from >= head.nextPosition))
        return from === head.nextPosition ? faults : [...faults, `stopped at ${from}`];
    }
  }
}

const program = fc.record({
  maxRecords: fc.integer({ min: 100, max: 600 }),
  batches: fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 5, maxLength: 20 }),
  readings: fc.array(
    fc.record({
      skip: fc.nat({ max: 130 }),
      limit: fc.integer({ min: 1, max: 700 }),
      maxBytes: fc.constantFrom(1, 40_000, 1_000_000),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});

test('pages are dense and true while records are appended and trimmed', async () => {
  await fc.assert(
    fc.asyncProperty(program, async ({ maxRecords, batches, readings }) => {
      const prefix = freshPrefix();
      const writer = redis.open({ prefix, maxRecords });
      await writer.create('s', { records: Array.from({ length: 130 }, (_, n) => ({ data: dataAt(n) })) });
      let isWriting = true;
      const write = async (): Promise<void> => {
        let position = 130;
        for (const count of batches) {
          const records = Array.from({ length: count }, (_, n) => ({ data: dataAt(position + n) }));
          position += count;
          await writer.append('s', { segments: [{ records }] });
        }
        isWriting = false;
      };
      const followed = readings.map((reading) => follow(redis.open({ prefix }), reading, () => isWriting));
      await write();
      expect((await Promise.all(followed)).flat()).toEqual([]);
    }),
    { numRuns: 25 },
  );
}, 60_000);
