/** Forks where the conformance kit cannot look: on the disk, in other processes, and after a crash between two steps. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { FORK_PIN_GRACE_MS } from '@perennial/core';
import { createManualClock } from '@perennial/testing';
import { describe, expect, it } from 'vitest';

import { createFileStreamStore } from '../src/index.ts';
import { createFaultFs, errno, pass } from './fault-fs.ts';
import { append, codeOf, folderOf, ID, logSize, openStore, readTexts, texts } from './helpers.ts';
import { openEngine, PAGE } from './other-process.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const FORK = 'fork';
const retainedIn = (directory: string): Promise<string[]> => readdir(join(directory, 'retained'));
const pinsOf = async (directory: string): Promise<string[]> =>
  (await readdir(folderOf(directory))).filter((name) => name.startsWith('fork-'));

describe('a fork', () => {
  it('costs the same however long its source is', async () => {
    const directory = await temporaryDirectory();
    const store = openStore({ directory });
    await store.create('short', { records: texts('1') });
    await store.create('long', { records: texts('1', ...Array.from({ length: 1_000 }, () => `"${'x'.repeat(500)}"`)) });
    for (const from of ['short', 'long']) await store.create(`${from}~`, { fork: { from } });
    expect(Math.abs((await logSize(directory, 'short~')) - (await logSize(directory, 'long~')))).toBeLessThan(16);
  });

  it('is read by another process, before and after its source is deleted', async () => {
    const directory = await temporaryDirectory();
    const store = openStore({ directory });
    await store.create(ID, { records: texts('1', '2') });
    await store.create(FORK, { fork: { from: ID }, records: texts('3') });
    const engine = await openEngine(directory);
    const read = async (): Promise<unknown[]> =>
      (await engine.read(FORK, PAGE)).records.map((record) => (record.kind === 'data' ? record.data : null));
    expect(await read()).toEqual(['1', '2', '3']);
    await append(store, { records: texts('4') }, FORK);
    expect(await read()).toEqual(['1', '2', '3', '4']);
    await store.delete(ID);
    expect(await read()).toEqual(['1', '2', '3', '4']);
    await expect(engine.read(ID, PAGE)).rejects.toMatchObject({ code: 'NOT_FOUND', retained: true });
    const fresh = await openEngine(directory);
    expect((await fresh.read(FORK, { ...PAGE, from: 1, limit: 1 })).records).toMatchObject([
      { position: 1, data: '2' },
    ]);
  });

  it('reports damage of its source, and what lies before it stays readable', async () => {
    const directory = await temporaryDirectory();
    await (async () => {
      const store = createFileStreamStore({ directory });
      await store.create(ID, { records: texts('"first"') });
      await append(store, { records: texts('"second"') });
      await append(store, { records: texts('"third"') });
      await store.create(FORK, { fork: { from: ID } });
      await store.delete(ID);
      await store.close();
    })();
    const [name = ''] = await retainedIn(directory);
    const folder = join(directory, 'retained', name);
    const log = join(folder, (await readdir(folder)).find((file) => file.endsWith('.log')) ?? '');
    const bytes = await readFile(log);
    bytes.write('S', bytes.indexOf('second'));
    await writeFile(log, bytes);
    const store = openStore({ directory });
    expect((await store.read(FORK, { from: 0, limit: 1 })).records).toMatchObject([{ data: '"first"' }]);
    expect(await codeOf(store.read(FORK, { from: 1 }))).toBe('CORRUPT');
  });

  it('survives the loss of what only saves time', async () => {
    const directory = await temporaryDirectory();
    const store = openStore({ directory });
    await store.create(ID, { records: texts('1', '2') });
    await store.create(FORK, { fork: { from: ID, position: 1 } });
    for (let n = 0; n < 50; n++) await append(store, { records: texts(`"${'x'.repeat(4_000)}"`) }, FORK);
    const before = await readTexts(store, FORK);
    await store.close();
    const again = openStore({ directory });
    expect(await readTexts(again, FORK)).toEqual(before);
    expect((await again.head(FORK))?.fork).toMatchObject({ from: ID, position: 1 });
  });
});

describe('after a crash', () => {
  it('between pin and fork, the source goes all the same, in time', async () => {
    const directory = await temporaryDirectory();
    const clock = createManualClock();
    const fault = createFaultFs();
    const store = createFileStreamStore({ directory, fs: fault.fs, now: clock.now });
    await store.create(ID, { records: texts('1') });
    fault.intercept = async (call, proceed) => {
      if (call.name === 'rename' && String(call.args[1]).endsWith('s-fork')) throw errno('EIO');
      return proceed();
    };
    expect(await codeOf(store.create(FORK, { fork: { from: ID } }))).toBe('STORE_ERROR');
    fault.intercept = pass;
    // What a process that died here would leave: whether the fork was made is for its successor to find out.
    expect(await pinsOf(directory)).toHaveLength(1);
    expect(await store.delete(ID)).toBe(true);
    expect(await codeOf(store.create(ID))).toBe('EXISTS');
    await store.close();

    clock.advance(FORK_PIN_GRACE_MS);
    const next = openStore({ directory, now: clock.now });
    await next.create('other');
    await expect.poll(() => retainedIn(directory)).toEqual([]);
    expect((await next.create(ID)).created).toBe(true);
  });

  it('between the deletion of a fork and that of its source, the source goes all the same', async () => {
    const directory = await temporaryDirectory();
    const clock = createManualClock();
    const fault = createFaultFs();
    const store = createFileStreamStore({ directory, fs: fault.fs, now: clock.now });
    await store.create(ID, { records: texts('1') });
    await store.create(FORK, { fork: { from: ID } });
    await store.delete(ID);
    fault.intercept = async (call, proceed) => {
      if (call.name === 'rm' && call.path.includes('fork-s-')) throw errno('EIO');
      return proceed();
    };
    expect(await store.delete(FORK)).toBe(true);
    await store.close();
    expect(await retainedIn(directory)).toHaveLength(1);

    clock.advance(FORK_PIN_GRACE_MS);
    const next = openStore({ directory, now: clock.now });
    await next.create('other');
    await expect.poll(() => retainedIn(directory)).toEqual([]);
  });

  it('between the two parts of a removal, no folder stays for nobody', async () => {
    const directory = await temporaryDirectory();
    const fault = createFaultFs();
    const store = createFileStreamStore({ directory, fs: fault.fs });
    await store.create(ID, { records: texts('1') });
    await store.create(FORK, { fork: { from: ID } });
    await store.delete(ID);
    fault.intercept = async (call, proceed) => {
      if (call.name === 'rename' && call.path.includes('retained')) throw errno('EIO');
      return proceed();
    };
    expect(await store.delete(FORK)).toBe(true);
    await store.close();
    expect(await retainedIn(directory)).toHaveLength(1);
    const next = openStore({ directory });
    await next.create('other');
    await expect.poll(() => retainedIn(directory)).toEqual([]);
  });

  it('what is left of a pin that was never finished holds nothing', async () => {
    const directory = await temporaryDirectory();
    const store = openStore({ directory });
    await store.create(ID, { records: texts('1') });
    await writeFile(join(folderOf(directory), 'fork-s-x.1-0-abcdef01.tmp'), 'half');
    expect(await store.delete(ID)).toBe(true);
    expect((await store.create(ID)).created).toBe(true);
  });
});
