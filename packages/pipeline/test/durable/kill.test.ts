/** A run that is killed again and again, by `kill -9`, still puts every value into its stream once, and does little work twice. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { getStreamReader, type StreamStore } from '@perennial/core';
import { createFileStreamStore } from '@perennial/store-file';
import { describe, expect, it } from 'vitest';

import { temporaryFolder } from '../support/fixtures.ts';

const COUNT = 100_000;
const worker = fileURLToPath(new URL('../processes/import-worker.ts', import.meta.url));

interface Worker {
  readonly child: ChildProcess;
  readonly exited: Promise<{ readonly code: number | null; readonly output: string }>;
}

function start(directory: string, mode: string): Worker {
  const child = spawn(process.execPath, ['--conditions=perennial-source', worker, directory, mode], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const exited = new Promise<{ code: number | null; output: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, output }));
  });
  return { child, exited };
}

async function fill(directory: string): Promise<void> {
  const store = createFileStreamStore({ directory });
  await store.create('source');
  for (let from = 0; from < COUNT; from += 4_000) {
    const records = Array.from({ length: Math.min(4_000, COUNT - from) }, (_, i) => ({ data: `${from + i}` }));
    await store.append('source', { segments: [{ records }] });
  }
  await store.append('source', { segments: [{ records: [], end: { outcome: 'completed' } }] });
  await store.create('result');
  await store.close();
}

/** Waits until the result has grown by `count`, or the worker is gone. */
async function grown(store: StreamStore, count: number, { exited }: Worker): Promise<void> {
  const gone = new AbortController();
  void exited.then(() => gone.abort());
  const before = (await store.head('result'))?.nextPosition ?? 0;
  await store.wait('result', { position: before + count - 1, signal: gone.signal }).catch(() => undefined);
}

describe('kill -9', () => {
  it.each(['pass', 'tee'])(
    'loses nothing and repeats nothing over 100,000 items (%s)',
    async (mode) => {
      const folder = await temporaryFolder();
      await fill(folder.path);
      const store = createFileStreamStore({ directory: folder.path });
      const kills = [1, 4_000, 9_000, 300, 7_000, 12_000];
      for (const count of kills) {
        const victim = start(folder.path, mode);
        await grown(store, count, victim);
        victim.child.kill('SIGKILL');
        await victim.exited;
      }
      const survivor = start(folder.path, mode);
      const { code, output } = await survivor.exited;
      expect({ code, output }).toMatchObject({ code: 0 });
      const [, resumedAt = 0, worked = 0] = /done (\d+) (\d+)/.exec(output)?.map(Number) ?? [];
      // Half of the numbers, each twice, in pairs: as many values as even numbers.
      const expected = COUNT / 2;
      let index = 0;
      for await (const { a, b } of getStreamReader<{ a: number; b: number }>({ store, streamId: 'result' })) {
        const n = index++ * 2;
        if (a !== n * n || b !== (n + 1) ** 2) throw new Error(`value ${index - 1} is ${a}, ${b}`);
      }
      expect(index).toBe(expected);
      // The last run went on late, and did no more than what was left and a little before it.
      expect(resumedAt).toBeGreaterThan(25_000);
      expect(worked / 2).toBeLessThan(expected - resumedAt + 2_000);
      const again = start(folder.path, mode);
      expect((await again.exited).output).toBe(`done ${expected} 0\n`);
      await store.close();
      await folder.remove();
    },
    120_000,
  );
});
