/**
 * Live delivery: one writer that writes as fast as it may and one reader of the same stream, from the first write to the last value. Against
 * bare loops that do the least on the same medium: on disk, everything in flight in one `writev` and one `fdatasync`, then a callback; on
 * Redis, a pipelined `XADD` and `PUBLISH` per chunk to a subscriber, with the payload in the message. The bare loops keep no positions, cannot
 * resume, deliver nothing that was missed and know no end.
 */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { getStreamReader, getStreamWriter } from '@perennial/core';
import { createFileStreamStore } from '@perennial/store-file';
import { createRedisStreamStore } from '@perennial/store-redis';
import { Redis } from 'ioredis';

import { startRedis } from '../packages/redis-server/src/index.ts';
import { compare } from './lib/rounds.mjs';

const CHUNKS = 20_000;
/** Chunks that wait at most, besides those that are being stored; ours and the bare loop alike. */
const WAITING = 1_024;
const value = { type: 'text-delta', id: '0', delta: 'some token text here' };
let streams = 0;
const turn = Promise.resolve();

/** Writes all chunks, reads them in another task, and returns how many there were. */
async function deliver(store, readerStore = store) {
  const streamId = `live/${streams++}`;
  await store.create(streamId);
  const reading = (async () => {
    let count = 0;
    for await (const _ of getStreamReader({ store: readerStore, streamId })) count++;
    return count;
  })();
  const writer = getStreamWriter({ store, streamId, highWaterMark: 2 * WAITING });
  for (let n = 0; n < CHUNKS; n++) await writer.write(value);
  await writer.close();
  const count = await reading;
  if (count !== CHUNKS) throw new Error(`The reader got ${count} of ${CHUNKS} chunks.`);
  return count;
}

/** Group commit and nothing else: what gathers during a sync goes into the next. */
async function bareFile(handle) {
  let at = 0;
  let queue = [];
  let count = 0;
  let flushing = null;
  const flush = async () => {
    while (queue.length > 0) {
      const batch = queue;
      queue = [];
      const { bytesWritten } = await handle.writev([Buffer.from(batch.join('\n'))], at);
      at += bytesWritten;
      await handle.datasync();
      for (const text of batch) if (JSON.parse(text)) count++;
    }
    flushing = null;
  };
  for (let n = 0; n < CHUNKS; n++) {
    if (queue.length >= WAITING) await flushing;
    queue.push(JSON.stringify(value));
    flushing ??= flush();
    await turn;
  }
  while (flushing) await flushing;
  return count;
}

async function bareRedis(client, subscriber) {
  const name = `bare/${streams++}`;
  let count = 0;
  let whenAll = () => {};
  const all = new Promise((resolve) => (whenAll = resolve));
  const onMessage = (_channel, text) => {
    if (JSON.parse(text) && ++count === CHUNKS) whenAll();
  };
  subscriber.on('message', onMessage);
  await subscriber.subscribe(name);
  for (let n = 0; n < CHUNKS;) {
    const pipeline = client.pipeline();
    for (let i = 0; i < 500 && n < CHUNKS; i++, n++) {
      const text = JSON.stringify(value);
      pipeline.xadd(name, '*', 'd', text).publish(name, text);
    }
    await pipeline.exec();
  }
  await all;
  await subscriber.unsubscribe(name);
  subscriber.off('message', onMessage);
  return count;
}

const directory = await mkdtemp(join(tmpdir(), 'perennial-bench-'));
const handle = await open(join(directory, 'bare.log'), 'w+');
const file = createFileStreamStore({ directory: join(directory, 'store') });
const server = await startRedis();
const [client, subscriber] = [new Redis({ port: server.port }), new Redis({ port: server.port })];
const redis = () => createRedisStreamStore({ client, onWarning: () => {} });
const [writing, reading] = [redis(), redis()];
const options = { unit: 'chunk', wall: true, rounds: 9 };
try {
  await compare(
    `${CHUNKS.toLocaleString('en')} chunks to a live reader, through the disk`,
    { 'bare writev + fdatasync and a callback': () => bareFile(handle), 'file store': () => deliver(file) },
    options,
  );
  await compare(
    `${CHUNKS.toLocaleString('en')} chunks to a live reader, through Redis`,
    {
      'bare pipelined XADD + PUBLISH': () => bareRedis(client, subscriber),
      'Redis store': () => deliver(writing, reading),
    },
    options,
  );
} finally {
  await Promise.all([file.close(), writing.close(), reading.close(), handle.close()]);
  client.disconnect();
  subscriber.disconnect();
  await server.stop();
  await rm(directory, { recursive: true, force: true });
}
