/**
 * Durable appends of the file store against a bare loop that does the least a durable log can do: everything in flight goes into one
 * `writev` and one `fdatasync`, then its callers are told. The bare loop has no frames, checksums, producers, positions or readers.
 *
 * Rounds alternate, because the disk of a shared machine does not stay the same; the ratio is the median of the rounds' ratios.
 */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createFileStreamStore } from '@perennial/store-file';

const ROUNDS = 31;
const ROUND_MS = 80;
const payload = JSON.stringify({ type: 'text-delta', id: '0', delta: 'some token text here' });

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const perSecond = (value) => `${Math.round(value).toLocaleString('en')}/s`.padStart(14);

/** Keeps `inFlight` calls of `append` going for a round; appends per second. */
async function drive(inFlight, append) {
  let count = 0;
  const started = performance.now();
  const end = started + ROUND_MS;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (performance.now() < end) {
        await append();
        count++;
      }
    }),
  );
  return (count / (performance.now() - started)) * 1_000;
}

async function openBare(directory) {
  const handle = await open(join(directory, 'bare.log'), 'w+');
  let at = 0;
  let queue = [];
  let running = false;
  async function run() {
    while (queue.length > 0) {
      const batch = queue;
      queue = [];
      const { bytesWritten } = await handle.writev(batch.map(({ bytes }) => bytes), at);
      at += bytesWritten;
      await handle.datasync();
      for (const { resolve } of batch) resolve();
    }
    running = false;
  }
  return {
    append: () =>
      new Promise((resolve) => {
        queue.push({ bytes: Buffer.from(payload), resolve });
        if (running) return;
        running = true;
        queueMicrotask(run);
      }),
    close: () => handle.close(),
  };
}

async function openStore(directory, producer) {
  const store = createFileStreamStore({ directory: join(directory, 'store') });
  await store.create('bench');
  let seq = 0;
  return {
    append: () =>
      store.append('bench', {
        segments: [
          producer
            ? { records: [{ data: payload }], producer: { id: 'writer', epoch: 0, seq: seq++ } }
            : { records: [{ data: payload }] },
        ],
      }),
    close: () => store.close(),
  };
}

const directory = await mkdtemp(join(tmpdir(), 'perennial-bench-'));
try {
  for (const producer of [false, true]) {
    const bare = await openBare(directory);
    const store = await openStore(join(directory, String(producer)), producer);
    console.log(`one record per append${producer ? ', with a producer' : ''}`);
    for (const inFlight of [1, 100, 1_000]) {
      await drive(inFlight, store.append);
      await drive(inFlight, bare.append);
      const rounds = [];
      for (let round = 0; round < ROUNDS; round++) {
        const ours = await drive(inFlight, store.append);
        rounds.push({ ours, bare: await drive(inFlight, bare.append) });
      }
      const ratio = median(rounds.map(({ ours, bare: loop }) => ours / loop));
      const ours = median(rounds.map((round) => round.ours));
      const loop = median(rounds.map((round) => round.bare));
      console.log(
        `  ${String(inFlight).padStart(5)} in flight: store ${perSecond(ours)}   bare ${perSecond(loop)}   ratio ${ratio.toFixed(2)}`,
      );
    }
    await store.close();
    await bare.close();
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}
