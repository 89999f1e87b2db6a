import { describe, expect, it } from 'vitest';

import { createFaultFs } from './fault-fs.ts';
import { append, ID, openStore, produced, readAll, readTexts, texts } from './helpers.ts';
import { temporaryDirectory } from './temporary-directory.ts';

describe('many streams', () => {
  it('need no more open files than allowed, whatever is in flight', async () => {
    const fault = createFaultFs();
    const store = openStore({ directory: await temporaryDirectory(), fs: fault.fs, maxOpenFiles: 8, durability: 'os' });
    const ids = Array.from({ length: 60 }, (_, n) => `s/${n}`);
    for (const id of ids) await store.create(id);
    const open = () => fault.calls.filter(({ name, path }) => name === 'open' && /\.(log|tail)$/.test(path)).length;
    fault.calls.length = 0;
    let held = 0;
    let most = 0;
    fault.intercept = async (call, proceed) => {
      const isPooled = /streams.*\.(log|tail)$/.test(call.path) && call.args[1] !== 'wx';
      if (call.name === 'open' && isPooled) most = Math.max(most, ++held);
      if (call.name === 'close' && isPooled) held--;
      return proceed();
    };
    for (let round = 0; round < 3; round++) {
      const results = await Promise.all(ids.map((id) => append(store, produced(round, 1), id)));
      expect(results.every(({ status }) => status === 'ok')).toBe(true);
      await Promise.all(ids.map((id) => store.read(id, { from: 0 })));
    }
    expect(most).toBeGreaterThan(4);
    expect(most).toBeLessThanOrEqual(8);
    expect(open()).toBeGreaterThan(60);
  });

  it('keep little in memory: those not used for longest are forgotten and come back as they were', async () => {
    const fault = createFaultFs();
    const store = openStore({ directory: await temporaryDirectory(), fs: fault.fs, maxLoadedStreams: 4 });
    for (let n = 0; n < 20; n++) {
      await store.create(`s/${n}`);
      await append(store, produced(0, 2), `s/${n}`);
    }
    // Loading a stream reads its creation; what is loaded needs no look at the disk.
    const loads = async (id: string): Promise<number> => {
      fault.calls.length = 0;
      await store.read(id, { from: 2 });
      return fault.calls.filter(({ name, path }) => name === 'readdir' && path.includes('streams')).length;
    };
    expect(await loads('s/0')).toBe(1);
    expect(await loads('s/0')).toBe(0);
    for (let n = 0; n < 20; n++) {
      expect(await append(store, produced(1, 2), `s/${n}`)).toEqual({
        status: 'ok',
        position: 2,
        count: 1,
        skipped: 1,
      });
      expect(await readTexts(store, `s/${n}`)).toEqual(['0', '1', '2']);
    }
  });

  it('waited for stay in memory, however many there are', async () => {
    const store = openStore({ directory: await temporaryDirectory(), maxLoadedStreams: 2, maxOpenFiles: 2 });
    const ids = Array.from({ length: 12 }, (_, n) => `s/${n}`);
    for (const id of ids) await store.create(id);
    const waiting = ids.map((id) => store.wait(id, { position: 0 }));
    for (const id of ids) await append(store, produced(0, 1), id);
    for (const head of await Promise.all(waiting)) expect(head.nextPosition).toBe(1);
  });
});

