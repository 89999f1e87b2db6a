/**
 * Durable appends of the file store against a bare loop that does the least a durable log can do: everything in flight goes into one
 * `writev` and one `fdatasync`, then its callers are told. The bare loop has no frames, checksums, producers, positions or readers.
 */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createFileStreamStore } from '@perennial/store-file';

import { compare } from './lib/rounds.mjs';

/** Calls in flight, and appends per round: a round takes some tens of milliseconds. */
const LOADS = [
  [1, 150],
  [100, 8_000],
  [1_000, 40_000],
];
const ROUNDS = 25;
const RECORDS_PER_APPEND = 100;
const payload = JSON.stringify({ type: 'text-delta', id: '0', delta: 'some token text here' });

const directory = await mkdtemp(join(tmpdir(), 'perennial-bench-'));
const handle = await open(join(directory, 'bare.log'), 'w+');
const store = createFileStreamStore({ directory: join(directory, 'store') });
await store.create('bench');

/** Keeps `inFlight` calls going until `count` are done. */
async function drive(inFlight, count, append) {
  let left = count;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (left-- > 0) await append();
    }),
  );
  return count;
}

let at = 0;
let queue = [];
let running = false;

async function flush() {
  while (queue.length > 0) {
    const batch = queue;
    queue = [];
    const { bytesWritten } = await handle.writev(
      batch.map(({ bytes }) => bytes),
      at,
    );
    at += bytesWritten;
    await handle.datasync();
    for (const { resolve } of batch) resolve();
  }
  running = false;
}

function bare(text) {
  return new Promise((resolve) => {
    queue.push({ bytes: Buffer.from(text), resolve });
    if (running) return;
    running = true;
    queueMicrotask(flush);
  });
}

let seq = 0;
const plain = () => store.append('bench', { segments: [{ records: [{ data: payload }] }] });
const produced = () =>
  store.append('bench', {
    segments: [{ records: [{ data: payload }], producer: { id: 'writer', epoch: 0, seq: seq++ } }],
  });

try {
  for (const [inFlight, count] of LOADS) {
    const ratios = await compare(
      `Durable appends of one record, ${inFlight} in flight`,
      {
        'bare writev + fdatasync': () => drive(inFlight, count, () => bare(payload)),
        'file store': () => drive(inFlight, count, plain),
        'file store, with a producer': () => drive(inFlight, count, produced),
      },
      { rounds: ROUNDS, unit: 'append', wall: true, atLeast: 0.8 },
    );
    for (const [name, ratio] of Object.entries(ratios))
      console.log(`  ${(1 / ratio).toFixed(2)} of the bare loop: ${name}`);
    console.log('');
  }
  const records = Array.from({ length: RECORDS_PER_APPEND }, () => ({ data: payload }));
  const joined = payload.repeat(RECORDS_PER_APPEND);
  await compare(
    `Durable appends of ${RECORDS_PER_APPEND} records, one after the other, as a writer sends them`,
    {
      'bare writev + fdatasync': () => drive(1, 100, () => bare(joined)),
      'file store': () => drive(1, 100, () => store.append('bench', { segments: [{ records }] })),
    },
    { rounds: ROUNDS, unit: 'append', wall: true },
  );
} finally {
  await store.close();
  await handle.close();
  await rm(directory, { recursive: true, force: true });
}
