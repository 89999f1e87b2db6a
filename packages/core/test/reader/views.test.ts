/** Views of a stream in which attempts of steps were superseded. */
import { committedView, getStreamReader, liveView, type NewRecord, type StreamReader } from '@perennial/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { append, data, drain, end, open } from './support/one-stream.ts';

const supersede = (step: string, belowAttempt: number): NewRecord => ({ kind: 'supersede', step, belowAttempt });

describe('views', () => {
  const log = [
    data('a', 'x', 1),
    data('body'),
    data('b', 'y', 1),
    data('c', 'x', 1),
    supersede('x', 2),
    data('d', 'x', 2),
  ];

  it('live: hides superseded data of that step only, also when it catches up', async () => {
    const store = await open();
    await append(store, ...log);
    await end(store);
    expect((await drain(getStreamReader({ store, streamId: 's' }))).values).toEqual(['body', 'b', 'd']);
    expect((await drain(getStreamReader({ store, streamId: 's', view: 'raw' }))).values).toEqual([
      'a',
      'body',
      'b',
      'c',
      'd',
    ]);
  });

  it('live: reports a retraction of what was handed out, then goes on', async () => {
    const store = await open();
    await append(store, ...log.slice(0, 4));
    const reader = getStreamReader<string>({ store, streamId: 's' });
    expect(await reader.readBatch()).toMatchObject({ value: ['a', 'body', 'b', 'c'] });
    await append(store, ...log.slice(4));
    await end(store);
    expect(await reader.read()).toMatchObject({
      ok: false,
      error: { type: 'STREAM_SUPERSEDED', step: 'x', belowAttempt: 2, position: 4 },
    });
    expect(await reader.read()).toEqual({ ok: true, value: 'd' });
    expect((await reader.read()).ok).toBe(false);
  });

  it('live: a resumed reader is told too, since the values may be with the one before it', async () => {
    const store = await open();
    await append(store, ...log);
    const reader = getStreamReader<string>({ store, streamId: 's', startIndex: 4 });
    expect(await reader.read()).toMatchObject({ ok: false, error: { type: 'STREAM_SUPERSEDED' } });
    expect(await reader.read()).toEqual({ ok: true, value: 'd' });
  });

  it('iteration throws a retraction unless it is handled', async () => {
    const store = await open();
    await append(store, ...log.slice(0, 4));
    const seen: string[] = [];
    const consume = async (reader: StreamReader<string>): Promise<void> => {
      for await (const value of reader) {
        seen.push(value);
        if (value === 'c') {
          await append(store, ...log.slice(4));
          await end(store);
        }
      }
    };
    await expect(consume(getStreamReader({ store, streamId: 's' }))).rejects.toMatchObject({
      type: 'STREAM_SUPERSEDED',
    });
    const retracted: string[] = [];
    for await (const value of getStreamReader<string>({
      store,
      streamId: 's',
      pageSize: 2,
      onSupersede: (x) => retracted.push(x.step),
    }))
      seen.push(value);
    expect(retracted).toEqual(['x']);
    expect(seen.at(-1)).toBe('d');
  });

  it('committed: waits for the verdict on a step', async () => {
    const store = await open();
    await append(store, ...log);
    await end(store);
    const verdicts = new Map([
      ['x', 2],
      ['y', 0],
    ]);
    const reader = getStreamReader<string>({
      store,
      streamId: 's',
      view: 'committed',
      isCommitted: async (step, attempt) => verdicts.get(step) === attempt,
    });
    expect((await drain(reader)).values).toEqual(['body', 'd']);
  });

  it('the pure views agree with the reader for random logs', async () => {
    const record = fc.oneof(
      fc
        .record({ step: fc.constantFrom('x', 'y', undefined), attempt: fc.integer({ min: 1, max: 3 }) })
        .map(({ step, attempt }) => data(`${step}${attempt}`, step, step && attempt)),
      fc
        .record({ step: fc.constantFrom('x', 'y'), below: fc.integer({ min: 1, max: 4 }) })
        .map(({ step, below }) => supersede(step, below)),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 5 }),
        async (records, pageSize) => {
          const store = await open();
          await append(store, ...records);
          await end(store);
          const page = await store.read('s', { from: 0 });
          const expected = liveView(page.records).map((x) => JSON.parse(x.data as string));
          // A consumer that drops what is retracted ends up with the live view, however the pages fall.
          let kept: { value: unknown; step: string | undefined; attempt: number }[] = [];
          const reader = getStreamReader<string>({
            store,
            streamId: 's',
            pageSize,
            onSupersede: ({ step, belowAttempt }) =>
              (kept = kept.filter((x) => x.step !== step || x.attempt >= belowAttempt)),
          });
          for (let result = await reader.read(); result.ok; result = await reader.read()) {
            const { step, attempt } = page.records[reader.position - 1] as { step?: string; attempt?: number };
            kept.push({ value: result.value, step, attempt: attempt ?? 1 });
          }
          expect(kept.map((x) => x.value)).toEqual(expected);
          expect(committedView(page.records, () => true)).toHaveLength(
            page.records.filter((x) => x.kind === 'data').length,
          );
        },
      ),
      { numRuns: 200 },
    );
  });
});
