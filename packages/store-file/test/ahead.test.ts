import type { StreamStore } from '@perennial/core';
import { describe, expect, it } from 'vitest';

import { createFaultFs, errno, type FaultFs, type FsCall, pass } from './fault-fs.ts';
import { append, codeOf, fileOf, ID, logSize, openStore, readTexts, settle, texts } from './helpers.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** So many that deciding them takes longer than the disk of this test, which does not wait for any. */
const CALLERS = 1_500;
const ROUNDS = 12;

interface Frame {
  readonly bytes: Buffer;
  readonly at: number;
}

/** A disk that takes a turn of the event loop for a sync, and knows what it has been told to keep. */
interface Disk {
  readonly fault: FaultFs;
  /** Writes while a sync was at work. */
  readonly ahead: number;
  /** Position after the last record that a finished sync covers. */
  readonly durable: number;
  /** Called with each write that begins while a sync is at work; what it throws fails the write. */
  onAhead: (() => void) | null;
  /** Called when a sync is over; what it throws fails the sync. */
  onSynced: (() => void) | null;
}

function framesOf({ name, args }: FsCall): readonly Frame[] {
  const buffers = (name === 'writev' ? args[0] : [args[0]]) as readonly Buffer[];
  let at = Number(name === 'writev' ? args[1] : args[3]);
  return buffers.map((bytes) => {
    const frame = { bytes, at };
    at += bytes.length;
    return frame;
  });
}

/** Position after the last record of a frame. */
const endOf = ({ bytes }: Frame): number => bytes.readUIntLE(20, 6) + bytes.readUInt32LE(16);

function createDisk(): Disk {
  const fault = createFaultFs();
  let isSyncing = false;
  let written = 0;
  const disk = { fault, ahead: 0, durable: 0, onAhead: null as Disk['onAhead'], onSynced: null as Disk['onSynced'] };

  async function sync(): Promise<void> {
    expect(isSyncing).toBe(false);
    isSyncing = true;
    const covered = written;
    await settle(3);
    isSyncing = false;
    disk.onSynced?.();
    disk.durable = covered;
  }

  async function write(call: FsCall, proceed: () => Promise<unknown>): Promise<unknown> {
    if (isSyncing) {
      disk.ahead++;
      disk.onAhead?.();
    }
    const result = await proceed();
    for (const frame of framesOf(call)) written = endOf(frame);
    return result;
  }

  fault.intercept = (call, proceed) => {
    if (!call.path.endsWith('.log')) return proceed();
    if (call.name === 'datasync') return sync();
    return call.name === 'write' || call.name === 'writev' ? write(call, proceed) : proceed();
  };
  return disk;
}

/** Callers that each send their next record when the last one is answered, until one is refused. Returns the texts answered, by position. */
async function drive(
  store: StreamStore,
  disk: Disk,
): Promise<{ readonly stored: string[]; readonly refusals: string[] }> {
  const stored: string[] = [];
  const refusals: string[] = [];
  const call = async (caller: number): Promise<void> => {
    for (let round = 0; round < ROUNDS; round++) {
      const text = JSON.stringify(`${caller}/${round}`);
      const appended = append(store, { records: texts(text) });
      const code = await codeOf(appended);
      if (code) {
        refusals.push(code);
        return;
      }
      const result = await appended;
      if (result.status !== 'ok') throw new Error(`An append was ${result.status}.`);
      // The rule: nobody is answered before a sync that began when the bytes were in the file.
      expect(result.position).toBeLessThan(disk.durable);
      expect(stored[result.position]).toBeUndefined();
      stored[result.position] = text;
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, (_, caller) => call(caller)));
  return { stored, refusals };
}

describe('a group that is written while the one before it is synced', () => {
  it('is answered after a sync of its own, in order', { timeout: 60_000 }, async () => {
    const disk = createDisk();
    const directory = await temporaryDirectory();
    const store = openStore({ directory, fs: disk.fault.fs });
    await store.create(ID);
    const { stored, refusals } = await drive(store, disk);
    expect(disk.ahead).toBeGreaterThan(0);
    expect(refusals).toEqual([]);
    expect(stored).toHaveLength(CALLERS * ROUNDS);
    expect(await readTexts(store)).toEqual(stored);
    await store.close();
    expect(await readTexts(openStore({ directory }))).toEqual(stored);
  });

  it.each(['the sync before it fails', 'its own write fails'] as const)(
    'is refused with all that was decided on top of it when %s',
    { timeout: 60_000 },
    async (what) => {
      const disk = createDisk();
      const directory = await temporaryDirectory();
      const store = openStore({ directory, fs: disk.fault.fs });
      await store.create(ID);
      let seen = 0;
      const fail = (code: string): never => {
        disk.onAhead = disk.onSynced = null;
        throw errno(code);
      };
      disk.onAhead = () => {
        seen = disk.ahead;
        if (what === 'its own write fails') fail('ENOSPC');
      };
      disk.onSynced = () => {
        if (what === 'the sync before it fails' && seen > 0) fail('EIO');
      };
      const { stored, refusals } = await drive(store, disk);
      expect(seen).toBe(1);
      expect(new Set(refusals)).toEqual(new Set([what === 'its own write fails' ? 'STORE_FULL' : 'STORE_ERROR']));
      // What was answered has no gaps, and nothing else is there, in memory and on disk.
      expect(Object.keys(stored)).toHaveLength(stored.length);
      expect(await readTexts(store)).toEqual(stored);
      disk.fault.intercept = pass;
      const size = await logSize(directory);
      expect(await append(store, { records: texts('"next"') })).toMatchObject({ position: stored.length });
      expect(await logSize(directory)).toBeGreaterThan(size);
      await store.close();
      expect(await fileOf(directory, 'log')).toBeTruthy();
      expect(await readTexts(openStore({ directory }))).toEqual([...stored, '"next"']);
    },
  );
});
