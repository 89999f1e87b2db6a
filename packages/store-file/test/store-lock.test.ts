import { readdir, rm, utimes, writeFile } from 'node:fs/promises';
import * as nodeFs from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { StoreLockedError } from '../src/index.ts';
import { currentProcess, judgeProcess, type ProcessIdentity } from '../src/process-identity.ts';
import { createStoreLock, type StoreLock } from '../src/store-lock.ts';
import { abandonClaim, claimsOf, forgeClaim } from './claims.ts';
import { createFaultFs, pass, WRITING } from './fault-fs.ts';
import { append, codeOf, gate, ID, openStore, produced, readTexts, texts, withStore } from './helpers.ts';
import { openEngine, PAGE } from './other-process.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const self = currentProcess();
/** Beyond every platform's largest pid. */
const DEAD_PID = 2 ** 30;

function lockOf(
  directory: string,
  identity: Partial<ProcessIdentity> = {},
  staleAfterMs = 30_000,
): StoreLock & { lost: unknown[] } {
  const lost: unknown[] = [];
  const lock = createStoreLock({
    fs: nodeFs,
    directory,
    identity: { ...self, ...identity },
    staleAfterMs,
    onLost: (error) => lost.push(error),
  });
  onTestFinished(() => lock.release());
  return Object.assign(lock, { lost });
}

