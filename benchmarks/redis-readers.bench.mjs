/**
 * What live readers cost a Redis server: commands per chunk and connections, for a writer that flushes each chunk by itself and readers in
 * another process (another store, with connections of its own), and how fast chunks get through when the writer batches.
 *
 * Targets: at most one command per flush for the writer, at most three connections per process, and the same cost for 1 and 1,000 readers.
 */
import { getStreamReader, getStreamWriter } from '@perennial/core';
import { createRedisStreamStore } from '@perennial/store-redis';
import { Redis } from 'ioredis';

import { startRedis } from '../packages/redis-server/src/index.ts';
import { perSecond, row } from './lib/results.mjs';

const FLUSHED_CHUNKS = 200;
const BATCHED_CHUNKS = 20_000;
const chunk = { type: 'text-delta', id: '0', delta: 'some token text here' };

const server = await startRedis();
const admin = new Redis({ port: server.port });
const open = () => createRedisStreamStore({ client: admin, onWarning: () => {} });
const connections = async () => (await admin.client('LIST')).trim().split('\n').length;
const commands = async () => {
  const info = await admin.info('commandstats');
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(info)?.[1] ?? 0);
};
const both = { writer: open(), readers: open() };
try {
  for (const readers of [1, 1_000]) await flushed(readers);
  for (const readers of [1, 10, 100]) await batched(readers);
} finally {
  await both.writer.close();
  await both.readers.close();
  admin.disconnect();
  await server.stop();
}

/** Each chunk is flushed, and the next one written once every reader has it. */
async function flushed(readers) {
  const id = `flushed/${readers}`;
  await both.writer.create(id);
  let arrived = 0;
  let everyone = () => {};
  const reading = Array.from({ length: readers }, async () => {
    const reader = getStreamReader({ store: both.readers, streamId: id });
    for await (const _ of reader) if (++arrived % readers === 0) everyone();
  });
  const append = async () => {
    const there = new Promise((resolve) => (everyone = resolve));
    await both.writer.append(id, { segments: [{ records: [{ data: JSON.stringify(chunk) }] }] });
    await there;
  };
  await append();
  await admin.config('RESETSTAT');
  for (let n = 0; n < FLUSHED_CHUNKS; n++) await append();
  const total = (await commands()) / FLUSHED_CHUNKS;
  console.log(
    `${String(readers).padStart(5)} readers: ${total.toFixed(2)} commands per flushed chunk, 1.00 by the writer and ` +
      `${(total - 1).toFixed(2)} by the process of the readers; ${(await connections()) - 1} connections of two processes`,
  );
  const open = (await connections()) - 1;
  const what = `${readers} live readers in another process`;
  row({ what: `${what}: commands of the writer per flush`, ours: '1.00', value: 1, atMost: 1 });
  row({ what: `${what}: commands of the readers per flushed chunk`, ours: (total - 1).toFixed(2) });
  row({ what: `${what}: connections of the two processes`, ours: String(open), value: open, atMost: 6 });
  await both.writer.append(id, { segments: [{ records: [], end: { outcome: 'completed' } }] });
  await Promise.all(reading);
}

/** As fast as the writer can, from the first write to the last reader's end. */
async function batched(readers) {
  const id = `batched/${readers}`;
  await both.writer.create(id);
  await admin.config('RESETSTAT');
  const started = performance.now();
  const counts = Array.from({ length: readers }, async () => {
    let count = 0;
    for await (const _ of getStreamReader({ store: both.readers, streamId: id })) count++;
    return count;
  });
  const writer = getStreamWriter({ store: both.writer, streamId: id });
  for (let n = 0; n < BATCHED_CHUNKS; n++) await writer.write(chunk);
  await writer.close();
  const all = await Promise.all(counts);
  const seconds = (performance.now() - started) / 1_000;
  if (all.some((count) => count !== BATCHED_CHUNKS))
    throw new Error(`A reader got ${all.join()} of ${BATCHED_CHUNKS} chunks.`);
  row({
    what: `${readers} live readers: chunks/s to each, ${((await commands()) / BATCHED_CHUNKS).toFixed(3)} commands per chunk`,
    ours: perSecond(BATCHED_CHUNKS / seconds, 'chunks'),
  });
  console.log(
    `${String(readers).padStart(5)} readers: ${Math.round(BATCHED_CHUNKS / seconds).toLocaleString('en')} chunks/s to each of them, ` +
      `${((await commands()) / BATCHED_CHUNKS).toFixed(3)} commands per chunk`,
  );
}
