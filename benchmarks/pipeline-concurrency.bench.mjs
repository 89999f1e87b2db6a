/** Items in flight: throughput of slow work against the ideal and against other libraries, and the cost of each item's bookkeeping. */
import { Readable } from 'node:stream';

import { StreamingPipeline } from '@perennial/pipeline';
import { Effect, Stream } from 'effect';
import pMap, { pMapIterable } from 'p-map';
import { from as fromRx, lastValueFrom, mergeMap } from 'rxjs';
import { parallelMap } from 'streaming-iterables';

import { gate, printGates } from './lib/gates.mjs';
import { compare } from './lib/rounds.mjs';

const LIMIT = 10;
const SLOW = 5_000;
const QUICK = 300_000;

async function* numbers(count) {
  for (let i = 0; i < count; i++) yield i;
}
const wait = (n) => new Promise((resolve) => setTimeout(() => resolve(n), 1));
const resolved = async (n) => n;

const ways = (work, count) => {
  const parallel = (ordered) =>
    StreamingPipeline.start().map('work', work, { parallel: true, concurrencyLimit: LIMIT, ordered });
  const drain = async (source) => {
    let seen = 0;
    for await (const _ of source) seen++;
    return seen;
  };
  return {
    'pipeline, ordered': () => drain(parallel(true).execute(numbers(count))),
    'pipeline, unordered': () => drain(parallel(false).execute(numbers(count))),
    'p-map': async () => (await pMap(numbers(count), work, { concurrency: LIMIT })).length,
    pMapIterable: () => drain(pMapIterable(numbers(count), work, { concurrency: LIMIT })),
    'streaming-iterables': () => drain(parallelMap(LIMIT, work, numbers(count))),
    RxJS: async () => {
      let seen = 0;
      await lastValueFrom(fromRx(numbers(count)).pipe(mergeMap(async (n) => (await work(n), seen++), LIMIT)));
      return seen;
    },
    Effect: () =>
      Effect.runPromise(
        Stream.runFold(
          Stream.fromAsyncIterable(numbers(count), (error) => error).pipe(
            Stream.mapEffect((n) => Effect.promise(() => work(n)), { concurrency: LIMIT }),
          ),
          () => 0,
          (seen) => seen + 1,
        ),
      ),
    'Node Readable': () => drain(Readable.from(numbers(count)).map(work, { concurrency: LIMIT })),
  };
};

/** Ten loops over one iterator, and nothing else: what any library has to come close to. */
const workers = (work, count) => async () => {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: LIMIT }, worker));
  return count;
};

const slow = await compare(
  `work that takes 1 ms, ${LIMIT} at once`,
  { 'ten bare loops (the ideal)': workers(wait, SLOW), ...ways(wait, SLOW) },
  { wall: true, collect: 'young', warmups: 2 },
);
await compare(
  `work that takes no time, ${LIMIT} at once`,
  { 'ten bare loops': workers(resolved, QUICK), ...ways(resolved, QUICK) },
  { collect: 'young', warmups: 4 },
);

gate('1 ms work, ordered, share of the ideal throughput', 100 / slow['pipeline, ordered'], { least: 95, unit: ' %' });
gate('1 ms work, unordered, share of the ideal throughput', 100 / slow['pipeline, unordered'], {
  least: 95,
  unit: ' %',
});
gate('items pulled while the first of 5,000 is pending', await pulledBehindSlowHead(), { most: LIMIT });
printGates();

async function pulledBehindSlowHead() {
  let pulled = 0;
  async function* source() {
    for (let i = 0; i < 5_000; i++) {
      pulled++;
      yield i;
    }
  }
  const head = Promise.withResolvers();
  const run = StreamingPipeline.start()
    .map('work', (n) => (n === 0 ? head.promise : n), { parallel: true, concurrencyLimit: LIMIT })
    .execute(source());
  const first = run.next();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const most = pulled;
  head.resolve(0);
  await first;
  await run.return();
  return most;
}
