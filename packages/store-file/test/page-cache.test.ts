import type { StreamRecord, StreamStore } from '@perennial/core';
import { describe, expect, it } from 'vitest';

import { decodeRecords, encodePayload, type Page } from '../src/frame-payload.ts';
import { PageBudget, PageCache } from '../src/page-cache.ts';
import { GROUP_BYTES } from '../src/text-cutter.ts';
import { createFaultFs } from './fault-fs.ts';
import { append, ID, openStore, texts } from './helpers.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const REQUEST = { from: 0, limit: 10, maxBytes: 1_000 };

function recordsFrom(from: number, count = 10): readonly StreamRecord[] {
  return Array.from({ length: count }, (_, n) => ({
    kind: 'data',
    position: from + n,
    data: `${from + n}`,
    timestamp: 1,
  }));
}

/** Reads a page twice, as two readers do. */
function readTwice(cache: PageCache, from: number): void {
  for (let reader = 0; reader < 2; reader++) cache.note({ ...REQUEST, from }, recordsFrom(from), 20);
}

describe('a page cache', () => {
  it('keeps a page from the second time on, for the same request only', () => {
    const cache = new PageCache(new PageBudget(100_000));
    cache.note(REQUEST, recordsFrom(0), 20);
    expect(cache.find(REQUEST)).toBeNull();
    cache.note({ ...REQUEST, limit: 9 }, recordsFrom(0, 9), 18);
    expect(cache.find(REQUEST)).toBeNull();
    readTwice(cache, 0);
    expect(cache.find(REQUEST)).toEqual(recordsFrom(0));
    expect(cache.find({ ...REQUEST, limit: 9 })).toBeNull();
    expect(cache.find({ ...REQUEST, maxBytes: 999 })).toBeNull();
    expect(cache.find({ ...REQUEST, from: 1 })).toBeNull();
  });

  it('keeps pages of other limits and sizes at the same place beside one another, and counts them all', () => {
    const budget = new PageBudget(100_000);
    const cache = new PageCache(budget);
    const requests = [REQUEST, { ...REQUEST, limit: 9 }, { ...REQUEST, maxBytes: 999 }];
    for (let reader = 0; reader < 2; reader++)
      for (const request of requests) cache.note(request, recordsFrom(0, request.limit), 2 * request.limit);
    for (const request of requests) expect(cache.find(request)).toEqual(recordsFrom(0, request.limit));
    expect(budget.used).toBeGreaterThan(3 * GROUP_BYTES);
    cache.close();
    expect(budget.used).toBe(0);
  });

  it('gives each reader a list of its own', () => {
    const cache = new PageCache(new PageBudget(100_000));
    const records = [...recordsFrom(0)];
    cache.note(REQUEST, records, 20);
    cache.note(REQUEST, records, 20);
    records.length = 0;
    const first = cache.find(REQUEST);
    expect(first).toEqual(recordsFrom(0));
    expect(cache.find(REQUEST)).not.toBe(first);
  });

  it('takes no more memory than all of them together may, and gives up what was not used for longest', () => {
    const budget = new PageBudget(20_000);
    const [one, other] = [new PageCache(budget), new PageCache(budget)];
    readTwice(one, 0);
    readTwice(other, 0);
    for (let from = 10; from < 1_000; from += 10) {
      readTwice(one, from);
      expect(budget.used).toBeLessThanOrEqual(20_000);
      expect(other.find(REQUEST)).toEqual(recordsFrom(0));
    }
    expect(one.find(REQUEST)).toBeNull();
    expect(one.find({ ...REQUEST, from: 990 })).toEqual(recordsFrom(990));
    one.close();
    expect(one.find({ ...REQUEST, from: 990 })).toBeNull();
    other.close();
    expect(budget.used).toBe(0);
  });

  it('counts the neighbours that the text of a record keeps in memory', () => {
    const count = 500;
    const payload = encodePayload({ runs: [{ n: count, t: 1 }] }, recordsFrom(0, count), 0);
    const budget = new PageBudget(1_000_000);
    const cache = new PageCache(budget);
    for (let from = 0; from < 20; from++) {
      for (let reader = 0; reader < 2; reader++) {
        const page: Page = { limit: 1, maxBytes: 1_000, records: [], bytes: 0 };
        decodeRecords(payload, { firstPosition: 0, count, isText: true, from }, page);
        cache.note({ ...page, from }, page.records, page.bytes);
      }
    }
    expect(budget.used).toBeGreaterThanOrEqual(20 * GROUP_BYTES);
  });

  it('takes nothing that was read for a stream that was let go meanwhile', () => {
    const budget = new PageBudget(100_000);
    const cache = new PageCache(budget);
    readTwice(cache, 0);
    cache.close();
    readTwice(cache, 0);
    expect(cache.find(REQUEST)).toBeNull();
    expect(budget.used).toBe(0);
  });

  it('keeps nothing without memory', () => {
    const budget = new PageBudget(0);
    const cache = new PageCache(budget);
    readTwice(cache, 0);
    expect(cache.find(REQUEST)).toBeNull();
    expect(budget.used).toBe(0);
  });
});

describe('readers that catch up one after the other', () => {
  const all = Array.from({ length: 95 }, (_, n) => JSON.stringify(n));

  async function catchUp(store: StreamStore, limit = 10): Promise<unknown[]> {
    const seen: unknown[] = [];
    for (;;) {
      const { records, head } = await store.read(ID, { from: seen.length, limit });
      for (const record of records) seen.push(record.kind === 'data' && record.data);
      if (seen.length >= head.nextPosition) return seen;
    }
  }

  it('share the full pages that two of them have read, and see all that comes after them', async () => {
    const fault = createFaultFs();
    const store = openStore({ directory: await temporaryDirectory(), fs: fault.fs, streamCacheBytes: 0 });
    await store.create(ID);
    await append(store, { records: texts(...all) });
    const reads: number[] = [];
    for (let reader = 0; reader < 3; reader++) {
      fault.calls.length = 0;
      expect(await catchUp(store)).toEqual(all);
      reads.push(fault.calls.filter(({ name }) => name === 'read').length);
    }
    // Nine full pages and the last one, which is not full.
    expect(reads).toEqual([10, 10, 1]);
    await append(store, { records: texts('"more"') });
    expect(await catchUp(store)).toEqual([...all, '"more"']);
  });

  it('keep their pages beside those of readers with other limits that begin at the same places', async () => {
    const fault = createFaultFs();
    const store = openStore({ directory: await temporaryDirectory(), fs: fault.fs, streamCacheBytes: 0 });
    await store.create(ID);
    await append(store, { records: texts(...all) });
    const reads: number[] = [];
    for (let round = 0; round < 3; round++) {
      fault.calls.length = 0;
      for (const limit of [10, 20]) expect(await catchUp(store, limit)).toEqual(all);
      reads.push(fault.calls.filter(({ name }) => name === 'read').length);
    }
    // Nine full pages of ten and four of twenty, and of each the last one, which is not full.
    expect(reads).toEqual([15, 15, 2]);
  });

  it('never see the pages of a stream that was deleted', async () => {
    const store = openStore({ directory: await temporaryDirectory(), streamCacheBytes: 0 });
    await store.create(ID);
    await append(store, { records: texts(...all) });
    for (let reader = 0; reader < 3; reader++) await catchUp(store);
    await store.delete(ID);
    await store.create(ID);
    const others = all.map((text) => `[${text}]`);
    await append(store, { records: texts(...others) });
    expect(await catchUp(store)).toEqual(others);
  });
});
