/**
 * A local actor's stream against the bare async generator inside it: what cancellation, the one end and the context cost per chunk. The
 * `yield*` layer is what any wrapper written as a generator costs.
 */
import { createActorRegistry, defineActor } from '@perennial/actor';

import { compare } from './lib/rounds.mjs';

const COUNT = 200_000;

async function* numbers() {
  for (let i = 0; i < COUNT; i++) yield { type: 'data', data: i };
  yield { type: 'complete', data: COUNT };
}
async function* layer(source) {
  yield* source;
}

const actor = defineActor(numbers);
const registry = createActorRegistry({ actors: { numbers: actor } });

await compare(
  'local actor',
  {
    'bare async generator': () => consume(numbers()),
    'one generator layer': () => consume(layer(numbers())),
    'actor.stream': () => consume(actor.stream()),
    'registry.get(...).stream': () => consume(registry.get('numbers').stream()),
  },
  { unit: 'chunk' },
);

async function consume(stream) {
  let sum = 0;
  for await (const chunk of stream) if (chunk.type === 'data') sum += chunk.data;
  return sum > 0 ? COUNT : 0;
}
