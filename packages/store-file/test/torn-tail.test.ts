import { truncate, writeFile } from 'node:fs/promises';

import { describe, expect, it, onTestFinished } from 'vitest';

import { createFileStreamStore, type RecoveryEvent } from '../src/index.ts';
import { restoreFiles, saveFiles } from './damage.ts';
import { append, fileOf, folderOf, ID, logSize, openStore, produced, readTexts, withStore } from './helpers.ts';
import { openEngine, PAGE } from './other-process.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A closed stream of three commits with two records each, and the size of its log after each of them. */
async function threeCommits(): Promise<{ readonly directory: string; readonly sizes: readonly number[] }> {
  const directory = await temporaryDirectory();
  const store = createFileStreamStore({ directory });
  await store.create(ID);
  const sizes = [await logSize(directory)];
  for (const seq of [0, 2, 4]) {
    await append(store, produced(seq, 2));
    sizes.push(await logSize(directory));
  }
  await store.close();
  return { directory, sizes };
}

describe('a torn tail', () => {
  it('cut at every byte of the last frames keeps every complete frame before it, and takes appends', async () => {
    const { directory, sizes } = await threeCommits();
    const [created = 0, , , whole = 0] = sizes;
    const log = await fileOf(directory, 'log');
    const tail = await fileOf(directory, 'tail');
    const files = await saveFiles(folderOf(directory));
    for (let size = created; size < whole; size++) {
      await restoreFiles(files);
      await truncate(log, size);
      // As a power cut leaves it: the mark, which is never synced, may be gone as well.
      if (size % 2 === 0) await writeFile(tail, '');
      const commits = sizes.filter((end) => end <= size).length - 1;
      const kept = ['0', '1', '2', '3', '4', '5'].slice(0, commits * 2);

      const reader = createFileStreamStore({ directory });
      expect(await readTexts(reader)).toEqual(kept);
      await reader.close();

      const events: RecoveryEvent[] = [];
      const store = createFileStreamStore({ directory, onRecovery: (event) => events.push(event) });
      // The retry of a producer that does not know what became of its append.
      expect(await append(store, produced(0, 6))).toEqual({
        status: 'ok',
        position: kept.length,
        count: 6 - kept.length,
        skipped: kept.length,
      });
      const isCut = !sizes.includes(size);
      expect(events).toEqual(
        isCut
          ? [
              {
                streamId: ID,
                file: log,
                offset: sizes[commits],
                bytes: size - (sizes[commits] ?? 0),
                acknowledged: size % 2 === 1,
              },
            ]
          : [],
      );
      await store.close();
      expect(await withStore(directory, (again) => readTexts(again))).toEqual(['0', '1', '2', '3', '4', '5']);
    }
  });

  it('of zeros or garbage behind the durable part is cut off', async () => {
    const { directory, sizes } = await threeCommits();
    const [, , second = 0, whole = 0] = sizes;
    const log = await fileOf(directory, 'log');
    const files = await saveFiles(folderOf(directory));
    const bytes = files.get(log) ?? Buffer.alloc(0);
    for (const rubbish of [
      Buffer.alloc(whole - second),
      Buffer.alloc(10_000),
      Buffer.from('PnLg'.repeat(100)),
      bytes.subarray(0, second),
    ]) {
      await restoreFiles(files);
      await writeFile(log, Buffer.concat([bytes, rubbish]));
      const store = createFileStreamStore({ directory });
      expect(await readTexts(store)).toEqual(['0', '1', '2', '3', '4', '5']);
      expect((await append(store, produced(6, 1))).status).toBe('ok');
      await store.close();
      expect(await withStore(directory, (again) => readTexts(again))).toEqual(['0', '1', '2', '3', '4', '5', '6']);
    }
  });

  it('is left alone by readers', async () => {
    const { directory, sizes } = await threeCommits();
    const log = await fileOf(directory, 'log');
    await truncate(log, (sizes[3] ?? 0) - 1);
    const store = openStore({ directory });
    expect(await readTexts(store)).toEqual(['0', '1', '2', '3']);
    expect(await logSize(directory)).toBe((sizes[3] ?? 0) - 1);
  });

  it('below what was reported durable raises a warning of the process', async () => {
    const { directory, sizes } = await threeCommits();
    await truncate(await fileOf(directory, 'log'), (sizes[3] ?? 0) - 1);
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    const store = openStore({ directory });
    await append(store, produced(4, 1));
    const warning = await warned;
    expect(warning).toMatchObject({ code: 'PERENNIAL_LOST_RECORDS' });
    expect(warning.message).toContain(ID);
  });

  it('does not come back with the snapshot of what was cut', async () => {
    const directory = await temporaryDirectory();
    const text = JSON.stringify('x'.repeat(1_000));
    let store = createFileStreamStore({ directory });
    onTestFinished(() => store.close());
    await store.create(ID);
    for (let n = 0; n < 200; n++) await append(store, { records: [{ data: text }] });
    await store.close();
    const size = await logSize(directory);
    await truncate(await fileOf(directory, 'log'), size - 1);
    store = createFileStreamStore({ directory, onRecovery: () => undefined });
    await append(store, produced(0, 1));
    for (let n = 0; n < 50; n++) await append(store, { records: [{ data: text }] });
    // A process of its own sees what a crash would leave: closing writes a new snapshot.
    const reader = await openEngine(directory);
    const { records } = await reader.read(ID, PAGE);
    expect(records).toHaveLength(250);
    expect(records[199]).toMatchObject({ data: '0', producer: { id: 'p' } });
    expect(await reader.producer(ID, 'p')).toEqual({ epoch: 0, nextSeq: 1 });
  });
});
