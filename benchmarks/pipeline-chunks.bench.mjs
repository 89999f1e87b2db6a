/** What a value costs on its way through map, filter, map where the source has many at once: an array, or the pages of a stream. */
import { createMemoryStreamStore, getStreamReader } from '@perennial/core';
import { StreamingPipeline } from '@perennial/pipeline';

import { gate, printGates } from './lib/gates.mjs';
import { compare } from './lib/rounds.mjs';

const COUNT = 1_000_000;

async function* numbers() {
  for (let i = 0; i < COUNT; i++) yield i;
}
const plusOne = (n) => n + 1;
const isEven = (n) => n % 2 === 0;
const double = (n) => n * 2;

const pipeline = StreamingPipeline.start().map('plusOne', plusOne).filter('even', isEven).map('double', double);

async function sum(source) {
  let total = 0;
  for await (const n of source) total += n;
  if (total !== (COUNT / 2) * (COUNT + 2)) throw new Error(`wrong sum ${total}`);
  return COUNT;
}

const store = createMemoryStreamStore();
await store.create('numbers', {
  records: Array.from({ length: COUNT }, (_, i) => ({ data: String(i) })),
  end: { outcome: 'completed' },
});
/** What somebody would write who reads the same records without this library's readers. */
async function* pages() {
  for (let from = 0; from < COUNT;) {
    const { records } = await store.read('numbers', { from, limit: 512 });
    from += records.length;
    for (const { data } of records) yield JSON.parse(data);
  }
}
const values = Array.from({ length: COUNT }, (_, i) => i);

const fromArray = await compare(
  'map, filter, map over an array',
  {
    'bare for await loop over an async generator': async () => {
      let total = 0;
      for await (const n of numbers()) if (isEven(n + 1)) total += (n + 1) * 2;
      return total > 0 ? COUNT : 0;
    },
    'pipeline over an array': () => sum(pipeline.executeFrom(values)),
  },
  { rounds: 21, collect: 'young', warmups: 5 },
);

const fromReader = await compare(
  'map, filter, map over the records of a stream',
  {
    'bare for await loop over its pages': async () => {
      let total = 0;
      for await (const n of pages()) if (isEven(n + 1)) total += (n + 1) * 2;
      return total > 0 ? COUNT : 0;
    },
    'pipeline over a reader': () => sum(pipeline.execute(getStreamReader({ store, streamId: 'numbers' }))),
    'pipeline over a reader, collected': async () =>
      (await pipeline.executeToArray(getStreamReader({ store, streamId: 'numbers' }))).length > 0 ? COUNT : 0,
  },
  { rounds: 21, collect: 'young', warmups: 5 },
);

gate('array, of the bare loop', fromArray['pipeline over an array'], { most: 0.8 });
gate('reader, of the bare loop over the same records', fromReader['pipeline over a reader'], { most: 0.8 });
printGates();
