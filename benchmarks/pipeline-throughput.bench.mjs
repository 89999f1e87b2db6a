/** What a value costs on its way through map, filter, map: against a bare loop, hand-written generators and other libraries. */
import { Readable } from 'node:stream';

import { StreamingPipeline } from '@perennial/pipeline';
import { Effect, Stream } from 'effect';
import { from as fromIx } from 'ix/asynciterable';
import { filter as ixFilter, map as ixMap } from 'ix/asynciterable/operators';
import { filter as rxFilter, from as fromRx, lastValueFrom, map as rxMap, reduce as rxReduce } from 'rxjs';
import { filter as siFilter, map as siMap } from 'streaming-iterables';

import { gate, printGates } from './lib/gates.mjs';
import { compare } from './lib/rounds.mjs';

const COUNT = 1_000_000;
/** The slow ones get less to do; what is compared is the time per item. */
const FEW = 100_000;

async function* numbers(count = COUNT) {
  for (let i = 0; i < count; i++) yield i;
}
async function* mapGenerator(source, fn) {
  for await (const value of source) yield fn(value);
}
async function* filterGenerator(source, predicate) {
  for await (const value of source) if (predicate(value)) yield value;
}
const plusOne = (n) => n + 1;
const isEven = (n) => n % 2 === 0;
const double = (n) => n * 2;

const pipelineOf = (samplingRate) =>
  StreamingPipeline.start(undefined, { samplingRate })
    .map('plusOne', plusOne)
    .filter('even', isEven)
    .map('double', double);
const unsampled = pipelineOf(0);
const sampled = pipelineOf(1 / 64);
const adaptive = pipelineOf('auto');

async function sum(source, count = COUNT) {
  let total = 0;
  for await (const n of source) total += n;
  if (total !== (count / 2) * (count + 2)) throw new Error(`wrong sum ${total}`);
  return count;
}

const generated = await compare(
  'map, filter, map over an async generator',
  {
    'bare for await loop': async () => {
      let total = 0;
      for await (const n of numbers()) if (isEven(n + 1)) total += (n + 1) * 2;
      return total > 0 ? COUNT : 0;
    },
    'hand-written async generators': () =>
      sum(mapGenerator(filterGenerator(mapGenerator(numbers(), plusOne), isEven), double)),
    'pipeline, no timing': () => sum(unsampled.execute(numbers())),
    'pipeline, 1 in 64 timed': () => sum(sampled.execute(numbers())),
    'pipeline, as it comes': () => sum(adaptive.execute(numbers())),
    'pipeline, as it comes, reduced': async () =>
      (await adaptive.executeReduce(numbers(), (a, b) => a + b, 0)) > 0 ? COUNT : 0,
    'streaming-iterables': () => sum(siMap(double, siFilter(isEven, siMap(plusOne, numbers(FEW)))), FEW),
    RxJS: async () =>
      (await lastValueFrom(
        fromRx(numbers(FEW)).pipe(
          rxMap(plusOne),
          rxFilter(isEven),
          rxMap(double),
          rxReduce((a, b) => a + b, 0),
        ),
      )) > 0
        ? FEW
        : 0,
    IxJS: () => sum(fromIx(numbers(FEW)).pipe(ixMap(plusOne), ixFilter(isEven), ixMap(double)), FEW),
    Effect: async () => {
      const stream = Stream.fromAsyncIterable(numbers(FEW), (error) => error).pipe(
        Stream.map(plusOne),
        Stream.filter(isEven),
        Stream.map(double),
      );
      const total = await Effect.runPromise(
        Stream.runFold(
          stream,
          () => 0,
          (a, b) => a + b,
        ),
      );
      return total > 0 ? FEW : 0;
    },
    'Node Readable': () => sum(Readable.from(numbers(FEW)).map(plusOne).filter(isEven).map(double), FEW),
  },
  { rounds: 11, collect: 'young', warmups: 5 },
);

const chain = generated['hand-written async generators'];
// What users get is the pipeline as it comes; without timing it does less, and is measured for the price of timing only.
gate('async generator source, of the bare loop', generated['pipeline, as it comes'], { most: 2.3 });
gate('without timing, of a chain of hand-written generators', generated['pipeline, no timing'] / chain, { most: 0.75 });
gate('as it comes, of a chain of hand-written generators', generated['pipeline, as it comes'] / chain, { most: 0.75 });
gate('1 in 64 timed, of no timing', generated['pipeline, 1 in 64 timed'] / generated['pipeline, no timing'], {
  most: 1.2,
});
printGates();
