/** What a process makes of a lock that it loses in the middle of something. */
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import type { Engine } from '../src/engine.ts';
import { abandonClaim } from './claims.ts';
import { createFaultFs, type FaultFs, type FsCall, pass } from './fault-fs.ts';
import { codeOf, folderOf, gate, ID, produced, readTexts, texts, withStore } from './helpers.ts';
import { openEngine, PAGE } from './other-process.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const IS_LOCKED = { code: 'STORE_LOCKED' };

/** Stops the first call that fits until it is told to go on. */
function freezeAt(fault: FaultFs, fits: (call: FsCall) => boolean): { readonly reached: Promise<void>; thaw(): void } {
  const [reached, thawed] = [gate(), gate()];
  fault.intercept = async (call, proceed) => {
    if (!fits(call)) return proceed();
    fault.intercept = pass;
    reached.open();
    await thawed.opened;
    return proceed();
  };
  return { reached: reached.opened, thaw: thawed.open };
}

describe('a commit that is settled after the lock was lost', () => {
  it('takes no memory from the streams that are held later', async () => {
    const directory = await temporaryDirectory();
    const fault = createFaultFs();
    // Room for recent records: three quarters of that.
    const old = await openEngine(directory, { fs: fault.fs, cacheBytes: 40_000 });
    await old.create(ID, {});
    const frozen = freezeAt(fault, ({ name, path }) => name === 'datasync' && path.endsWith('.log'));
    const appended = old.append(ID, { segments: [{ records: texts(JSON.stringify('x'.repeat(29_000))) }] });
    await frozen.reached;
    await abandonClaim(directory);
    const next = await openEngine(directory);
    await next.append(ID, { segments: [{ records: texts('"next"') }] });
    await next.close();
    await expect(old.create('x', {})).rejects.toMatchObject(IS_LOCKED);
    frozen.thaw();
    // Its claim was looked at when the bytes were in the file, where the next owner found them.
    expect(await appended).toMatchObject({ head: { nextPosition: 1 } });

    await old.create('x', {});
    await old.append('x', { segments: [{ records: texts(JSON.stringify('y'.repeat(5_000))) }] });
    fault.calls.length = 0;
    expect((await old.read('x', PAGE)).records).toHaveLength(1);
    expect(fault.calls.map(({ name }) => name)).not.toContain('read');
  });
});

/** The texts that a process finds in a stream. */
async function textsOf(engine: Engine, id: string = ID): Promise<unknown[]> {
  const { records } = await engine.read(id, PAGE);
  return records.map((record) => record.kind === 'data' && record.data);
}

describe('a load of a stream during which another process took over', () => {
  /** A stream with one record, and a process with the lock that is frozen at the end of loading it. */
  async function frozenLoad<T>(call: (old: Engine) => Promise<T>): Promise<{
    readonly directory: string;
    readonly old: Engine;
    readonly next: Engine;
    readonly loading: Promise<T>;
    thaw(): void;
  }> {
    const directory = await temporaryDirectory();
    await withStore(directory, async (store) => {
      await store.create(ID);
      await store.append(ID, { segments: [produced(0, 1)] });
    });
    const fault = createFaultFs();
    const old = await openEngine(directory, { fs: fault.fs });
    await old.create('another', {});
    // Looked for behind the last frame.
    const frozen = freezeAt(fault, ({ path }) => path === join(folderOf(directory), 'cancel'));
    const loading = call(old);
    await frozen.reached;
    await abandonClaim(directory);
    const next = await openEngine(directory);
    await next.append(ID, { segments: [produced(1, 1)] });
    return { directory, old, next, loading, thaw: frozen.thaw };
  }

  it('is done again as a reader, also where nobody has noticed', async () => {
    const { old, next, loading, thaw } = await frozenLoad(textsOf);
    thaw();
    expect(await loading).toEqual(['0', '1']);
    await next.append(ID, { segments: [produced(2, 1)] });
    expect(await textsOf(old)).toEqual(['0', '1', '2']);
    await expect(old.append(ID, { segments: [produced(0, 1, 'q')] })).rejects.toMatchObject(IS_LOCKED);
  });

  it('does not make a writer of a process that has lost the lock', async () => {
    const { old, next, loading, thaw } = await frozenLoad((engine) =>
      engine.append(ID, { segments: [produced(0, 1, 'q')] }),
    );
    await expect(old.create('x', {})).rejects.toMatchObject(IS_LOCKED);
    thaw();
    await expect(loading).rejects.toMatchObject(IS_LOCKED);
    await next.append(ID, { segments: [produced(2, 1)] });
    expect(await textsOf(old)).toEqual(['0', '1', '2']);
  });

  it('is done again when the process holds the lock again', async () => {
    const { directory, old, next, loading, thaw } = await frozenLoad((engine) =>
      engine.append(ID, { segments: [produced(0, 1, 'q')] }),
    );
    await next.close();
    await expect(old.create('x', {})).rejects.toMatchObject(IS_LOCKED);
    await old.create('x', {});
    thaw();
    // Behind what the owner in between had acknowledged.
    expect(await loading).toMatchObject({ segments: [{ status: 'ok', position: 2 }] });
    expect(await textsOf(old)).toEqual(['0', '1', '0']);
    await old.close();
    expect(await withStore(directory, readTexts)).toEqual(['0', '1', '0']);
  });
});

