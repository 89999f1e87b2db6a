/**
 * Remote actors on BullMQ and Redis against the least that does something alike: a BullMQ job that awaits an `XADD` per chunk, and a
 * consumer that reads them with blocking `XREAD`s on a connection of its own. The bare way has no end that survives a crash, no
 * retraction, no fencing and no cancel. Both run the same number of jobs at a time, in this process, on the same server.
 */
import { ActorWorker, createActorRegistry, defineActor, RemoteStreamingActor } from '@perennial/actor';
import { createBullMessageQueue } from '@perennial/actor/bullmq';
import { createRedisStreamStore } from '@perennial/store-redis';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';

import { startRedis } from '../packages/redis-server/src/index.ts';
import { compare } from './lib/rounds.mjs';

const JOBS = 40;
const CHUNKS = 200;
const CONCURRENCY = 10;
const data = { token: 'some token text here' };

const server = await startRedis();
const connection = new Redis(server.url, { maxRetriesPerRequest: null });
let streams = 0;

const bareQueue = new Queue('bare', { connection });
const bareWorker = new Worker(
  'bare',
  async ({ data: { streamId } }) => {
    for (let i = 0; i < CHUNKS; i++)
      await connection.xadd(streamId, '*', 'type', 'data', 'data', JSON.stringify({ ...data, i }));
    await connection.xadd(streamId, '*', 'type', 'complete', 'data', 'null');
  },
  { connection, concurrency: CONCURRENCY },
);
const readers = Array.from({ length: JOBS }, () => connection.duplicate());

const store = createRedisStreamStore({ url: server.url, onWarning: () => {} });
const queue = createBullMessageQueue({ url: server.url });
const registry = createActorRegistry({
  actors: {
    tokens: defineActor(async function* () {
      for (let i = 0; i < CHUNKS; i++) yield { type: 'data', data: { ...data, i } };
      yield { type: 'complete' };
    }),
  },
});
const worker = new ActorWorker({ queue, store, registry, concurrency: CONCURRENCY });
worker.start();
const actor = new RemoteStreamingActor({ queue, store, actorType: 'tokens' });

await compare(
  `remote, ${JOBS} jobs of ${CHUNKS} chunks, ${CONCURRENCY} at a time`,
  { 'BullMQ job with an XADD per chunk': () => all(bare), 'remote actor': () => all(remote) },
  { unit: 'chunk', wall: true },
);

await worker.close();
await queue.close();
await store.close();
await bareWorker.close();
await bareQueue.close();
for (const reader of readers) reader.disconnect();
connection.disconnect();
await server.stop();

async function all(consume) {
  const counts = await Promise.all(Array.from({ length: JOBS }, (_, index) => consume(index)));
  return counts.reduce((sum, count) => sum + count, 0);
}

async function bare(index) {
  const streamId = `bare:${streams++}`;
  await bareQueue.add('job', { streamId }, { removeOnComplete: true });
  let last = '0';
  let count = 0;
  for (;;) {
    const [[, entries]] = (await readers[index].xread('BLOCK', 0, 'STREAMS', streamId, last)) ?? [[null, []]];
    for (const [id, fields] of entries) {
      last = id;
      if (fields[1] === 'complete') return count;
      count += JSON.parse(fields[3]).i >= 0 ? 1 : 0;
    }
  }
}

async function remote() {
  let count = 0;
  for await (const chunk of actor.stream()) if (chunk.type === 'data') count++;
  return count;
}