describe('recent records', () => {
  it('are shared by all readers, without a look at the disk', async () => {
    const fault = createFaultFs();
    const store = openStore({ directory: await temporaryDirectory(), fs: fault.fs });
    await store.create(ID);
    await append(store, produced(0, 10));
    fault.calls.length = 0;
    const pages = await Promise.all(Array.from({ length: 50 }, () => store.read(ID, { from: 3 })));
    expect(fault.calls).toEqual([]);
    for (const { records } of pages) records.forEach((record, n) => expect(record).toBe(pages[0]?.records[n]));
  });

  it('take no more memory than allowed, and older ones are read from the disk just the same', async () => {
    const fault = createFaultFs();
    const store = openStore({
      directory: await temporaryDirectory(),
      fs: fault.fs,
      streamCacheBytes: 20_000,
      durability: 'os',
    });
    await store.create(ID);
    const text = (n: number): string => JSON.stringify(`${n}:${'x'.repeat(100)}`);
    for (let n = 0; n < 500; n++) await append(store, { records: texts(text(n)) });
    const cached = async (from: number): Promise<boolean> => {
      fault.calls.length = 0;
      await store.read(ID, { from, limit: 1 });
      return fault.calls.every(({ name }) => name !== 'read');
    };
    expect(await cached(499)).toBe(true);
    expect(await cached(450)).toBe(true);
    expect(await cached(400)).toBe(false);
    expect(await readTexts(store)).toEqual(Array.from({ length: 500 }, (_, n) => text(n)));
    // A page that begins on the disk and ends in memory.
    const { records } = await store.read(ID, { from: 395, limit: 105 });
    expect(records.map(({ position }) => position)).toEqual(Array.from({ length: 105 }, (_, n) => 395 + n));
  });

  it('of many streams together take no more memory than allowed', async () => {
    const fault = createFaultFs();
    const store = openStore({
      directory: await temporaryDirectory(),
      fs: fault.fs,
      cacheBytes: 50_000,
      durability: 'os',
    });
    const text = JSON.stringify('x'.repeat(1_000));
    for (let n = 0; n < 100; n++) await store.create(`s/${n}`, { records: texts(text, text) });
    fault.calls.length = 0;
    for (let n = 0; n < 100; n++) await store.read(`s/${n}`, { from: 0 });
    const fromDisk = new Set(fault.calls.filter(({ name }) => name === 'read').map(({ path }) => path));
    expect(fromDisk.size).toBeGreaterThan(75);
    expect(fromDisk.size).toBeLessThan(100);
  });
});

describe('appends', () => {
  it('larger than allowed are refused, and nothing is stored', async () => {
    const store = openStore({ directory: await temporaryDirectory(), maxAppendBytes: 100 });
    await store.create(ID);
    const large = JSON.stringify('x'.repeat(99));
    const refusal = { code: 'LIMIT_EXCEEDED', message: expect.stringContaining('maxAppendBytes') };
    await expect(append(store, { records: texts(large) })).rejects.toMatchObject(refusal);
    await expect(append(store, { records: texts('1', large.slice(0, 0) + large) })).rejects.toMatchObject(refusal);
    await expect(store.create('other', { records: texts(large) })).rejects.toMatchObject(refusal);
    expect(await store.head('other')).toBeNull();
    expect(await readTexts(store)).toEqual([]);
    expect((await append(store, { records: texts(JSON.stringify('x'.repeat(98))) })).status).toBe('ok');
  });

  it('that pile up beyond the allowed are refused until the disk has caught up', async () => {
    const store = openStore({ directory: await temporaryDirectory(), maxPendingBytes: 10_000 });
    await store.create(ID);
    const text = JSON.stringify('x'.repeat(3_000));
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => append(store, { records: texts(text) })));
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
    ]);
    expect(outcomes[4]).toMatchObject({ reason: { code: 'LIMIT_EXCEEDED' } });
    expect((await append(store, { records: texts(text) })).status).toBe('ok');
    expect(await readAll(store)).toHaveLength(4);
  });

  it('of every size come back as they were', async () => {
    const store = openStore({ directory: await temporaryDirectory(), durability: 'os', streamCacheBytes: 0 });
    await store.create(ID);
    const sizes = [0, 1, 100, 65_000, 65_536, 262_144, 262_145, 1_000_000, 5_000_000, 3];
    await Promise.all(sizes.map((size) => append(store, { records: texts(JSON.stringify('\u00e9'.repeat(size))) })));
    const read = (await readAll(store)).map((record) => record.kind === 'data' && String(record.data).length - 2);
    expect(read).toEqual(sizes);
  });
});
