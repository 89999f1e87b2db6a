/** Fused transformers against a bare `for await` loop and a chain of hand-written async generators: map, filter, map. */
import { collect, createMemoryStreamStore, filter, getStreamReader, map, reduce } from '@perennial/core';

import { compare } from './lib/rounds.mjs';

const COUNT = 200_000;

async function* numbers() {
  for (let i = 0; i < COUNT; i++) yield i;
}
async function* mapGenerator(source, fn) {
  for await (const value of source) yield fn(value);
}
async function* filterGenerator(source, predicate) {
  for await (const value of source) if (predicate(value)) yield value;
}
const chain = (source) =>
  map(
    filter(
      map(source, (n) => n + 1),
      (n) => n % 2 === 0,
    ),
    (n) => n * 2,
  );

const store = createMemoryStreamStore();
await store.create('s', { records: Array.from({ length: COUNT }, (_, i) => ({ data: String(i) })) });
await store.append('s', { segments: [{ records: [], end: { outcome: 'completed' } }] });

await compare('map, filter, map', {
  'bare for await over an async generator': async () => {
    let sum = 0;
    for await (const n of numbers()) if ((n + 1) % 2 === 0) sum += (n + 1) * 2;
    return sum > 0 ? COUNT : 0;
  },
  'hand-written async generators': async () => {
    let sum = 0;
    const plusOne = mapGenerator(numbers(), (n) => n + 1);
    const even = filterGenerator(plusOne, (n) => n % 2 === 0);
    for await (const n of mapGenerator(even, (n) => n * 2)) sum += n;
    return sum > 0 ? COUNT : 0;
  },
  'transformers over an async generator': async () => {
    let sum = 0;
    for await (const n of chain(numbers())) sum += n;
    return sum > 0 ? COUNT : 0;
  },
  'transformers over an async generator, reduced': async () =>
    (await reduce(chain(numbers()), (a, b) => a + b, 0)) > 0 ? COUNT : 0,
  'transformers over a reader': async () => {
    let sum = 0;
    for await (const n of chain(getStreamReader({ store, streamId: 's' }))) sum += n;
    return sum > 0 ? COUNT : 0;
  },
  'transformers over a reader, collected': async () =>
    (await collect(chain(getStreamReader({ store, streamId: 's' })))).length > 0 ? COUNT : 0,
});
