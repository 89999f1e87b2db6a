/**
 * Appends to Redis against the least a script can do: `XADD` of the payload, with no positions, producers, head, end or wake-up. Both use
 * `ioredis` over loopback. Without persistence the work itself is measured; with a synced append-only file, what a durable append costs.
 *
 * Rounds alternate; the ratio is the median of the rounds' ratios, and above 1 the store is faster. Targets: 0.6 of the bare script at
 * 100 records per flush, 0.85 of it for a single awaited append, 3 times it for 200 concurrent singles on one stream.
 */
import { createRedisStreamStore } from '@perennial/store-redis';
import { Redis } from 'ioredis';

import { startRedis } from '../packages/redis-server/src/index.ts';
import { perSecond as rate, row } from './lib/results.mjs';

const ROUNDS = 31;
const ROUND_MS = 100;
const payload = JSON.stringify({ type: 'text-delta', id: '0', delta: 'some token text here' });
const BARE = "for i = 1, #ARGV do redis.call('XADD', KEYS[1], '*', 'd', ARGV[i]) end return #ARGV";

const FLOOR = `redis.call('TIME')
local n = redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
redis.call('XADD', KEYS[2], 'NOMKSTREAM', '0-' .. n, 'r', ARGV[3])
redis.call('SPUBLISH', KEYS[2], '')
return n`;

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const perSecond = (value) => `${Math.round(value).toLocaleString('en')}/s`.padStart(12);

let streams = 0;
for (const [persistence, config] of [
  ['no persistence', {}],
  ['append-only file, synced before each answer', { appendonly: 'yes', appendfsync: 'always' }],
]) {
  console.log(persistence);
  const server = await startRedis({ config });
  const client = new Redis({ port: server.port });
  const store = createRedisStreamStore({ client, onWarning: () => {} });
  try {
    for (const [title, inFlight, records, atLeast] of [
      ['100 records per flush, awaited', 1, 100, 0.6],
      ['one record, awaited', 1, 1, 0.85],
      ['one record, 200 in flight on one stream', 200, 1, 3],
    ]) {
      const load = { store, client, inFlight, records, persistence, atLeast };
      for (const producer of [false, true]) await contest(title, { ...load, producer });
    }
    const floor = { store, client, inFlight: 1, records: 1, persistence };
    await contest('one record, awaited: only what a script of ours has to run', { ...floor, open: openFloor });
  } finally {
    await store.close();
    client.disconnect();
    await server.stop();
  }
}

async function contest(title, load) {
  const { client, inFlight, records, producer = false, persistence, atLeast, open = opened } = load;
  const sha = await client.script('LOAD', BARE);
  const batch = Array.from({ length: records }, () => payload);
  const rounds = [];
  for (let round = -2; round < ROUNDS; round++) {
    // Fresh keys per round: long streams would measure the allocator.
    const append = await open(load, batch);
    const bare = () => client.evalsha(sha, 1, `bare:${streams}`, batch);
    const first = await drive(inFlight, round % 2 ? append : bare);
    const second = await drive(inFlight, round % 2 ? bare : append);
    const [ours, loop] = round % 2 ? [first, second] : [second, first];
    if (round >= 0) rounds.push({ ours: ours * records, loop: loop * records });
    await client.flushall();
  }
  const ratio = median(rounds.map(({ ours, loop }) => ours / loop));
  row({
    what: `${title}${producer ? ', with a producer' : ''}; ${persistence}`,
    ours: rate(median(rounds.map(({ ours }) => ours)), 'records'),
    against: 'bare EVALSHA of XADD',
    yardstick: rate(median(rounds.map(({ loop }) => loop)), 'records'),
    ratio,
    atLeast,
  });
  console.log(
    `  ${`${title}${producer ? ', with a producer' : ''}`.padEnd(62)} store ${perSecond(median(rounds.map(({ ours }) => ours)))}` +
      `   bare ${perSecond(median(rounds.map(({ loop }) => loop)))}   ratio ${ratio.toFixed(2)}`,
  );
}

async function opened({ store, producer }, batch) {
  const id = `bench/${streams++}`;
  await store.create(id);
  const records = batch.map((data) => ({ data }));
  let seq = 0;
  return () => {
    const segment = producer ? { records, producer: { id: 'writer', epoch: 0, seq } } : { records };
    seq += records.length;
    return store.append(id, { segments: [segment] });
  };
}

/**
 * No store: a bare script with the commands and arguments that an append cannot do without, to show what of the difference they are. The
 * time, the position, the record and the wake-up are four commands against one.
 */
async function openFloor({ client }, [data]) {
  const id = `floor:${streams++}`;
  const sha = await client.script('LOAD', FLOOR);
  const fields = ['i', 'incarnation', 'k', '0', 'f', '0', 'm', 'application/json'];
  await client.hset(`{${id}}:meta`, 'n;incarnation;0', '1', ...fields);
  await client.xadd(`{${id}}:log`, '0-1', 'r', data);
  const args = ['n;incarnation;0', '1', data];
  return () => client.callBuffer('EVALSHA', [sha, '2', `{${id}}:meta`, `{${id}}:log`, ...args]);
}

/** Keeps `inFlight` calls going for a round; calls per second. */
async function drive(inFlight, call) {
  let count = 0;
  const started = performance.now();
  const end = started + ROUND_MS;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (performance.now() < end) {
        await call();
        count++;
      }
    }),
  );
  return (count / (performance.now() - started)) * 1_000;
}
