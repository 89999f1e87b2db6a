import type { StreamStore } from '@perennial/core';
import { describe, expect, it } from 'vitest';

import { createFaultFs, errno, type FaultFs, type FsCall, pass } from './fault-fs.ts';
import { append, gate, ID, logSize, observe, openStore, produced, readTexts, settle, texts } from './helpers.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const isLogWrite = ({ name, path }: FsCall): boolean =>
  (name === 'write' || name === 'writev') && path.endsWith('.log');
const isLogSync = ({ name, path }: FsCall): boolean => name === 'datasync' && path.endsWith('.log');

interface Scene {
  readonly fault: FaultFs;
  readonly directory: string;
  readonly store: StreamStore;
}

/** A stream with three records `0 1 2` of producer `p`. */
async function scene(): Promise<Scene> {
  const fault = createFaultFs();
  const directory = await temporaryDirectory();
  const store = openStore({ directory, fs: fault.fs });
  await store.create(ID);
  await append(store, produced(0, 3));
  return { fault, directory, store };
}

/** The stream must be as it was, here and on disk, and take appends again. */
async function expectUnharmed({ fault, directory, store }: Scene, size: number): Promise<void> {
  fault.intercept = pass;
  expect(await readTexts(store)).toEqual(['0', '1', '2']);
  expect(await store.producer(ID, 'p')).toEqual({ epoch: 0, nextSeq: 3 });
  expect(await logSize(directory)).toBe(size);
  expect(await append(store, produced(2, 2))).toEqual({ status: 'ok', position: 3, count: 1, skipped: 1 });
  await store.close();
  expect(await readTexts(openStore({ directory }))).toEqual(['0', '1', '2', '3']);
}

describe('a write that fails', () => {
  it.each([
    ['ENOSPC', 'STORE_FULL'],
    ['EDQUOT', 'STORE_FULL'],
    ['EIO', 'STORE_ERROR'],
    ['EROFS', 'STORE_ERROR'],
  ])('with %s rejects with %s and leaves nothing', async (code, expected) => {
    const at = await scene();
    const size = await logSize(at.directory);
    at.fault.intercept = async (call, proceed) => {
      if (isLogWrite(call)) throw errno(code);
      return proceed();
    };
    const error = await append(at.store, produced(3, 1)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: expected, retryable: true, cause: { code } });
    await expectUnharmed(at, size);
  });

  it('in the middle, having stored a part, leaves nothing', async () => {
    const at = await scene();
    const size = await logSize(at.directory);
    let writes = 0;
    at.fault.intercept = async (call, proceed) => {
      if (!isLogWrite(call)) return proceed();
      if (writes++ > 0) throw errno('ENOSPC');
      const [bytes, offset, , position] = call.args;
      const { open } = await import('node:fs/promises');
      const handle = await open(call.path, 'r+');
      const result = await handle.write(bytes as Buffer, Number(offset), 20, Number(position));
      await handle.close();
      return result;
    };
    await expect(append(at.store, produced(3, 1))).rejects.toMatchObject({ code: 'STORE_FULL' });
    expect(writes).toBe(2);
    await expectUnharmed(at, size);
  });

  it('that stores less than asked without an error is finished, or refused when it stands still', async () => {
    const at = await scene();
    at.fault.intercept = async (call, proceed) => {
      if (!isLogWrite(call)) return proceed();
      const [bytes, offset, length, position] = call.args;
      at.fault.intercept = pass;
      const { open } = await import('node:fs/promises');
      const handle = await open(call.path, 'r+');
      const result = await handle.write(bytes as Buffer, Number(offset), Math.min(7, Number(length)), Number(position));
      await handle.close();
      return result;
    };
    expect((await append(at.store, produced(3, 1))).status).toBe('ok');
    at.fault.intercept = async (call, proceed) => (isLogWrite(call) ? { bytesWritten: 0 } : proceed());
    await expect(append(at.store, produced(4, 1))).rejects.toMatchObject({ code: 'STORE_ERROR' });
    at.fault.intercept = pass;
    expect(await readTexts(at.store)).toEqual(['0', '1', '2', '3']);
  });

  it('rejects what was decided on top of it, refusals and duplicates included', async () => {
    const at = await scene();
    const size = await logSize(at.directory);
    const reached = gate();
    const failing = gate();
    at.fault.intercept = async (call, proceed) => {
      if (!isLogWrite(call)) return proceed();
      reached.open();
      await failing.opened;
      throw errno('EIO');
    };
    const waiting = observe(at.store.wait(ID, { position: 3 }));
    const first = append(at.store, produced(3, 1));
    await reached.opened;
    const others = [
      append(at.store, produced(4, 1)),
      append(at.store, produced(3, 1)),
      append(at.store, produced(9, 1)),
      at.store.mark(ID, { type: 'fence', token: 1, nonce: 'n' }),
      append(at.store, { records: [], end: { outcome: 'completed' } }),
    ];
    failing.open();
    const outcomes = await Promise.allSettled([first, ...others]);
    expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.code)).toEqual(
      Array(6).fill('STORE_ERROR'),
    );
    await settle();
    expect(waiting.state()).toBe('pending');
    expect(await at.store.head(ID)).toMatchObject({ nextPosition: 3, token: 0, end: null });
    await expectUnharmed(at, size);
    expect((await waiting.promise).nextPosition).toBe(4);
  });

  it.each([6, 7, 8, 9])(
    'after %i others, in the middle of many calls, rejects exactly what is not stored',
    async (good) => {
      const fault = createFaultFs();
      const directory = await temporaryDirectory();
      // Without syncs the disk is faster than the callers are, so that one half of them is answered while the other is written.
      const store = openStore({ directory, fs: fault.fs, durability: 'os' });
      await store.create(ID);
      const answers = new Map<number, string>();
      let next = 0;
      let writes = 0;
      fault.intercept = async (call, proceed) => {
        if (isLogWrite(call) && ++writes > good) throw errno('EIO');
        return proceed();
      };
      const call = async (): Promise<void> => {
        const text = String(next++);
        const result = await append(store, { records: texts(text) });
        if (result.status === 'ok') answers.set(result.position, text);
        return call();
      };
      const outcomes = await Promise.allSettled(Array.from({ length: 600 }, call));
      for (const outcome of outcomes)
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'STORE_ERROR' } });
      fault.intercept = pass;
      await store.close();
      const expected = [...answers].toSorted(([a], [b]) => a - b).map(([, text]) => text);
      expect(expected.length).toBeGreaterThan(0);
      expect(await readTexts(openStore({ directory }))).toEqual(expected);
    },
  );
});