describe('the lock', () => {
  it('is not taken by creating a store, nor by reads and refusals', async () => {
    const fault = createFaultFs();
    const directory = await temporaryDirectory();
    const store = openStore({ directory: join(directory, 'not', 'there'), fs: fault.fs });
    expect(fault.calls).toEqual([]);
    expect(await store.head(ID)).toBeNull();
    expect(await store.list()).toEqual({ streams: [] });
    expect(await store.delete(ID)).toBe(false);
    await expect(store.read(ID, { from: 0 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(append(store, { records: texts('1') })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(store.mark(ID, { type: 'cancel' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(fault.calls.filter(({ name }) => WRITING.has(name))).toEqual([]);
    expect(await readdir(directory)).toEqual([]);
  });

  it('is taken by the first mutation, and a second writer learns who has it', async () => {
    const directory = await temporaryDirectory();
    const owner = await openEngine(directory);
    await owner.create(ID, {});
    const other = await openEngine(directory);
    for (const call of [
      () => other.create('x', {}),
      () => other.append(ID, { segments: [produced(0, 1)] }),
      () => other.mark(ID, { type: 'fence', token: 1, nonce: 'n' }),
      () => other.delete(ID),
    ]) {
      const error = await call().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(StoreLockedError);
      expect(error).toMatchObject({
        code: 'STORE_LOCKED',
        owner: { pid: process.pid, host: hostname(), generation: 1 },
      });
      expect(String(error)).toContain(String(process.pid));
    }
    // Reads and cancel requests need no lock.
    expect((await other.read(ID, PAGE)).records).toEqual([]);
    expect((await other.mark(ID, { type: 'cancel', reason: 'r' })).cancel?.reason).toBe('r');
  });

  it('goes to the next writer when its owner closes, with the next generation', async () => {
    const directory = await temporaryDirectory();
    for (const generation of [1, 2, 3]) {
      const engine = await openEngine(directory);
      await engine.create(`s${generation}`, {});
      expect(await claimsOf(directory)).toEqual([String(generation).padStart(10, '0')]);
      await engine.close();
    }
  });

  it.each([
    ['whose pid is gone', { pid: DEAD_PID }],
    ['whose pid was given to another process', { startedAt: 'long ago' }],
    ['from before the machine was restarted', { bootId: 'the boot before' }],
  ])('is taken from an owner %s', async (_name, changes) => {
    const directory = await temporaryDirectory();
    await withStore(directory, (store) => store.create(ID));
    await forgeClaim(directory, changes);
    await withStore(directory, (store) => append(store, produced(0, 1)));
    expect(await claimsOf(directory)).toEqual(['0000000002']);
  });

  it('is not taken from an owner that lives', async () => {
    const directory = await temporaryDirectory();
    await withStore(directory, (store) => store.create(ID));
    await forgeClaim(directory, {});
    const engine = await openEngine(directory);
    await expect(engine.create('x', {})).rejects.toMatchObject({ code: 'STORE_LOCKED' });
  });

  it('is taken from an owner that cannot be seen only after a time without a sign of life', async () => {
    const directory = await temporaryDirectory();
    await withStore(directory, (store) => store.create(ID));
    await forgeClaim(directory, { pidNamespace: 'another container' });
    await expect((await openEngine(directory)).create('x', {})).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    await abandonClaim(directory);
    expect((await (await openEngine(directory)).create('x', {})).created).toBe(true);
  });

  it('of another machine is judged by this clock alone', async () => {
    const directory = await temporaryDirectory();
    await withStore(directory, (store) => store.create(ID));
    const path = await forgeClaim(directory, { host: 'elsewhere', bootId: 'other' });
    const aMinuteAgo = new Date(Date.now() - 60_000);
    await utimes(path, aMinuteAgo, aMinuteAgo);
    const lock = lockOf(directory, {}, 40);
    await expect(lock.acquire()).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    await expect
      .poll(
        () =>
          lock.acquire().then(
            () => 'taken',
            () => 'locked',
          ),
        { timeout: 5_000 },
      )
      .toBe('taken');
    expect(lock.claim?.sealBelow).toBe(2);
  });

  it('that is damaged counts as held for a time', async () => {
    const directory = await temporaryDirectory();
    await withStore(directory, (store) => store.create(ID));
    await writeFile(join(directory, 'lock', '0000000001'), 'rubbish');
    const lock = lockOf(directory, {}, 40);
    await expect(lock.acquire()).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      message: expect.stringContaining('damaged'),
    });
    await expect
      .poll(
        () =>
          lock.acquire().then(
            () => 'taken',
            () => 'locked',
          ),
        { timeout: 5_000 },
      )
      .toBe('taken');
  });

  it('goes to exactly one of many that want it', async () => {
    const directory = await temporaryDirectory();
    for (let round = 0; round < 20; round++) {
      const locks = Array.from({ length: 8 }, () => lockOf(directory));
      const outcomes = await Promise.allSettled(locks.map((lock) => lock.acquire()));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(locks.filter(({ held }) => held)).toHaveLength(1);
      const winner = locks.find(({ held }) => held);
      expect(winner?.claim?.generation).toBe(round + 1);
      await winner?.check();
      if (round % 2 === 0) await winner?.release();
      else await forgeClaim(directory, { pid: DEAD_PID });
    }
  });

  it('is not given to a process that is far behind', async () => {
    const directory = await temporaryDirectory();
    const slow = createFaultFs();
    const late = createStoreLock({
      fs: slow.fs,
      directory,
      identity: self,
      staleAfterMs: 30_000,
      onLost: () => undefined,
    });
    let raced = false;
    slow.intercept = async (call, proceed) => {
      // Between its look at the claims and its own claim, two owners come and go: number 1 is free again.
      if (call.name === 'link' && !raced) {
        raced = true;
        const first = lockOf(directory);
        await first.acquire();
        await first.release();
        await lockOf(directory).acquire();
      }
      return proceed();
    };
    await expect(late.acquire()).rejects.toMatchObject({ code: 'STORE_LOCKED', owner: { generation: 2 } });
    expect(await claimsOf(directory)).toEqual(['0000000002']);
  });

  it('works where the file system has no links', async () => {
    const directory = await temporaryDirectory();
    const fault = createFaultFs();
    fault.intercept = async (call, proceed) => {
      if (call.name === 'link') throw Object.assign(new Error('no links here'), { code: 'EPERM' });
      return proceed();
    };
    const store = openStore({ directory, fs: fault.fs });
    await store.create(ID);
    expect((await store.mark(ID, { type: 'cancel', reason: 'r' })).cancel?.reason).toBe('r');
    await expect((await openEngine(directory)).create('x', {})).rejects.toMatchObject({ code: 'STORE_LOCKED' });
  });

  it('shows signs of life', async () => {
    const directory = await temporaryDirectory();
    const lock = lockOf(directory, {}, 60);
    await lock.acquire();
    const path = join(directory, 'lock', '0000000001');
    const { mtimeMs } = await nodeFs.stat(path);
    await expect.poll(async () => (await nodeFs.stat(path)).mtimeMs, { timeout: 5_000 }).toBeGreaterThan(mtimeMs);
  });
});

describe('a writer that has lost the lock', () => {
  it('acknowledges nothing any more, and goes on as a reader', async () => {
    const directory = await temporaryDirectory();
    const old = await openEngine(directory);
    await old.create(ID, {});
    await old.append(ID, { segments: [produced(0, 1)] });
    await abandonClaim(directory);
    const next = await openEngine(directory);
    await next.append(ID, { segments: [produced(1, 1)] });

    const waiting = old.wait(ID, old, { position: 1 });
    await expect(old.append(ID, { segments: [produced(0, 1, 'q')] })).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      owner: { generation: 2 },
    });
    expect((await waiting).nextPosition).toBe(2);
    await next.append(ID, { segments: [produced(2, 1)] });
    const { records } = await old.read(ID, PAGE);
    expect(records.map((record) => record.producer?.id)).toEqual(['p', 'p', 'p']);
    await expect(old.create('x', {})).rejects.toMatchObject({ code: 'STORE_LOCKED' });
  });

  it('and cannot be seen from here writes into a file that nobody reads', async () => {
    const directory = await temporaryDirectory();
    const fault = createFaultFs();
    const zombie = await openEngine(directory, { fs: fault.fs });
    await zombie.create(ID, {});
    await zombie.append(ID, { segments: [produced(0, 2)] });
    // Frozen with the lock in hand, in another container: the next owner can only go by the time.
    await abandonClaim(directory);
    const next = await openEngine(directory);
    await next.append(ID, { segments: [produced(2, 1)] });

    // It thaws, and its claim looks fine for just one more moment.
    fault.intercept = async (call, proceed) => (call.name === 'access' ? undefined : proceed());
    await zombie.append(ID, { segments: [produced(0, 50, 'zombie')] });
    await next.append(ID, { segments: [produced(3, 1)] });
    const reader = await openEngine(directory);
    for (const engine of [next, reader]) {
      const { records } = await engine.read(ID, PAGE);
      expect(records.map((record) => record.kind === 'data' && record.data)).toEqual(['0', '1', '2', '3']);
    }
  });

  it('and holds it again acknowledges nothing that it wrote before', async () => {
    const directory = await temporaryDirectory();
    const fault = createFaultFs();
    const old = await openEngine(directory, { fs: fault.fs });
    await old.create(ID, {});
    await old.append(ID, { segments: [produced(0, 2)] });
    const [reached, thawed] = [gate(), gate()];
    fault.intercept = async (call, proceed) => {
      if (!call.path.endsWith('.log') || call.name !== 'write') return proceed();
      fault.intercept = pass;
      reached.open();
      await thawed.opened;
      return proceed();
    };
    const frozen = codeOf(old.append(ID, { segments: [produced(0, 1, 'frozen')] }));
    await reached.opened;
    // Another owner came and went meanwhile, who found nothing of that in the file.
    await abandonClaim(directory);
    const next = await openEngine(directory);
    await next.append(ID, { segments: [produced(2, 1)] });
    await next.close();
    await expect(old.create('x', {})).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    await old.create('x', {});

    thawed.open();
    expect(await frozen).toBe('STORE_LOCKED');
    const { records } = await old.read(ID, PAGE);
    expect(records.map((record) => record.producer?.id)).toEqual(['p', 'p', 'p']);
  });

  it('notices without writing', async () => {
    const directory = await temporaryDirectory();
    const lock = lockOf(directory, {}, 60);
    await lock.acquire();
    await rm(join(directory, 'lock', '0000000001'));
    await expect.poll(() => lock.held, { timeout: 5_000 }).toBe(false);
    expect(lock.lost).toMatchObject([{ code: 'STORE_LOCKED' }]);
    await expect(lock.check()).rejects.toMatchObject({ code: 'STORE_LOCKED' });
  });

  it('because the directory was removed says so', async () => {
    const directory = join(await temporaryDirectory(), 'store');
    const store = openStore({ directory });
    await store.create(ID);
    await rm(directory, { recursive: true });
    await expect(append(store, produced(0, 1))).rejects.toMatchObject({ code: 'STORE_LOCKED', owner: null });
    expect((await store.create(ID)).created).toBe(true);
    expect(await readTexts(store)).toEqual([]);
  });
});

describe('judging a process', () => {
  it('knows itself, and whoever cannot be', () => {
    expect(judgeProcess(self, self)).toBe('alive');
    expect(judgeProcess({ ...self, host: 'renamed since' }, self)).toBe('alive');
    expect(judgeProcess({ ...self, pid: DEAD_PID }, self)).toBe('dead');
    expect(judgeProcess({ ...self, startedAt: '1' }, self)).toBe('dead');
    expect(judgeProcess({ ...self, bootId: 'before' }, self)).toBe('dead');
    expect(judgeProcess({ ...self, bootId: 'other', host: 'other' }, self)).toBe('unknown');
    expect(judgeProcess({ ...self, pidNamespace: 'other' }, self)).toBe('unknown');
  });

  it('without /proc trusts only what it can see', () => {
    const blind = { ...self, bootId: null, pidNamespace: null, startedAt: null };
    expect(judgeProcess(blind, blind)).toBe('alive');
    expect(judgeProcess({ ...blind, pid: process.ppid }, blind)).toBe('unknown');
    expect(judgeProcess({ ...blind, pid: DEAD_PID }, blind)).toBe('dead');
    expect(judgeProcess({ ...blind, host: 'other' }, blind)).toBe('unknown');
  });
});
