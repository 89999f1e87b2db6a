/** Readers of a stream that its run has not opened yet (PROTOCOL.md, "Runs"). */
import {
  createMemoryStreamStore,
  getStreamReader,
  journalIdOf,
  runJournalId,
  runStreamId,
  type StreamStore,
} from '@perennial/core';
import { createFaultyStore } from '@perennial/testing';
import { describe, expect, it, vi } from 'vitest';

const STREAM = runStreamId('r', 'out');
const JOURNAL = runJournalId('r');
const read = (store: StreamStore, options = {}) =>
  getStreamReader<number>({ store, workflowId: 'r', namespace: 'out', ...options });

async function begin(): Promise<StreamStore> {
  const store = createMemoryStreamStore();
  await store.create(JOURNAL, { records: [{ data: '{"t":"start"}' }] });
  return store;
}

const endRun = (store: StreamStore, outcome: 'completed' | 'cancelled') =>
  store.append(JOURNAL, { segments: [{ records: [], end: { outcome } }] });

describe('a stream that its run has not opened yet', () => {
  it('is waited for, and read from its beginning', async () => {
    const store = await begin();
    const reader = read(store);
    const first = reader.read();
    await store.append(JOURNAL, { segments: [{ records: [{ data: '{"t":"open"}' }] }] });
    await store.create(STREAM, { owner: JOURNAL });
    await store.append(STREAM, { segments: [{ records: [{ data: '1' }] }] });
    expect(await first).toMatchObject({ ok: true, value: 1 });
    await reader.close();
  });

  it('is found though its run does not write to the journal again', async () => {
    const store = createFaultyStore(await begin());
    const reader = read(store);
    const first = reader.read();
    // The pauses between two looks have grown by then.
    await vi.waitFor(() => expect(store.calls('read')).toBeGreaterThan(4), { timeout: 15_000 });
    await store.create(STREAM, { owner: JOURNAL, records: [{ data: '1' }] });
    expect(await first).toMatchObject({ ok: true, value: 1 });
    await reader.close();
  });

  it.each(['completed', 'cancelled'] as const)('ends as its run does, %s', async (outcome) => {
    const store = await begin();
    const first = read(store).read();
    await endRun(store, outcome);
    expect(await first).toMatchObject({ ok: false, error: { end: { outcome }, finalPosition: 0 } });
    expect(await read(store).read()).toMatchObject({ ok: false, error: { end: { outcome } } });
  });

  it('that was opened just before the run ended is read to its own end', async () => {
    const store = await begin();
    const reader = read(store);
    const first = reader.read();
    await store.create(STREAM, { owner: JOURNAL, records: [{ data: '1' }], end: { outcome: 'failed' } });
    await endRun(store, 'completed');
    expect(await first).toMatchObject({ ok: true, value: 1 });
    expect(await reader.read()).toMatchObject({ ok: false, error: { end: { outcome: 'failed' } } });
  });

  it('is not polled while the journal is silent: a look is worth at least twice the wait before', async () => {
    const faulty = createFaultyStore(await begin());
    const reader = read(faulty, { pollTimeout: 300 });
    expect(await reader.read()).toMatchObject({ ok: false, error: { code: 'TIMEOUT' } });
    expect(faulty.calls('read')).toBeLessThan(12);
  });

  it('lets a read time out, be aborted and closed', async () => {
    const store = await begin();
    expect(await read(store, { pollTimeout: 5 }).read()).toMatchObject({ ok: false, error: { code: 'TIMEOUT' } });
    const controller = new AbortController();
    const aborted = read(store, { signal: controller.signal }).read();
    controller.abort();
    expect(await aborted).toMatchObject({ ok: false, error: { code: 'ABORTED' } });
    const reader = read(store);
    const closed = reader.read();
    await reader.close();
    expect(await closed).toMatchObject({ ok: false, error: { code: 'READER_CLOSED' } });
  });

  it('is not found when its run is deleted meanwhile, or was never there', async () => {
    const store = await begin();
    const reader = read(store);
    const first = reader.read();
    await store.delete(JOURNAL);
    expect(await first).toMatchObject({ ok: false, error: { code: 'NOT_FOUND' } });
    expect(await read(store).read()).toMatchObject({ ok: false, error: { code: 'NOT_FOUND' } });
  });

  it('that was deleted behind its reader is not waited for again', async () => {
    const store = await begin();
    await store.create(STREAM, { owner: JOURNAL, records: [{ data: '1' }] });
    const reader = read(store);
    await reader.read();
    await store.delete(STREAM);
    expect(await reader.read()).toMatchObject({ ok: false, error: { code: 'NOT_FOUND' } });
  });
});

describe('the id of a journal', () => {
  it('is found from that of each stream of its run, whatever their names', () => {
    for (const run of ['r', 'a/b', 'ü %2F', '$journal'])
      for (const namespace of ['out', 'a/b', '$journal', '%24journal'])
        expect(journalIdOf(runStreamId(run, namespace))).toBe(runJournalId(run));
  });

  it('is that of no stream of any run', () => {
    for (const namespace of ['$journal', '%24journal', 'journal'])
      expect(runStreamId('r', namespace)).not.toBe(runJournalId('r'));
  });

  it.each([runJournalId('r'), 'runs/r', 'runs//out', 'runs/r/', 'runs/r/out/more', 'other/r/out', ''])(
    'is none for %j',
    (id) => {
      expect(journalIdOf(id)).toBeNull();
    },
  );

  it.each(['', '.', '..', '\ud800'])('refuses run %j', (run) => {
    expect(() => runJournalId(run)).toThrow(expect.objectContaining({ argument: 'workflowId' }));
  });
});