describe('a sync that fails', () => {
  it('leaves nothing, and goes on with a fresh file handle', async () => {
    const at = await scene();
    const size = await logSize(at.directory);
    at.fault.calls.length = 0;
    at.fault.intercept = async (call, proceed) => {
      if (isLogSync(call)) throw errno('EIO');
      return proceed();
    };
    await expect(append(at.store, produced(3, 1))).rejects.toMatchObject({ code: 'STORE_ERROR' });
    const names = at.fault.calls.filter(({ path }) => path.endsWith('.log')).map(({ name }) => name);
    expect(names).toEqual(['write', 'datasync', 'close', 'open', 'truncate', 'sync']);
    await expectUnharmed(at, size);
  });

  it('with ENOSPC, as of a file system that allocates late, is a full store', async () => {
    const at = await scene();
    const size = await logSize(at.directory);
    at.fault.intercept = async (call, proceed) => {
      if (isLogSync(call)) throw errno('ENOSPC');
      return proceed();
    };
    await expect(append(at.store, produced(3, 1))).rejects.toMatchObject({ code: 'STORE_FULL' });
    await expectUnharmed(at, size);
  });

  it('and cannot be cut back keeps the remains from readers, and cuts before the next write', async () => {
    const at = await scene();
    const size = await logSize(at.directory);
    at.fault.intercept = async (call, proceed) => {
      if (isLogSync(call) || call.name === 'truncate') throw errno('EIO');
      return proceed();
    };
    await expect(append(at.store, produced(3, 2))).rejects.toMatchObject({ code: 'STORE_ERROR' });
    expect(await logSize(at.directory)).toBeGreaterThan(size);
    expect(await readTexts(at.store)).toEqual(['0', '1', '2']);
    await expect(append(at.store, produced(3, 2))).rejects.toMatchObject({ code: 'STORE_ERROR' });
    at.fault.intercept = pass;
    // Shorter than the remains: had they not been cut, their end would follow this record.
    expect(await append(at.store, { records: texts('7') })).toMatchObject({ status: 'ok', position: 3 });
    await at.store.close();
    expect(await readTexts(openStore({ directory: at.directory }))).toEqual(['0', '1', '2', '7']);
  });
});

describe('a creation that fails', () => {
  it.each([
    ['mkdir', 'ENOSPC', 'STORE_FULL'],
    ['writeFile', 'ENOSPC', 'STORE_FULL'],
    ['sync', 'EIO', 'STORE_ERROR'],
    ['rename', 'EIO', 'STORE_ERROR'],
  ])('at %s with %s rejects with %s and leaves no stream', async (name, code, expected) => {
    const at = await scene();
    at.fault.intercept = async (call, proceed) => {
      if (call.name === name) throw errno(code);
      return proceed();
    };
    await expect(at.store.create('other', { records: texts('1') })).rejects.toMatchObject({ code: expected });
    at.fault.intercept = pass;
    expect(await at.store.head('other')).toBeNull();
    expect((await at.store.list()).streams.map(({ id }) => id)).toEqual([ID]);
    expect((await at.store.create('other', { records: texts('2') })).created).toBe(true);
    expect(await readTexts(at.store, 'other')).toEqual(['2']);
  });
});

describe('a read that fails', () => {
  it('rejects with STORE_ERROR and works again later', async () => {
    const at = await scene();
    await at.store.close();
    const fault = createFaultFs();
    const store = openStore({ directory: at.directory, fs: fault.fs });
    fault.intercept = async (call, proceed) => {
      if (call.name === 'read') throw errno('EIO');
      return proceed();
    };
    await expect(store.read(ID, { from: 0 })).rejects.toMatchObject({ code: 'STORE_ERROR' });
    await expect(store.head(ID)).rejects.toMatchObject({ code: 'STORE_ERROR' });
    fault.intercept = pass;
    expect(await readTexts(store)).toEqual(['0', '1', '2']);
  });
});
