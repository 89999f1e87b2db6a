/** What a reader does when the journal that owns its stream shows no sign of life (PROTOCOL.md, "Leases"). */
import { createMemoryStreamStore, getStreamReader, runJournalId, type StreamStore } from '@perennial/core';
import { describe, expect, it } from 'vitest';

import { drain } from './support/one-stream.ts';

describe('leases of an owner', () => {
  /** Time passes with each look at the clock. */
  const hurried = () => {
    let now = 0;
    return () => (now += 15);
  };
  const beat = (store: StreamStore) => store.mark('journal', { type: 'lease' });

  it('end a stream of a run that nobody can take over, after the journal', async () => {
    const store = createMemoryStreamStore();
    await store.create('journal', { leaseMs: 20 });
    await store.create('s', { owner: 'journal' });
    await store.append('s', { segments: [{ records: [{ data: '"partial"' }] }] });
    const { values, error } = await drain(getStreamReader<string>({ store, streamId: 's', monotonic: hurried() }));
    expect(values).toEqual(['partial']);
    expect(error).toMatchObject({ type: 'STREAM_FAILED', failureCode: 'PRODUCER_LOST' });
    expect((await store.head('journal'))?.end?.error?.code).toBe('PRODUCER_LOST');
  });

  it('end one whose journal was ended by an observer that got no further', async () => {
    const store = createMemoryStreamStore();
    await store.create('journal', { leaseMs: 20, end: { outcome: 'cancelled', reason: 'enough' } });
    await store.create('s', { owner: 'journal' });
    const { error } = await drain(getStreamReader<string>({ store, streamId: 's' }));
    expect(error).toMatchObject({ type: 'STREAM_CANCELLED' });
  });

  it('leave a stream alone while the journal is renewed, and where the run can be taken over', async () => {
    for (const owner of [undefined, 'journal']) {
      const store = createMemoryStreamStore();
      await store.create('journal', { leaseMs: 40, ...(owner !== undefined && { owner }) });
      await store.create('s', { owner: 'journal' });
      const renewing = owner === undefined ? setInterval(() => void beat(store), 1) : undefined;
      const reader = getStreamReader<string>({ store, streamId: 's', pollTimeout: 300 });
      expect(await reader.read()).toMatchObject({ ok: false, error: { type: 'STREAM_TIMEOUT' } });
      clearInterval(renewing);
      expect((await store.head('s'))?.end).toBeNull();
      expect((await store.head('journal'))?.end).toBeNull();
    }
  });

  it('end a stream that the run has not opened', async () => {
    const store = createMemoryStreamStore();
    await store.create(runJournalId('r'), { leaseMs: 20, records: [{ data: '{"t":"start"}' }] });
    const reader = getStreamReader({ store, workflowId: 'r', namespace: 'out', monotonic: hurried() });
    expect(await reader.read()).toMatchObject({ ok: false, error: { failureCode: 'PRODUCER_LOST' } });
  });
});