describe('a reader that opens a stream while its owner puts another log in place', () => {
  /** A process that was taken over and has not noticed, and the next owner, which has not come to the stream. */
  async function twoOwners(): Promise<{
    readonly directory: string;
    readonly next: Engine;
    readonly nextFs: FaultFs;
    /** Writes into the log of the first owner what is refused then. */
    writeLate(): Promise<void>;
  }> {
    const directory = await temporaryDirectory();
    const old = await openEngine(directory);
    await old.create(ID, {});
    await old.append(ID, { segments: [produced(0, 1)] });
    await abandonClaim(directory);
    const nextFs = createFaultFs();
    const next = await openEngine(directory, { fs: nextFs.fs });
    await next.create('another', {});
    const writeLate = async (): Promise<void> =>
      expect(await codeOf(old.append(ID, { segments: [produced(0, 3, 'late')] }))).toBe('STORE_LOCKED');
    return { directory, next, nextFs, writeLate };
  }

  it('sees nothing of a log that is gone when the load ends', async () => {
    const { directory, next, writeLate } = await twoOwners();
    const fault = createFaultFs();
    const reader = await openEngine(directory, { fs: fault.fs });
    const frozen = freezeAt(fault, ({ path }) => path.endsWith('.tail'));
    const reading = textsOf(reader);
    await frozen.reached;
    await next.append(ID, { segments: [produced(1, 1)] });
    await writeLate();
    frozen.thaw();
    expect(await reading).toEqual(['0', '1']);
  });

  it('sees nothing that has come into the old log since it was copied', async () => {
    const { directory, next, nextFs, writeLate } = await twoOwners();
    const frozen = freezeAt(nextFs, ({ name, path }) => name === 'rename' && path.startsWith(folderOf(directory)));
    const appending = next.append(ID, { segments: [produced(1, 1)] });
    await frozen.reached;
    await writeLate();
    expect(await textsOf(await openEngine(directory))).toEqual(['0']);
    frozen.thaw();
    await appending;
    expect(await textsOf(await openEngine(directory))).toEqual(['0', '1']);
  });
});

describe('a creation during which another process took over', () => {
  const OUTCOMES = ['has lost the lock', 'does not know that it has lost the lock', 'holds the lock again'] as const;

  it.each(OUTCOMES.flatMap((what) => [['mkdir', what] as const, ['rename', what] as const]))(
    'and that was stopped at %s leaves the stream alone that the other one made, when its process %s',
    async (where, what) => {
      const directory = await temporaryDirectory();
      const fault = createFaultFs();
      const old = await openEngine(directory, { fs: fault.fs });
      await old.create('another', {});
      const frozen = freezeAt(fault, ({ name, path }) => name === where && path.includes('/making/'));
      const creating = codeOf(old.create(ID, { records: texts('"old"') }));
      await frozen.reached;
      await abandonClaim(directory);
      const next = await openEngine(directory);
      await next.create(ID, { records: texts('"next"') });
      await next.close();
      if (what !== 'does not know that it has lost the lock') await codeOf(old.create('x', {}));
      if (what === 'holds the lock again') await old.create('x', {});
      frozen.thaw();
      expect(await creating).toBe('STORE_LOCKED');
      expect(await textsOf(old)).toEqual(['"next"']);
    },
  );
});
