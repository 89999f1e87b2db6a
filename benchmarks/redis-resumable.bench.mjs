/**
 * The task of `resumable-stream`, done by it and by `@perennial/resumable-stream`, which has the same interface, on the Redis store: one process
 * produces text in chunks, readers in another process (here: with connections of their own) get all of it through Redis; and a reader that
 * comes late gets what was produced so far. The peer keeps the text in the producing process and sends it by publish; it is gone with that
 * process, and each reader costs a message per chunk. Neither keeps the chunks apart: what was there before comes as one string from the
 * peer, and what arrives during one write is one record of ours. The last two rows are what it costs to keep them apart, as records.
 *
 * Rounds alternate; ratios are medians of the rounds' ratios, above 1 we are faster. Targets: 5 times the chunks per second with 1 and 10
 * readers, and a resume of 10,000 chunks that is no slower.
 */
import { getStreamReader, getStreamWriter } from '@perennial/core';
import { createResumableStreamContext as createOurContext } from '@perennial/resumable-stream';
import { createRedisStreamStore } from '@perennial/store-redis';
import { Redis } from 'ioredis';
import { createResumableStreamContext } from 'resumable-stream/ioredis';

import { startRedis } from '../packages/redis-server/src/index.ts';
import { perSecond, row } from './lib/results.mjs';

const ROUNDS = 7;
/** Readers per round that resume: servers resume streams all day, so what counts is not the first one. */
const RESUMES = 11;
let CHUNKS = 10_000;
const chunkOf = (n) => `data: {"type":"text-delta","delta":"token ${n}"}\n\n`;
const charactersOf = (count) => {
  let characters = 0;
  for (let n = 0; n < count; n++) characters += chunkOf(n).length;
  return characters;
};
let CHARACTERS = charactersOf(CHUNKS);

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const server = await startRedis();
const clients = Array.from({ length: 4 }, () => new Redis({ port: server.port }));
const contextOf = ([publisher, subscriber]) => createResumableStreamContext({ waitUntil: null, publisher, subscriber });
const peer = { producer: contextOf(clients.slice(0, 2)), readers: contextOf(clients.slice(2)) };
const stores = [0, 1].map(() => createRedisStreamStore({ client: clients[0], onWarning: () => {} }));
const [producer, readers] = stores.map((store) => createOurContext({ waitUntil: null, store }));
const ours = { producer, readers };
let streams = 0;
try {
  for (const count of [1, 10]) {
    await contest(`${CHUNKS.toLocaleString('en')} chunks to ${count} live readers`, {
      ours: () => live(ours, count),
      peer: () => live(peer, count),
      atLeast: 5,
      countsCommands: true,
    });
  }
  for (const chunks of [10_000, 100_000]) {
    CHUNKS = chunks;
    CHARACTERS = charactersOf(chunks);
    const title = `resume of a stream of ${chunks.toLocaleString('en')} chunks`;
    await contest(title, { ours: () => resume(ours), peer: () => resume(peer), atLeast: 1 });
  }
  for (const chunks of [10_000, 100_000]) {
    CHUNKS = chunks;
    CHARACTERS = charactersOf(chunks);
    const title = `resume of ${chunks.toLocaleString('en')} chunks, each a record`;
    await contest(title, { ours: resumeRecords, peer: () => resume(peer) });
  }
} finally {
  await Promise.all(stores.map((store) => store.close()));
  for (const client of clients) client.disconnect();
  await server.stop();
}

