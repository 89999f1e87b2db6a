import { appendFile, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { encodeBatch } from '../src/batch-encoder.ts';
import { NO_CHANGE } from '../src/change.ts';
import { sealJson, unsealJson } from '../src/checksum.ts';
import type { Engine } from '../src/engine.ts';
import { saltOf } from '../src/log-state.ts';
import { createFaultFs, errno, withoutWatch, WRITING } from './fault-fs.ts';
import { codeOf, fileOf, gate, ID, logSize, observe, produced, settle } from './helpers.ts';
import { openEngine, PAGE } from './other-process.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** So long that only notifications can explain a wake-up. */
const NEVER_MS = 3_600_000;

async function writerAndReader(): Promise<{ directory: string; writer: Engine; reader: Engine }> {
  const directory = await temporaryDirectory();
  const writer = await openEngine(directory);
  await writer.create(ID, { leaseMs: 10_000 });
  return { directory, writer, reader: await openEngine(directory, { pollIntervalMs: NEVER_MS }) };
}

const textsOf = async (engine: Engine, from = 0): Promise<unknown[]> =>
  (await engine.read(ID, { ...PAGE, from })).records.map((record) => record.kind === 'data' && record.data);

describe('a reader in another process', () => {
  it('is woken by notification and reads what was appended', async () => {
    const { writer, reader } = await writerAndReader();
    for (let n = 0; n < 20; n++) {
      const waiting = reader.wait(ID, reader, { position: n });
      await writer.append(ID, { segments: [produced(n, 1)] });
      expect((await waiting).nextPosition).toBe(n + 1);
      expect(await textsOf(reader, n)).toEqual([String(n)]);
    }
    const ended = reader.wait(ID, reader, { position: Infinity });
    await writer.append(ID, { segments: [{ records: [], end: { outcome: 'completed' } }] });
    expect((await ended).end).toEqual({ outcome: 'completed' });
  });

  it('is woken by its poll where the system gives no notifications', async () => {
    const { directory, writer } = await writerAndReader();
    const fs = withoutWatch(createFaultFs().fs);
    const reader = await openEngine(directory, { fs, pollIntervalMs: 10 });
    const waiting = reader.wait(ID, reader, { position: 0 });
    await writer.append(ID, { segments: [produced(0, 1)] });
    expect((await waiting).nextPosition).toBe(1);
  });

  it('sees an append as soon as it is acknowledged', async () => {
    const { writer, reader } = await writerAndReader();
    for (let n = 0; n < 200; n++) {
      await writer.append(ID, { segments: [produced(n, 1)] });
      const [head, read] = await Promise.all([reader.head(ID), reader.read(ID, { ...PAGE, from: n })]);
      expect(head?.nextPosition).toBe(n + 1);
      expect(read.records).toHaveLength(1);
    }
  });

  it('sees nothing that is not durable, though it is in the file', async () => {
    const directory = await temporaryDirectory();
    const fault = createFaultFs();
    const writer = await openEngine(directory, { fs: fault.fs });
    await writer.create(ID, {});
    await writer.append(ID, { segments: [produced(0, 1)] });
    const size = await logSize(directory);
    const early = await openEngine(directory, { pollIntervalMs: NEVER_MS });
    const waiting = observe(early.wait(ID, early, { position: 1 }));
    expect(await textsOf(early)).toEqual(['0']);
    const reached = gate();
    const sync = gate();
    fault.intercept = async (call, proceed) => {
      if (call.name === 'datasync') {
        reached.open();
        await sync.opened;
      }
      return proceed();
    };
    const appending = writer.append(ID, { segments: [produced(1, 1)] });
    await reached.opened;
    expect(await logSize(directory)).toBeGreaterThan(size);
    const late = await openEngine(directory);
    for (const reader of [early, late]) {
      expect(await textsOf(reader)).toEqual(['0']);
      expect((await reader.head(ID))?.nextPosition).toBe(1);
    }
    await settle();
    expect(waiting.state()).toBe('pending');
    sync.open();
    await appending;
    expect((await waiting.promise).nextPosition).toBe(2);
    expect(await textsOf(late)).toEqual(['0', '1']);
  });

  it('never sees an append that was refused', async () => {
    const directory = await temporaryDirectory();
    const fault = createFaultFs();
    const writer = await openEngine(directory, { fs: fault.fs });
    await writer.create(ID, {});
    const reader = await openEngine(directory);
    fault.intercept = async (call, proceed) => {
      if (call.name === 'datasync' || call.name === 'truncate') throw errno('EIO');
      return proceed();
    };
    await expect(writer.append(ID, { segments: [produced(0, 3)] })).rejects.toMatchObject({ code: 'STORE_ERROR' });
    expect(await textsOf(reader)).toEqual([]);
    expect(await textsOf(await openEngine(directory))).toEqual([]);
  });

  it('shows what a writer that died had written, synced, whether acknowledged or not', async () => {
    const { directory, writer } = await writerAndReader();
    await writer.append(ID, { segments: [produced(0, 1)] });
    const head = await writer.head(ID);
    await writer.close();
    const log = await fileOf(directory, 'log');
    const bytes = (await readFile(log)).length;
    const place = {
      salt: saltOf(head?.incarnation ?? ''),
      offset: bytes,
      position: 1,
      syncedBytes: bytes,
      generation: 1,
    };
    const change = {
      ...NO_CHANGE,
      records: [{ kind: 'data', position: 1, data: '1', timestamp: 7 } as const],
      bytes: 1,
    };
    const frames = encodeBatch([change], place).map(({ frame }) => frame);
    await appendFile(log, Buffer.concat([...frames, frames[0]?.subarray(0, 30) ?? Buffer.alloc(0)]));
    const fault = createFaultFs();
    const reader = await openEngine(directory, { fs: fault.fs });
    expect(await textsOf(reader)).toEqual(['0', '1']);
    expect(fault.calls.filter(({ name, path }) => name === 'datasync' && path === log)).not.toEqual([]);
    // The next writer keeps exactly the same.
    const next = await openEngine(directory, { onRecovery: () => undefined });
    await next.append(ID, { segments: [produced(1, 1)] });
    expect(await textsOf(next)).toEqual(['0', '1', '1']);
    expect(await textsOf(reader)).toEqual(['0', '1', '1']);
  });

  it('shows it also when the next writer has not come to this stream', async () => {
    const { directory, writer, reader } = await writerAndReader();
    await writer.append(ID, { segments: [produced(0, 1)] });
    const head = await reader.head(ID);
    await writer.close();
    const log = await fileOf(directory, 'log');
    const bytes = (await readFile(log)).length;
    const place = {
      salt: saltOf(head?.incarnation ?? ''),
      offset: bytes,
      position: 1,
      syncedBytes: bytes,
      generation: 1,
    };
    const change = {
      ...NO_CHANGE,
      records: [{ kind: 'data', position: 1, data: '1', timestamp: 7 } as const],
      bytes: 1,
    };
    // Acknowledged, and the process was killed before it could publish it.
    await appendFile(log, Buffer.concat(encodeBatch([change], place).map(({ frame }) => frame)));
    await (await openEngine(directory)).create('another', {});
    expect(await textsOf(reader)).toEqual(['0', '1']);
    expect(await textsOf(await openEngine(directory))).toEqual(['0', '1']);
  });

  it('writes nothing', async () => {
    const { directory, writer } = await writerAndReader();
    await writer.append(ID, { segments: [produced(0, 3)] });
    const fault = createFaultFs();
    const reader = await openEngine(directory, { fs: fault.fs });
    await reader.read(ID, PAGE);
    await reader.head(ID);
    await reader.producer(ID, 'p');
    await reader.list({ prefix: '', after: undefined, limit: 10 });
    await reader.wait(ID, reader, { position: 0 });
    await reader.close();
    expect(fault.calls.filter(({ name }) => WRITING.has(name))).toEqual([]);
    const modes = fault.calls.filter(({ name }) => name === 'open').map(({ args }) => args[1]);
    expect(new Set(modes)).toEqual(new Set(['r']));
  });

  it('goes on when another process takes over, also in another file', async () => {
    const { directory, writer, reader } = await writerAndReader();
    await writer.append(ID, { segments: [produced(0, 1)] });
    expect(await textsOf(reader)).toEqual(['0']);
    const waiting = reader.wait(ID, reader, { position: 1 });
    await writer.close();
    const second = await openEngine(directory);
    await second.append(ID, { segments: [produced(1, 1)] });
    expect((await waiting).nextPosition).toBe(2);
    const again = reader.wait(ID, reader, { position: 2 });
    await abandon(directory, '0000000002');
    const third = await openEngine(directory);
    await third.append(ID, { segments: [produced(2, 1)] });
    expect((await again).nextPosition).toBe(3);
    expect(await fileOf(directory, 'log')).toContain('0000000003.log');
    expect(await textsOf(reader)).toEqual(['0', '1', '2']);
  });

  it('becomes a writer when it writes, and its waiting readers stay', async () => {
    const { writer, reader } = await writerAndReader();
    const waiting = reader.wait(ID, reader, { position: 0 });
    await writer.close();
    await reader.append(ID, { segments: [produced(0, 1)] });
    expect((await waiting).nextPosition).toBe(1);
  });
});

describe('across processes', () => {
  it('a cancel request wakes the owner, by notification', async () => {
    const directory = await temporaryDirectory();
    const owner = await openEngine(directory, { pollIntervalMs: NEVER_MS });
    await owner.create(ID, {});
    const other = await openEngine(directory, { pollIntervalMs: NEVER_MS });
    const producer = owner.wait(ID, owner, { position: Infinity, cancel: true });
    const head = await other.mark(ID, { type: 'cancel', reason: 'enough' });
    expect(head.cancel?.reason).toBe('enough');
    expect((await producer).cancel).toEqual(head.cancel);
    expect((await owner.append(ID, { segments: [produced(0, 1)] })).head.cancel).toEqual(head.cancel);
    // The first request stands, whoever makes another.
    expect((await owner.mark(ID, { type: 'cancel', reason: 'later' })).cancel).toEqual(head.cancel);
    expect((await other.mark(ID, { type: 'cancel', reason: 'later' })).cancel).toEqual(head.cancel);
    await owner.close();
    const after = await openEngine(directory);
    expect((await after.head(ID))?.cancel).toEqual(head.cancel);
    await after.append(ID, { segments: [{ records: [], end: { outcome: 'cancelled' } }] });
    expect((await other.head(ID))?.cancel).toEqual(head.cancel);
  });

  it('a cancel request wakes the owner by its poll where nothing is notified', async () => {
    const directory = await temporaryDirectory();
    const fs = withoutWatch(createFaultFs().fs);
    const owner = await openEngine(directory, { fs, pollIntervalMs: 10 });
    await owner.create(ID, {});
    const producer = owner.wait(ID, owner, { position: Infinity, cancel: true });
    await (await openEngine(directory)).mark(ID, { type: 'cancel' });
    expect((await producer).cancel).not.toBeNull();
  });

  it('two requests at once agree on one', async () => {
    const { directory, writer, reader } = await writerAndReader();
    const third = await openEngine(directory);
    const heads = await Promise.all(
      [writer, reader, third].map((engine, n) => engine.mark(ID, { type: 'cancel', reason: String(n) })),
    );
    expect(new Set(heads.map(({ cancel }) => cancel?.reason)).size).toBe(1);
  });

  it('an ended stream ignores cancel requests', async () => {
    const { writer, reader } = await writerAndReader();
    await writer.append(ID, { segments: [{ records: [], end: { outcome: 'completed' } }] });
    expect((await reader.mark(ID, { type: 'cancel' })).cancel).toBeNull();
    expect((await writer.head(ID))?.cancel).toBeNull();
  });

  it('signs of life are seen, and survive the process', async () => {
    const { directory, writer, reader } = await writerAndReader();
    await writer.mark(ID, { type: 'lease' });
    await writer.mark(ID, { type: 'lease' });
    expect((await reader.head(ID))?.lease).toEqual({ durationMs: 10_000, beat: 2 });
    await writer.mark(ID, { type: 'lease', durationMs: 500 });
    expect((await reader.head(ID))?.lease).toEqual({ durationMs: 500, beat: 3 });
    await writer.close();
    expect((await (await openEngine(directory)).head(ID))?.lease).toEqual({ durationMs: 500, beat: 3 });
  });

  it('a lease renewal waits for no disk, a new duration does', async () => {
    const directory = await temporaryDirectory();
    const fault = createFaultFs();
    const writer = await openEngine(directory, { fs: fault.fs });
    await writer.create(ID, { leaseMs: 10_000 });
    const size = await logSize(directory);
    fault.calls.length = 0;
    await writer.mark(ID, { type: 'lease' });
    expect(fault.calls.filter(({ name }) => /sync/.test(name))).toEqual([]);
    expect(await logSize(directory)).toBe(size);
    await writer.mark(ID, { type: 'lease', durationMs: 20_000 });
    expect(fault.calls.filter(({ name }) => name === 'datasync')).toHaveLength(1);
  });

  it('a deleted stream wakes its readers, and a new one of the same id is another', async () => {
    const { writer, reader } = await writerAndReader();
    const waiting = reader.wait(ID, reader, { position: 0 });
    const gone = codeOf(waiting);
    expect(await writer.delete(ID)).toBe(true);
    expect(await gone).toBe('NOT_FOUND');
    expect(await reader.head(ID)).toBeNull();
    await expect(reader.read(ID, PAGE)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await writer.create(ID, {});
    await writer.append(ID, { segments: [produced(7, 1, 'q'), produced(0, 1)] });
    expect(await textsOf(reader)).toEqual(['0']);
  });

  it('a stream deleted and made again at once does not keep the old readers', async () => {
    const { writer, reader } = await writerAndReader();
    await reader.head(ID);
    const waiting = reader.wait(ID, reader, { position: 5 });
    const gone = codeOf(waiting);
    await writer.delete(ID);
    await writer.create(ID, { records: [{ data: '"new"' }] });
    expect(await gone).toBe('NOT_FOUND');
    expect(await textsOf(reader)).toEqual(['"new"']);
  });
});

/** Makes a claim one of a process in another container that has not been heard of for a minute. */
async function abandon(directory: string, name: string): Promise<void> {
  const path = join(directory, 'lock', name);
  const claim = unsealJson(await readFile(path)) as Record<string, unknown>;
  await writeFile(path, sealJson({ ...claim, pidNamespace: 'another container' }));
  const aMinuteAgo = new Date(Date.now() - 60_000);
  await utimes(path, aMinuteAgo, aMinuteAgo);
}
