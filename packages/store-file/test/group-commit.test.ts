import { describe, expect, it } from 'vitest';

import { createFaultFs, type FaultFs } from './fault-fs.ts';
import { append, fileOf, gate, ID, observe, openStore, produced, readTexts, settle, texts } from './helpers.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const syncsOf = ({ calls }: FaultFs): number =>
  calls.filter(({ name, path }) => name === 'datasync' && path.endsWith('.log')).length;

/** A store with one stream, whose next syncs of the log wait for the gate. */
async function gated() {
  const fault = createFaultFs();
  const directory = await temporaryDirectory();
  const store = openStore({ directory, fs: fault.fs });
  await store.create(ID);
  const sync = gate();
  const reached = gate();
  fault.intercept = async (call, proceed) => {
    if (call.name === 'datasync' && call.path.endsWith('.log')) {
      reached.open();
      await sync.opened;
    }
    return proceed();
  };
  return { fault, directory, store, sync, reached };
}

describe('group commit', () => {
  it('stores all that is in flight with one write and one sync', async () => {
    const fault = createFaultFs();
    const directory = await temporaryDirectory();
    const store = openStore({ directory, fs: fault.fs });
    await store.create(ID);
    await append(store, { records: texts('"first"') });
    const log = await fileOf(directory, 'log');
    fault.calls.length = 0;
    const results = await Promise.all(
      Array.from({ length: 100 }, (_, n) => append(store, { records: texts(String(n)) })),
    );
    expect(results.map((result) => result.status === 'ok' && result.position)).toEqual(results.map((_, n) => n + 1));
    const onLog = fault.calls.filter(({ path }) => path === log).map(({ name }) => name);
    expect(onLog).toEqual(['write', 'datasync']);
  });

  it('gathers for the next commit what comes while one is in flight', async () => {
    const { fault, store, sync, reached } = await gated();
    const first = append(store, { records: texts('"a"') });
    await reached.opened;
    const others = Array.from({ length: 50 }, () => append(store, { records: texts('"b"') }));
    await settle();
    expect(syncsOf(fault)).toBe(1);
    sync.open();
    await Promise.all([first, ...others]);
    expect(syncsOf(fault)).toBe(2);
  });

  it('shows and answers nothing before the sync', async () => {
    const { store, sync, reached } = await gated();
    const waiting = observe(store.wait(ID, { position: 0 }));
    const first = observe(append(store, produced(0, 2)));
    await reached.opened;
    // Each of these answers would reveal the append that is not durable yet.
    const revealing = [
      observe(append(store, produced(0, 2))),
      observe(append(store, produced(5, 1))),
      observe(append(store, { records: texts('"x"'), expectedPosition: 0 })),
      observe(store.mark(ID, { type: 'fence', token: 3, nonce: 'n' })),
      observe(store.append(ID, { segments: [{ records: texts('"y"') }], token: 2 })),
      observe(store.create(ID)),
    ];
    await settle();
    expect((await store.head(ID))?.nextPosition).toBe(0);
    expect((await store.read(ID, { from: 0 })).records).toEqual([]);
    expect(await store.producer(ID, 'p')).toBeNull();
    expect([waiting, first, ...revealing].map(({ state }) => state())).toEqual(Array(8).fill('pending'));
    sync.open();
    expect(await first.promise).toEqual({ status: 'ok', position: 0, count: 2, skipped: 0 });
    expect((await waiting.promise).nextPosition).toBe(2);
    const outcomes = await Promise.allSettled(revealing.map(({ promise }) => promise));
    expect(
      outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason.code)),
    ).toMatchObject([
      { status: 'duplicate', nextSeq: 2 },
      { status: 'gap', expectedSeq: 2 },
      { status: 'conflict', nextPosition: 2 },
      { token: 3 },
      'FENCED',
      { created: false, head: { nextPosition: 2, token: 3 } },
    ]);
  });

  it('decides on what is accepted and not durable yet', async () => {
    const { store, sync, reached } = await gated();
    const first = append(store, produced(0, 3));
    await reached.opened;
    const second = append(store, produced(1, 4));
    const third = append(store, { records: texts('"last"'), end: { outcome: 'completed' }, expectedPosition: 5 });
    const late = append(store, { records: texts('"late"') });
    sync.open();
    expect(await Promise.all([first, second, third, late])).toEqual([
      { status: 'ok', position: 0, count: 3, skipped: 0 },
      { status: 'ok', position: 3, count: 2, skipped: 2 },
      { status: 'ok', position: 5, count: 1, skipped: 0 },
      { status: 'closed', end: { outcome: 'completed' } },
    ]);
    expect(await readTexts(store)).toEqual(['0', '1', '2', '3', '4', '"last"']);
  });

  it('answers each append with the head right after it', async () => {
    const directory = await temporaryDirectory();
    const store = openStore({ directory });
    await store.create(ID);
    const answers = await Promise.all(
      [1, 2, 3].map((count) => store.append(ID, { segments: [produced(0, count, `p${count}`)] })),
    );
    expect(answers.map(({ head }) => head.nextPosition)).toEqual([1, 3, 6]);
  });

  it('splits a large group without losing order or answers', async () => {
    const directory = await temporaryDirectory();
    const store = openStore({ directory, durability: 'os' });
    await store.create(ID);
    let next = 0;
    const positions: number[] = [];
    await Promise.all(
      Array.from({ length: 600 }, async () => {
        for (let round = 0; round < 8; round++) {
          const result = await append(store, { records: texts(String(next++)) });
          if (result.status === 'ok') positions.push(result.position);
        }
      }),
    );
    expect(positions.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 4_800 }, (_, n) => n));
    expect(await readTexts(store)).toEqual(Array.from({ length: 4_800 }, (_, n) => String(n)));
  });

  it("does not sync with durability 'os'", async () => {
    const fault = createFaultFs();
    const store = openStore({ directory: await temporaryDirectory(), fs: fault.fs, durability: 'os' });
    await store.create(ID);
    await append(store, { records: texts('1') });
    expect(fault.calls.filter(({ name, path }) => /sync/.test(name) && path.includes('streams'))).toEqual([]);
    expect(await readTexts(store)).toEqual(['1']);
  });

  it('keeps what it was given, whatever the caller does with it afterwards', async () => {
    const { store, sync, reached } = await gated();
    await store.create('bytes', { contentType: 'application/octet-stream' });
    const bytes = new Uint8Array([1, 2, 3]);
    const end = { outcome: 'failed' as const, error: { code: 'A', message: 'b' } };
    const pending = store.append('bytes', { segments: [{ records: [{ data: bytes }], end }] });
    await reached.opened;
    bytes.fill(9);
    end.error.code = 'changed';
    sync.open();
    await pending;
    const { records, head } = await store.read('bytes', { from: 0 });
    expect(records).toMatchObject([{ data: new Uint8Array([1, 2, 3]) }]);
    expect(head.end).toEqual({ outcome: 'failed', error: { code: 'A', message: 'b' } });
  });
});
