import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { createManualClock } from '@perennial/testing';
import { describe, expect, it } from 'vitest';

import { createFileStreamStore } from '../src/index.ts';
import { createFaultFs, errno, pass } from './fault-fs.ts';
import { append, codeOf, folderOf, ID, openStore, produced, readTexts, texts } from './helpers.ts';
import { openEngine } from './other-process.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const streamsIn = (directory: string): Promise<string[]> => readdir(join(directory, 'streams'));

describe('a deleted stream', () => {
  it('is gone at once, and its files soon', async () => {
    const directory = await temporaryDirectory();
    const store = createFileStreamStore({ directory });
    await store.create(ID, { records: texts('1') });
    const late = [append(store, produced(0, 1)), store.delete(ID), append(store, produced(1, 1))];
    expect(await Promise.allSettled(late)).toMatchObject([
      { status: 'fulfilled', value: { status: 'ok' } },
      { status: 'fulfilled', value: true },
      // Before or after the deletion, but never in between.
      {},
    ]);
    expect(await store.head(ID)).toBeNull();
    expect(await store.delete(ID)).toBe(false);
    expect(await streamsIn(directory)).toEqual([]);
    await store.close();
    expect(await readdir(join(directory, 'trash'))).toEqual([]);
  });

  it('stays deleted when the process dies before its files are removed', async () => {
    const directory = await temporaryDirectory();
    const fault = createFaultFs();
    const store = createFileStreamStore({ directory, fs: fault.fs });
    await store.create(ID, { records: texts('1') });
    fault.intercept = async (call, proceed) => {
      if (call.name === 'rm' && call.path.includes('trash')) throw errno('EIO');
      return proceed();
    };
    expect(await store.delete(ID)).toBe(true);
    await store.close();
    expect(await readdir(join(directory, 'trash'))).toHaveLength(1);
    const next = createFileStreamStore({ directory });
    expect(await next.head(ID)).toBeNull();
    await next.create('other');
    await next.close();
    expect(await readdir(join(directory, 'trash'))).toEqual([]);
  });

  it.each(['rename', 'sync', 'access'])('that could not be deleted because %s failed is still there', async (name) => {
    const directory = await temporaryDirectory();
    const fault = createFaultFs();
    const store = openStore({ directory, fs: fault.fs });
    await store.create(ID, { records: texts('1') });
    fault.intercept = async (call, proceed) => {
      if (call.name === name) throw errno('EIO');
      return proceed();
    };
    await expect(store.delete(ID)).rejects.toMatchObject({ code: 'STORE_ERROR' });
    fault.intercept = pass;
    expect(await readTexts(store)).toEqual(['1']);
    expect((await append(store, produced(0, 1))).status).toBe('ok');
  });
});

describe('a created stream', () => {
  it('is synced with its folder, and the folder with the one above', async () => {
    const fault = createFaultFs();
    const directory = join(await temporaryDirectory(), 'a', 'b');
    const store = openStore({ directory, fs: fault.fs });
    await store.create(ID);
    const trail = fault.calls
      .filter(({ name }) => name === 'sync' || name === 'rename')
      .map(
        ({ name, path }) =>
          `${name} ${path.slice(path.indexOf(directory) + directory.length).replaceAll(/[0-9a-f-]{36}/g, '<new>')}`,
      );
    const named = trail.indexOf('rename /making/<new>');
    expect(trail.slice(0, named)).toEqual(
      expect.arrayContaining(['sync /making/<new>/0000000001.log', 'sync /making/<new>']),
    );
    expect(trail.slice(named)).toContain('sync /streams');
    const synced = fault.calls.filter(({ name }) => name === 'sync').map(({ path }) => path);
    expect(synced).toEqual(expect.arrayContaining([directory, join(directory, '..'), join(directory, '..', '..')]));
  });

  it('takes the place of what is left of a folder without a log', async () => {
    const directory = await temporaryDirectory();
    await mkdir(folderOf(directory), { recursive: true });
    await writeFile(join(folderOf(directory), 'cancel'), 'left over');
    const store = openStore({ directory });
    expect((await store.create(ID, { records: texts('1') })).created).toBe(true);
    expect((await store.head(ID))?.cancel).toBeNull();
    await store.close();
    expect(await readTexts(openStore({ directory }))).toEqual(['1']);
  });

  it('shares the sync of names with others created at the time', async () => {
    const fault = createFaultFs();
    const directory = await temporaryDirectory();
    const store = openStore({ directory, fs: fault.fs });
    await store.create('first');
    fault.calls.length = 0;
    await Promise.all(Array.from({ length: 50 }, (_, n) => store.create(`s/${n}`)));
    const syncs = fault.calls.filter(({ name, path }) => name === 'sync' && path === join(directory, 'streams'));
    expect(syncs.length).toBeLessThan(50);
  });
});

