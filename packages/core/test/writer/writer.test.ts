import {
  createMemoryStreamStore,
  decodeData,
  getStreamReader,
  getStreamWriter,
  isStreamWriteError,
  StreamError,
  type StreamStore,
} from '@perennial/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { failing, gate } from '../support/stores.ts';

const values = async (store: StreamStore, id: string): Promise<unknown[]> => {
  const { records } = await store.read(id, { from: 0, limit: 100_000, maxBytes: Number.MAX_SAFE_INTEGER });
  return records.map((record) => (record.kind === 'data' ? decodeData(record.data) : record.kind));
};

describe('write', () => {
  it('stores values in order, once', async () => {
    const store = createMemoryStreamStore();
    const writer = getStreamWriter<number>({ store, streamId: 's' });
    for (let i = 0; i < 1_000; i++) expect(await writer.write(i)).toEqual({ ok: true, value: undefined });
    expect(await writer.close()).toEqual({ ok: true, value: undefined });
    expect(await values(store, 's')).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
    expect((await store.head('s'))?.end).toEqual({ outcome: 'completed' });
    expect(writer.position).toBe(1_000);
    expect(writer.writable).toBe(false);
  });

  it('does nothing in the store before the first write', async () => {
    const store = createMemoryStreamStore();
    getStreamWriter({ store, streamId: 's' });
    expect(await store.head('s')).toBeNull();
  });

  it('groups everything written while an append is in flight into the next append', async () => {
    const gated = gate(createMemoryStreamStore(), 'append');
    const writer = getStreamWriter<number>({ store: gated.store, streamId: 's', highWaterMark: 1_000 });
    await writer.write(0);
    await gated.reached(1);
    for (let i = 1; i < 500; i++) await writer.write(i);
    gated.open();
    await writer.flush();
    expect(gated.calls).toBe(2);
    expect(await values(gated.store, 's')).toHaveLength(500);
  });

  it('pauses at the high water mark and goes on when the store answers', async () => {
    const gated = gate(createMemoryStreamStore(), 'append');
    const writer = getStreamWriter<number>({ store: gated.store, streamId: 's', highWaterMark: 16 });
    for (let i = 0; i < 16; i++) await writer.write(i);
    let accepted = false;
    const seventeenth = writer.write(16).then((result) => ((accepted = true), result));
    await gated.reached(1);
    expect(accepted).toBe(false);
    gated.open();
    expect(await seventeenth).toEqual({ ok: true, value: undefined });
    await writer.flush();
    expect(await values(gated.store, 's')).toHaveLength(17);
  });

  it('pauses at the byte mark too', async () => {
    const gated = gate(createMemoryStreamStore(), 'append');
    const writer = getStreamWriter<string>({ store: gated.store, streamId: 's', highWaterMarkBytes: 1_000 });
    await writer.write('x'.repeat(2_000));
    let accepted = false;
    const second = writer.write('y').then(() => (accepted = true));
    await gated.reached(1);
    expect(accepted).toBe(false);
    gated.open();
    await second;
  });

  it('keeps the order of writes that nobody awaits, across the high water mark, before the end', async () => {
    const store = createMemoryStreamStore();
    const writer = getStreamWriter<number>({ store, streamId: 's', highWaterMark: 4 });
    for (let i = 0; i < 100; i++) void writer.write(i);
    await writer.close();
    expect(await values(store, 's')).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  it('never needs a reader: 10,000 writes without one', async () => {
    const store = createMemoryStreamStore();
    const writer = getStreamWriter<number>({ store, streamId: 's', highWaterMark: 16 });
    for (let i = 0; i < 10_000; i++) expect((await writer.write(i)).ok).toBe(true);
    await writer.close();
    expect((await store.head('s'))?.nextPosition).toBe(10_000);
  });

  it.each([
    ['undefined', undefined],
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
    ['a bigint', 10n],
    ['NaN', Number.NaN],
    [
      'a cycle',
      (() => {
        const cycle: Record<string, unknown> = {};
        cycle['self'] = cycle;
        return cycle;
      })(),
    ],
  ])('refuses %s as UNSERIALISABLE and loses nothing', async (_, value) => {
    const store = createMemoryStreamStore();
    const writer = getStreamWriter({ store, streamId: 's' });
    await writer.write('before');
    const refused = await writer.write(value);
    expect(refused).toMatchObject({
      ok: false,
      error: { type: 'STREAM_WRITE_ERROR', reason: 'unserialisable', code: 'UNSERIALISABLE' },
    });
    await writer.write('after');
    await writer.close();
    expect(await values(store, 's')).toEqual(['before', 'after']);
  });

  it('stores bytes on a stream of another content type, and refuses anything else there', async () => {
    const store = createMemoryStreamStore();
    const writer = getStreamWriter({ store, streamId: 's', contentType: 'application/octet-stream' });
    expect((await writer.write(new Uint8Array([0, 255]))).ok).toBe(true);
    expect((await writer.write('text')).ok).toBe(false);
    await writer.close();
    expect(await values(store, 's')).toEqual([new Uint8Array([0, 255])]);
  });

  it("reports a content type that is not the stream's", async () => {
    const store = createMemoryStreamStore();
    await store.create('s', { contentType: 'text/plain' });
    const writer = getStreamWriter({ store, streamId: 's' });
    await writer.write(1);
    expect(await writer.flush()).toMatchObject({ ok: false, error: { code: 'EXISTS' } });
  });
});

describe('end', () => {
  it('refuses writes after close and after abort, each with its reason', async () => {
    const store = createMemoryStreamStore();
    const closed = getStreamWriter<number>({ store, streamId: 'closed' });
    await closed.close();
    const afterClose = await closed.write(1);
    expect(afterClose.ok || (isStreamWriteError(afterClose.error) && afterClose.error.reason)).toBe('closed');
    const broken = getStreamWriter<number>({ store, streamId: 'aborted' });
    await broken.abort(new Error('boom'));
    const afterAbort = await broken.write(1);
    expect(afterAbort.ok || afterAbort.error.reason).toBe('aborted');
  });

  it('keeps the first end, whatever is called later', async () => {
    const store = createMemoryStreamStore();
    const writer = getStreamWriter<number>({ store, streamId: 's' });
    const [first, second, third] = await Promise.all([writer.close(), writer.close(), writer.abort('late')]);
    expect([first.ok, second.ok, third.ok]).toEqual([true, true, true]);
    expect((await store.head('s'))?.end).toEqual({ outcome: 'completed' });
    expect(writer.given).toEqual({ outcome: 'completed' });
  });

  it('stores what was written before an abort, and the failure with its code', async () => {
    const store = createMemoryStreamStore();
    const writer = getStreamWriter<number>({ store, streamId: 's' });
    await writer.write(1);
    await writer.abort(Object.assign(new Error('too many requests'), { code: 'RATE_LIMIT' }));
    expect(await values(store, 's')).toEqual([1]);
    expect((await store.head('s'))?.end).toMatchObject({
      outcome: 'failed',
      error: { code: 'RATE_LIMIT', message: 'too many requests' },
    });
  });

  it('reports a stream that somebody else ended', async () => {
    const store = createMemoryStreamStore();
    const writer = getStreamWriter<number>({ store, streamId: 's' });
    await writer.write(1);
    await writer.flush();
    await store.append('s', { segments: [{ records: [], end: { outcome: 'completed' } }] });
    await writer.write(2);
    expect(await writer.flush()).toMatchObject({ ok: false, error: { reason: 'closed', code: 'CLOSED' } });
    expect(await values(store, 's')).toEqual([1]);
  });
});

describe('cancel, fencing and leases', () => {
  it('fires the signal on a cancel request, with its reason, and ends as cancelled', async () => {
    const store = createMemoryStreamStore();
    const writer = getStreamWriter<number>({ store, streamId: 's' });
    await writer.write(1);
    await writer.flush();
    const fired = new Promise<unknown>((resolve) =>
      writer.signal.addEventListener('abort', () => resolve(writer.signal.reason)),
    );
    await store.mark('s', { type: 'cancel', reason: 'user pressed stop' });
    expect(await fired).toMatchObject({ code: 'CANCELLED' });
    await writer.abort();
    expect((await store.head('s'))?.end).toEqual({ outcome: 'cancelled', reason: 'user pressed stop' });
  });

  it('stops a writer whose token was overtaken; nothing of it is stored', async () => {
    const store = createMemoryStreamStore();
    const writer = getStreamWriter<number>({ store, streamId: 's', token: 1 });
    await writer.write(1);
    await writer.flush();
    await store.mark('s', { type: 'fence', token: 2, nonce: 'other' });
    await writer.write(2);
    expect(await writer.flush()).toMatchObject({ ok: false, error: { reason: 'fenced', code: 'FENCED' } });
    expect(await writer.write(3)).toMatchObject({ ok: false, error: { reason: 'fenced' } });
    expect(await values(store, 's')).toEqual([1]);
  });

  it('renews its lease until it ends', async () => {
    const store = createMemoryStreamStore();
    const renewed = gate(store, 'mark');
    renewed.open();
    const writer = getStreamWriter<number>({ store: renewed.store, streamId: 's', leaseMs: 30 });
    await writer.open();
    await renewed.reached(3);
    await writer.close();
    expect((await store.head('s'))?.lease?.beat).toBeGreaterThanOrEqual(3);
  });

  it('tells a producer that does not write that it lost the stream', async () => {
    const store = createMemoryStreamStore();
    const writer = getStreamWriter<number>({ store, streamId: 's' });
    const { signal } = writer;
    await writer.open();
    const lost = new Promise((resolve) => signal.addEventListener('abort', resolve));
    await store.append('s', { segments: [{ records: [], end: { outcome: 'completed' } }] });
    await lost;
    expect(signal.reason).toMatchObject({ code: 'CLOSED' });
    expect(writer.writable).toBe(false);
  });
});

describe('store failures', () => {
  it.each([
    ['was not taken', true],
    ['may have been stored', false],
  ])('gives no sign of life when its end %s, so that readers need not wait for ever', async (_what, isWriting) => {
    const store = createMemoryStreamStore();
    const away = failing(store, 'append', () => 'before');
    const options = { streamId: 's', leaseMs: 60, retry: { timeoutMs: 0 } };
    const writer = getStreamWriter<number>({ store: away, ...options });
    const { signal } = writer;
    await writer.open();
    if (isWriting) await writer.write(1).then(() => writer.flush());
    expect(await writer.close()).toMatchObject({ ok: false, error: { code: 'STORE_ERROR' } });
    await store.mark('s', { type: 'cancel' });
    const read = await getStreamReader({ store, streamId: 's' }).read();
    expect(read).toMatchObject({ ok: false, error: { failureCode: 'PRODUCER_LOST' } });
    expect(signal.reason).toMatchObject({ code: 'CANCELLED' });
  });

  it('renews its lease again once a later write is stored', async () => {
    const store = createMemoryStreamStore();
    const renewed = gate(store, 'mark');
    renewed.open();
    const away = failing(renewed.store, 'append', (call) => (call <= 2 ? 'before' : null));
    const writer = getStreamWriter<number>({ store: away, streamId: 's', leaseMs: 30, retry: { timeoutMs: 0 } });
    await writer.write(1);
    expect(await writer.flush()).toMatchObject({ ok: false });
    expect(await writer.close()).toMatchObject({ ok: false });
    expect(await writer.write(2)).toEqual({ ok: true, value: undefined });
    await writer.flush();
    await renewed.reached(renewed.calls + 2);
    await writer.close();
    expect(await values(store, 's')).toEqual([1, 2]);
  });

  it('repeats an append whose answer was lost, and stores it once', async () => {
    const inner = createMemoryStreamStore();
    const store = failing(inner, 'append', (call) => (call <= 3 ? 'after' : null));
    const writer = getStreamWriter<number>({ store, streamId: 's', retry: { sleep: async () => {} } });
    for (let i = 0; i < 10; i++) await writer.write(i);
    expect((await writer.close()).ok).toBe(true);
    expect(await values(inner, 's')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('gives up after the policy, keeps what it accepted, refuses new values, and goes on when the store is back', async () => {
    const inner = createMemoryStreamStore();
    let down = true;
    const store = failing(inner, 'append', () => (down ? 'before' : null));
    const writer = getStreamWriter<number>({ store, streamId: 's', retry: { timeoutMs: 0 } });
    await writer.write(1);
    expect(await writer.flush()).toMatchObject({
      ok: false,
      error: { reason: 'store_error', cause: { code: 'STORE_ERROR' } },
    });
    const refused = await writer.write(2);
    expect(refused).toMatchObject({ ok: false, error: { reason: 'store_error' } });
    expect(writer.writable).toBe(true);
    down = false;
    expect((await writer.write(3)).ok).toBe(true);
    expect((await writer.close()).ok).toBe(true);
    expect(await values(inner, 's')).toEqual([1, 3]);
  });

  it('lets a close that failed be tried again', async () => {
    const inner = createMemoryStreamStore();
    let down = true;
    const store = failing(inner, 'append', () => (down ? 'before' : null));
    const writer = getStreamWriter<number>({ store, streamId: 's', retry: { timeoutMs: 0 } });
    await writer.write(1);
    expect((await writer.close()).ok).toBe(false);
    down = false;
    expect((await writer.close()).ok).toBe(true);
    expect(await values(inner, 's')).toEqual([1]);
    expect((await inner.head('s'))?.end).toEqual({ outcome: 'completed' });
  });

  it('reports a missing stream when it may not create one', async () => {
    const store = createMemoryStreamStore();
    const writer = getStreamWriter<number>({ store, streamId: 's', create: false });
    await writer.write(1);
    expect(await writer.flush()).toMatchObject({ ok: false, error: { reason: 'store_error', code: 'NOT_FOUND' } });
    expect(await store.head('s')).toBeNull();
  });

  it('stores every accepted value once and in order under any schedule of failures', async () => {
    const schedule = fc.array(fc.constantFrom<'before' | 'after' | null>('before', 'after', null), { maxLength: 30 });
    const actions = fc.array(
      fc.oneof(
        { weight: 5, arbitrary: fc.constant('write' as const) },
        { weight: 1, arbitrary: fc.constant('flush' as const) },
      ),
      { maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(schedule, actions, fc.integer({ min: 1, max: 8 }), async (failures, script, highWaterMark) => {
        const inner = createMemoryStreamStore();
        const store = failing(
          failing(inner, 'append', (call) => failures[call - 1] ?? null),
          'create',
          (call) => failures[call] ?? null,
        );
        const writer = getStreamWriter<number>({ store, streamId: 's', highWaterMark, retry: { timeoutMs: 0 } });
        const accepted: number[] = [];
        for (const [i, action] of script.entries()) {
          if (action === 'flush') await writer.flush();
          else if ((await writer.write(i)).ok) accepted.push(i);
        }
        for (let tries = 0; tries < 60 && !(await writer.close()).ok; tries++);
        expect(await values(inner, 's')).toEqual(accepted);
      }),
      { numRuns: 300 },
    );
  });
});

describe('options', () => {
  it.each([
    ['streamId', { streamId: '' }],
    ['workflowId', { workflowId: '..', namespace: 'x' }],
    ['highWaterMark', { streamId: 's', highWaterMark: 0 }],
    ['highWaterMark', { streamId: 's', highWaterMark: Number.NaN }],
    ['leaseMs', { streamId: 's', leaseMs: -1 }],
  ])('refuses a bad %s, naming it', (_, options) => {
    const open = (): unknown => getStreamWriter({ store: createMemoryStreamStore(), ...options });
    expect(open).toThrow(StreamError);
    expect(open).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
