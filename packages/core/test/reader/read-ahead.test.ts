/** A reader that catches up gets its next page while it consumes the current one, and never anything else than without. */
import { createMemoryStreamStore, getStreamReader, type StreamStore } from '@perennial/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { failing, gate } from '../support/stores.ts';

async function filled(count: number): Promise<StreamStore> {
  const store = createMemoryStreamStore();
  await store.create('s', { records: Array.from({ length: count }, (_, n) => ({ data: String(n) })) });
  return store;
}

/** Notes what is read of a store. */
function noting(store: StreamStore): { readonly store: StreamStore; readonly reads: [from: number, limit: number][] } {
  const reads: [number, number][] = [];
  const proxy = new Proxy(store, {
    get(target, key) {
      if (key === 'read')
        return (id: string, options: { readonly from: number; readonly limit: number }) => {
          reads.push([options.from, options.limit]);
          return target.read(id, options);
        };
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return { store: proxy, reads };
}

async function take(reader: AsyncIterable<number>, count: number): Promise<number[]> {
  const values: number[] = [];
  for await (const value of reader) if (values.push(value) === count) break;
  return values;
}

describe('a reader', () => {
  it('of a few records reads one page', async () => {
    const { store, reads } = noting(await filled(10_000));
    expect(await take(getStreamReader<number>({ store, streamId: 's' }), 5)).toEqual([0, 1, 2, 3, 4]);
    expect(reads).toEqual([[0, 512]]);
  });

  it('that catches up gets larger pages, each once', async () => {
    const { store, reads } = noting(await filled(10_000));
    expect(await take(getStreamReader<number>({ store, streamId: 's' }), 10_000)).toHaveLength(10_000);
    expect(reads).toEqual([
      [0, 512],
      [512, 1_024],
      [1_536, 2_048],
      [3_584, 4_096],
      [7_680, 4_096],
    ]);
  });

  it('gets pages of the size it asked for', async () => {
    const { store, reads } = noting(await filled(25));
    expect(await take(getStreamReader<number>({ store, streamId: 's', pageSize: 10 }), 25)).toHaveLength(25);
    expect(reads).toEqual([
      [0, 10],
      [10, 10],
      [20, 10],
    ]);
  });

  it('has one page fetched ahead and no more, and none when told so', async () => {
    for (const [readAhead, ahead] of [
      [true, 3],
      [false, 2],
    ] as const) {
      const { store, reads } = noting(await filled(100));
      const reader = getStreamReader<number>({ store, streamId: 's', pageSize: 10, readAhead });
      for (let n = 0; n < 15; n++) expect(await reader.read()).toEqual({ ok: true, value: n });
      expect(reads).toHaveLength(ahead);
    }
  });

  it('does not wait for a page when it has the next one already', async () => {
    const inner = await filled(40);
    const gated = gate(inner, 'read');
    const reader = getStreamReader<number>({ store: gated.store, streamId: 's', pageSize: 10 });
    const first = reader.read();
    gated.open();
    await first;
    for (let n = 1; n < 11; n++) await reader.read();
    await gated.reached(3);
    await inner.delete('s');
    for (let n = 11; n < 30; n++) expect(await reader.read()).toEqual({ ok: true, value: n });
    expect(await reader.read()).toMatchObject({ ok: false, error: { code: 'NOT_FOUND' } });
  });

  it('reports the failure of a page when it comes to it, and may go on', async () => {
    const store = failing(await filled(40), 'read', (call) => (call === 3 ? 'before' : null));
    const reader = getStreamReader<number>({ store, streamId: 's', pageSize: 10 });
    for (let n = 0; n < 20; n++) expect(await reader.read()).toEqual({ ok: true, value: n });
    expect(await reader.read()).toMatchObject({ ok: false, error: { code: 'STORE_ERROR' } });
    for (let n = 20; n < 40; n++) expect(await reader.read()).toEqual({ ok: true, value: n });
  });

  it('that stops leaves no failure behind', async () => {
    const store = failing(await filled(40), 'read', (call) => (call === 3 ? 'before' : null));
    const reader = getStreamReader<number>({ store, streamId: 's', pageSize: 10 });
    for (let n = 0; n < 12; n++) await reader.read();
    await reader.close();
    expect(await reader.read()).toMatchObject({ ok: false, error: { code: 'READER_CLOSED' } });
  });

  it('reads the same with and without, whatever is appended meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 12 }),
        fc.boolean(),
        async (bursts, pageSize, readAhead) => {
          const store = await filled(0);
          const reader = getStreamReader<number>({ store, streamId: 's', pageSize, readAhead });
          const total = bursts.reduce((sum, burst) => sum + burst, 0);
          const reading = take(reader, total);
          let n = 0;
          for (const burst of bursts.filter((size) => size > 0)) {
            const records = Array.from({ length: burst }, () => ({ data: String(n++) }));
            await store.append('s', { segments: [{ records }] });
          }
          if (total === 0) await reader.close();
          const expected = Array.from({ length: total }, (_, index) => index);
          await expect(total === 0 ? Promise.resolve([]) : reading).resolves.toEqual(expected);
          await reading.catch(() => undefined);
        },
      ),
    );
  });
});