describe('an expired stream', () => {
  it('is removed from the disk by whoever asks for it', async () => {
    const directory = await temporaryDirectory();
    const clock = createManualClock();
    const store = openStore({ directory, now: clock.now });
    await store.create(ID, { ttlMs: 1_000 });
    clock.advance(1_000);
    expect(await store.head(ID)).toBeNull();
    expect(await streamsIn(directory)).toEqual([]);
  });

  it('is removed by later creations, a few at a time, without anybody asking', async () => {
    const directory = await temporaryDirectory();
    const clock = createManualClock();
    const fault = createFaultFs();
    const store = openStore({ directory, fs: fault.fs, now: clock.now });
    for (let n = 0; n < 20; n++) await store.create(`old/${n}`, { expiresAt: clock.now() + 10 });
    await store.create('lasting');
    clock.advance(10);
    for (let n = 0; n < 20; n++) {
      fault.calls.length = 0;
      await store.create(`new/${n}`);
      expect(fault.calls.length).toBeLessThan(200);
    }
    expect((await streamsIn(directory)).filter((name) => name.startsWith('s-old'))).toEqual([]);
    expect(await streamsIn(directory)).toHaveLength(21);
  });

  it('is found by later creations also where one that lasts had been', async () => {
    const directory = await temporaryDirectory();
    const clock = createManualClock();
    const store = openStore({ directory, now: clock.now });
    await store.create(ID);
    await store.create('other');
    await store.delete(ID);
    await store.create(ID, { ttlMs: 10 });
    clock.advance(10);
    for (let n = 0; n < 3; n++) await store.create(`new/${n}`);
    expect(await streamsIn(directory)).toHaveLength(4);
  });

  it('wakes its readers', async () => {
    const directory = await temporaryDirectory();
    const clock = createManualClock();
    const store = openStore({ directory, now: clock.now, pollIntervalMs: 10 });
    await store.create(ID, { ttlMs: 1_000 });
    const other = await openEngine(directory, { now: clock.now, pollIntervalMs: 10 });
    const here = codeOf(store.wait(ID, { position: 0 }));
    const there = codeOf(other.wait(ID, other, { position: 0 }));
    clock.advance(2_000);
    expect(await Promise.all([here, there])).toEqual(['NOT_FOUND', 'NOT_FOUND']);
  });

  it('lives on when it was read elsewhere, or before a restart', async () => {
    const directory = await temporaryDirectory();
    const clock = createManualClock();
    const store = createFileStreamStore({ directory, now: clock.now });
    await store.create(ID, { ttlMs: 1_000 });
    clock.advance(900);
    const other = await openEngine(directory, { now: clock.now });
    await other.read(ID, { from: 0, limit: 1, maxBytes: 1 });
    await other.close();
    await store.close();
    clock.advance(900);
    const again = createFileStreamStore({ directory, now: clock.now });
    await append(again, produced(0, 1));
    await again.close();
    clock.advance(900);
    const last = openStore({ directory, now: clock.now });
    expect(await last.head(ID)).not.toBeNull();
    clock.advance(100);
    expect(await last.head(ID)).toBeNull();
  });

  it('does not turn every read into a write', async () => {
    const directory = await temporaryDirectory();
    const clock = createManualClock();
    const fault = createFaultFs();
    const store = openStore({ directory, fs: fault.fs, now: clock.now });
    await store.create(ID, { ttlMs: 8_000 });
    fault.calls.length = 0;
    for (let n = 0; n < 100; n++) {
      clock.advance(40);
      await store.read(ID, { from: 0 });
    }
    expect(fault.calls.filter(({ name }) => name === 'utimes').length).toBeLessThanOrEqual(4);
    expect(folderOf(directory)).toBeTruthy();
  });
});