async function contest(title, { atLeast, countsCommands = false, ...ways }) {
  const rounds = [];
  const commands = {};
  for (let round = -1; round < ROUNDS; round++) {
    const ms = {};
    for (const name of round % 2 ? ['ours', 'peer'] : ['peer', 'ours']) {
      await clients[0].config('RESETSTAT');
      ms[name] = await ways[name]();
      commands[name] = (await commandsSoFar()) / CHUNKS;
    }
    if (round >= 0) rounds.push(ms);
    await clients[0].flushall();
  }
  const show = (name) => {
    const ms = median(rounds.map((round) => round[name]));
    return `${ms.toFixed(0).padStart(6)} ms, ${Math.round((CHUNKS / ms) * 1_000)
      .toLocaleString('en')
      .padStart(9)} chunks/s`;
  };
  const ratio = median(rounds.map((round) => round.peer / round.ours));
  const rate = (name) => perSecond((CHUNKS / median(rounds.map((round) => round[name]))) * 1_000, 'chunks');
  const cost = (name) =>
    countsCommands ? `${rate(name)}, ${commands[name].toFixed(3)} commands per chunk` : rate(name);
  row({ what: title, ours: cost('ours'), against: 'resumable-stream', yardstick: cost('peer'), ratio, atLeast });
  console.log(
    `${title}\n  store            ${show('ours')}\n  resumable-stream ${show('peer')}   ratio ${ratio.toFixed(1)}`,
  );
}

async function live({ producer: from, readers: to }, count) {
  const streamId = `s/${streams++}`;
  const start = Promise.withResolvers();
  const own = drain(await from.createNewResumableStream(streamId, () => source(start.promise, Promise.resolve())));
  const resumed = await Promise.all(Array.from({ length: count }, () => to.resumeExistingStream(streamId)));
  const started = performance.now();
  start.resolve();
  await Promise.all(resumed.map(drain));
  const ms = performance.now() - started;
  await own;
  return ms;
}

async function resume({ producer: from, readers: to }) {
  const streamId = `s/${streams++}`;
  const end = Promise.withResolvers();
  const own = await from.createNewResumableStream(streamId, () => source(Promise.resolve(), end.promise));
  await drain(own);
  const ms = await resumes(async () => drain(await to.resumeExistingStream(streamId)));
  end.resolve();
  return ms;
}

/** The same where each chunk is a record of its own, as in a stream that is written with a writer. */
async function resumeRecords() {
  const streamId = `s/${streams++}`;
  const writer = getStreamWriter({ store: stores[0], streamId });
  for (let n = 0; n < CHUNKS; n++) await writer.write(chunkOf(n));
  await writer.flush();
  const ms = await resumes(() => drain(toReadable(getStreamReader({ store: stores[1], streamId }))));
  await writer.close();
  return ms;
}

/** Several readers come one after the other; the time of one. */
async function resumes(resume) {
  const times = [];
  for (let n = 0; n < RESUMES; n++) {
    const started = performance.now();
    await resume();
    times.push(performance.now() - started);
  }
  return median(times);
}

/** The text of a reader, as a stream, as `resumeExistingStream` gives it. */
function toReadable(reader) {
  return new ReadableStream({
    async pull(controller) {
      const batch = await reader.readBatch({ limit: 10_000 });
      if (batch.ok) controller.enqueue(batch.value.join(''));
      else if (batch.error.code === 'ENDED') controller.close();
      else controller.error(batch.error);
    },
    cancel: () => reader.close(),
  });
}

/** Commands that clients sent since the last reset; what scripts call inside the server does not count. */
async function commandsSoFar() {
  const stats = await clients[0].info('commandstats');
  const sent = /^cmdstat_(evalsha|eval|publish|get|set|incr|subscribe|ssubscribe|expire):calls=(\d+)/gm;
  return [...stats.matchAll(sent)].reduce((sum, [, , calls]) => sum + Number(calls), 0);
}

/** The chunks, after `start`; the stream ends after `end`. */
function source(start, end) {
  let n = 0;
  return new ReadableStream({
    async pull(controller) {
      if (n === 0) await start;
      if (n < CHUNKS) controller.enqueue(chunkOf(n++));
      else {
        await end;
        controller.close();
      }
    },
  });
}

async function drain(stream) {
  let characters = 0;
  for await (const text of stream) {
    characters += text.length;
    if (characters === CHARACTERS) return;
  }
  throw new Error(`A reader got ${characters} of ${CHARACTERS} characters.`);
}
