import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import type { StreamRecord, StreamStore } from '@perennial/core';
import { describe, expect, it } from 'vitest';

import { createFileStreamStore } from '../src/index.ts';
import { append, openStore, produced, readAll, withStore } from './helpers.ts';
import { startChild } from './processes/child.ts';
import { STREAM, textOf } from './processes/scenario.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const KILLS = 20;

/** Everything acknowledged is there, once, in order, as it was written. */
function expectPrefix(records: readonly StreamRecord[], acknowledged: number): void {
  expect(records.length).toBeGreaterThanOrEqual(acknowledged);
  const wrong = records.find(
    (record, n) =>
      record.kind !== 'data' || record.position !== n || record.data !== textOf(n) || record.producer?.seq !== n,
  );
  expect(wrong).toBeUndefined();
}

/** Reads on until it is stopped, like somebody who watches the stream all the time. */
function follow(store: StreamStore): { readonly records: StreamRecord[]; stop(): Promise<void> } {
  const records: StreamRecord[] = [];
  const controller = new AbortController();
  const done = (async () => {
    while (!controller.signal.aborted) {
      const page = await store.read(STREAM, { from: records.length });
      records.push(...page.records);
      if (page.records.length === 0) {
        await store.wait(STREAM, { position: records.length, signal: controller.signal }).catch(() => undefined);
      }
    }
  })();
  return {
    records,
    async stop() {
      controller.abort();
      await done;
    },
  };
}

describe('a writer that is killed', () => {
  it('at random moments loses nothing that it has acknowledged', { timeout: 180_000 }, async () => {
    const directory = await temporaryDirectory();
    await withStore(directory, (store) => store.create(STREAM));
    const reader = openStore({ directory });
    const watcher = follow(reader);
    let acknowledged = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const child = startChild('crash-writer.ts', directory, String(acknowledged));
      await child.line((line) => line === 'ready');
      const target = 1 + Math.floor(Math.random() * 40);
      let acks = 0;
      if (kill % 4 > 0) await child.line((line) => line.startsWith('ack ') && ++acks >= target);
      await child.kill();
      const last = child.lines.findLast((line) => line.startsWith('ack '));
      acknowledged = Math.max(acknowledged, Number(last?.slice(4) ?? 0));
      // A process that only reads finds it all, before any writer has come.
      expectPrefix(await readAll(reader, STREAM), acknowledged);
    }
    const records = await withStore(directory, async (store) => {
      const result = await append(
        store,
        { records: [{ data: textOf(acknowledged) }], producer: { id: 'p', epoch: 0, seq: acknowledged } },
        STREAM,
      );
      expect(['ok', 'duplicate']).toContain(result.status);
      return readAll(store, STREAM);
    });
    expectPrefix(records, acknowledged);
    await reader.wait(STREAM, { position: records.length - 1 });
    await expect.poll(() => watcher.records.length).toBe(records.length);
    await watcher.stop();
    // What a reader was shown at any time, kills or not, is what the log holds in the end.
    expect(watcher.records).toEqual(records);
  });

  it('while it creates and deletes leaves whole streams or none', { timeout: 120_000 }, async () => {
    const directory = await temporaryDirectory();
    for (let kill = 0; kill < 10; kill++) {
      const child = startChild('churn-writer.ts', directory, String(kill * 1_000));
      const steps = 1 + Math.floor(Math.random() * 60);
      let seen = 0;
      await child.line(() => ++seen >= steps);
      await child.kill();
      await withStore(directory, (store) => expectWhole(store, child.lines));
    }
    const store = createFileStreamStore({ directory });
    await store.create('last');
    await store.close();
    expect(await readdir(join(directory, 'making'))).toEqual([]);
    expect(await readdir(join(directory, 'trash'))).toEqual([]);
  });
});

/** Checks the streams of a churning writer against what it printed. */
async function expectWhole(store: StreamStore, lines: readonly string[]): Promise<void> {
  const begun = new Set(lines.filter((line) => line.startsWith('+ ')).map((line) => line.slice(2)));
  const finished = new Set(lines.filter((line) => line.startsWith('= ')).map((line) => line.slice(2)));
  for (const step of finished) {
    const [name = '', id = ''] = step.split(' ');
    if (name !== 'create') continue;
    const head = await store.head(id);
    const state = !head ? 'absent' : head.end ? 'ended' : 'open';
    const possible = finished.has(`delete ${id}`)
      ? ['absent']
      : [
          ...(begun.has(`delete ${id}`) ? ['absent'] : []),
          ...(finished.has(`append ${id}`) ? ['ended'] : begun.has(`append ${id}`) ? ['open', 'ended'] : ['open']),
        ];
    expect(possible).toContain(state);
  }
  for (const { id, nextPosition } of (await store.list({ limit: 100_000 })).streams) {
    const texts = (await readAll(store, id)).map((record) => record.kind === 'data' && record.data);
    expect(texts).toEqual([`"first of ${id}"`, `"second of ${id}"`].slice(0, nextPosition));
  }
}

describe('several processes', () => {
  it('that want to write at once: one does, the others learn who', { timeout: 60_000 }, async () => {
    const directory = await temporaryDirectory();
    for (let round = 1; round <= 3; round++) {
      const children = Array.from({ length: 4 }, () => startChild('one-writer.ts', directory));
      await Promise.all(children.map((child) => child.line((line) => line === 'ready')));
      for (const child of children) child.send('go\n');
      const answers = await Promise.all(
        children.map(
          async (child) => JSON.parse(await child.line((line) => line.startsWith('{'))) as Record<string, number>,
        ),
      );
      const winners = answers.filter(({ won }) => won !== undefined);
      expect(winners).toHaveLength(1);
      const losers = answers.filter(({ won }) => won === undefined);
      expect(losers).toEqual(losers.map(() => ({ lostTo: winners[0]?.won, generation: round })));
      const store = openStore({ directory });
      await expect(append(store, produced(0, 1), STREAM)).rejects.toMatchObject({
        code: 'STORE_LOCKED',
        owner: { pid: winners[0]?.won },
        message: expect.stringContaining(`process ${winners[0]?.won}`),
      });
      await store.close();
      // The owner dies; the next round steals its lock.
      await Promise.all(children.map((child) => child.kill()));
    }
    expect(await readAll(openStore({ directory }), STREAM)).toHaveLength(3);
  });
});
