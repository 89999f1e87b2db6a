/** What a process makes of a lock that it loses in the middle of something. */
import { describe, expect, it } from 'vitest';

import { abandonClaim } from './claims.ts';
import { createFaultFs, type FaultFs, type FsCall, pass } from './fault-fs.ts';
import { gate, ID, texts } from './helpers.ts';
import { openEngine, PAGE } from './other-process.ts';
import { temporaryDirectory } from './temporary-directory.ts';

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
    await expect(old.create('x', {})).rejects.toMatchObject({ code: 'STORE_LOCKED' });
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
