import { mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it, vi } from 'vitest';

import { createFileStreamStore } from '../src/index.ts';
import { createFaultFs } from './fault-fs.ts';
import { append, codeOf, gate, ID, openStore, produced, readTexts, texts } from './helpers.ts';
import { temporaryDirectory } from './temporary-directory.ts';

describe('stores on one directory', () => {
  it('share one engine, whatever the path to it', async () => {
    const root = await temporaryDirectory();
    await mkdir(join(root, 'real'));
    await symlink(join(root, 'real'), join(root, 'link'));
    const first = openStore({ directory: join(root, 'real', 'streams') });
    // The directory itself does not exist yet.
    const second = openStore({ directory: join(root, 'link', 'other', '..', 'streams') });
    await first.create(ID);
    const waiting = second.wait(ID, { position: 0 });
    expect((await append(second, produced(0, 1))).status).toBe('ok');
    await waiting;
    expect(await append(first, produced(0, 1))).toEqual({ status: 'duplicate', nextSeq: 1 });
    expect(await readdir(join(root, 'real', 'streams', 'lock'))).toEqual(['0000000001']);
  });

  it('share it across copies of the module', async () => {
    const directory = await temporaryDirectory();
    const store = openStore({ directory });
    await store.create(ID);
    vi.resetModules();
    const copy = await import('../src/index.ts');
    expect(copy.createFileStreamStore).not.toBe(createFileStreamStore);
    const other = copy.createFileStreamStore({ directory });
    expect((await append(other, produced(0, 1))).status).toBe('ok');
    expect(await readTexts(store)).toEqual(['0']);
    await other.close();
    expect((await append(store, produced(1, 1))).status).toBe('ok');
  });

  it('close one by one; the last gives up the lock', async () => {
    const directory = await temporaryDirectory();
    const [first, second] = [createFileStreamStore({ directory }), createFileStreamStore({ directory })];
    await first.create(ID);
    await second.head(ID);
    const [waitFirst, waitSecond] = [first.wait(ID, { position: 0 }), second.wait(ID, { position: 0 })];
    const closed = codeOf(waitFirst);
    await Promise.all([first.close(), first.close()]);
    expect(await closed).toBe('STORE_CLOSED');
    await expect(first.head(ID)).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await append(second, produced(0, 1));
    expect((await waitSecond).nextPosition).toBe(1);
    await second.close();
    const third = openStore({ directory });
    await append(third, produced(1, 1));
    expect(await readdir(join(directory, 'lock'))).toEqual(['0000000002']);
  });

  it('may be opened while the last one still closes', async () => {
    const directory = await temporaryDirectory();
    for (let n = 0; n < 5; n++) {
      const store = createFileStreamStore({ directory });
      await store.create(`s/${n}`);
      const closing = store.close();
      const next = createFileStreamStore({ directory });
      expect((await append(next, produced(0, 1), `s/${n}`)).status).toBe('ok');
      await Promise.all([closing, next.close()]);
    }
  });

  it('cannot differ in what an acknowledgement means', async () => {
    const directory = await temporaryDirectory();
    const store = openStore({ directory });
    await store.create(ID);
    const other = openStore({ directory, durability: 'os' });
    await expect(other.head(ID)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'durability' });
  });
});

describe('close', () => {
  it('answers what is in flight', async () => {
    const fault = createFaultFs();
    const directory = await temporaryDirectory();
    const store = createFileStreamStore({ directory, fs: fault.fs });
    await store.create(ID);
    const reached = gate();
    const sync = gate();
    fault.intercept = async (call, proceed) => {
      if (call.name === 'datasync') {
        reached.open();
        await sync.opened;
      }
      return proceed();
    };
    const first = append(store, produced(0, 1));
    await reached.opened;
    const second = append(store, produced(1, 1));
    const created = store.create('other');
    const closing = store.close();
    sync.open();
    expect(await Promise.all([first, second])).toMatchObject([{ status: 'ok' }, { status: 'ok' }]);
    expect((await created).created).toBe(true);
    await closing;
    expect(fault.open.count).toBe(0);
  });

  it('of a store that was never used does nothing', async () => {
    const fault = createFaultFs();
    const store = createFileStreamStore({ directory: '/nowhere', fs: fault.fs });
    await store.close();
    await store.close();
    expect(fault.calls).toEqual([]);
    await expect(store.list()).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });

  it('writes down where to go on, so that opening reads little', async () => {
    const directory = await temporaryDirectory();
    const store = createFileStreamStore({ directory, durability: 'os' });
    await store.create(ID);
    await append(store, { records: texts(...Array.from({ length: 2_000 }, () => JSON.stringify('x'.repeat(500)))) });
    await store.close();
    const fault = createFaultFs();
    const again = openStore({ directory, fs: fault.fs });
    expect((await again.head(ID))?.nextPosition).toBe(2_000);
    const bytes = fault.calls.filter(({ name }) => name === 'read').reduce((sum, { args }) => sum + Number(args[2]), 0);
    expect(bytes).toBeLessThan(10_000);
  });
});
