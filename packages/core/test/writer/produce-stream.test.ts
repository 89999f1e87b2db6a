import { createMemoryStreamStore, produceStream, PublicError } from '@perennial/core';
import { describe, expect, it } from 'vitest';

describe('produceStream', () => {
  it('completes, fails with a public message only, and is cancelled by request', async () => {
    const store = createMemoryStreamStore();
    const done = produceStream<number>({ store, streamId: 'ok' }, async (writer) => {
      await writer.write(1);
    });
    expect((await done.opened).ok).toBe(true);
    expect(await done.done).toEqual({ outcome: 'completed' });

    const failed = produceStream<number>({ store, streamId: 'bad' }, async () => {
      throw new PublicError('MODEL_BUSY', 'Try again in a minute.');
    });
    expect(await failed.done).toMatchObject({ outcome: 'failed', error: { code: 'MODEL_BUSY', public: true } });
    expect((await store.head('bad'))?.end).toMatchObject({ outcome: 'failed', error: { code: 'MODEL_BUSY' } });

    const cancelled = produceStream<number>({ store, streamId: 'stop' }, async (writer) => {
      await writer.write(1);
      await new Promise((resolve) => writer.signal.addEventListener('abort', resolve));
      writer.signal.throwIfAborted();
    });
    await cancelled.opened;
    await store.mark('stop', { type: 'cancel', reason: 'enough' });
    expect(await cancelled.done).toEqual({ outcome: 'cancelled', reason: 'enough' });
    expect((await store.head('stop'))?.end).toEqual({ outcome: 'cancelled', reason: 'enough' });
  });

  it('keeps the end that the producer gave itself, and reports a stream it cannot open', async () => {
    const store = createMemoryStreamStore();
    const own = produceStream<number>({ store, streamId: 'own' }, async (writer) => {
      await writer.abort(new PublicError('NOPE', 'no'));
    });
    expect(await own.done).toMatchObject({ outcome: 'failed', error: { code: 'NOPE' } });
    await store.close();
    const closed = produceStream<number>({ store, streamId: 'x' }, async () => {});
    expect(await closed.opened).toMatchObject({ ok: false, error: { code: 'STORE_CLOSED' } });
    expect(await closed.done).toMatchObject({ outcome: 'failed' });
  });
});
