/** Memory of a run over ten million items, in use after collecting garbage: it must not grow with the number of items. */
import { StreamingPipeline } from '@perennial/pipeline';

import { gate, printGates } from './lib/gates.mjs';

const COUNT = 10_000_000;
const EVERY = 1_000_000;

async function* objects() {
  for (let i = 0; i < COUNT; i++) yield { id: i, text: `item ${i}` };
}

const heap = () => {
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
};

async function most(run) {
  const idle = heap();
  let peak = 0;
  let count = 0;
  for await (const _ of run) if (++count % EVERY === 0) peak = Math.max(peak, heap() - idle);
  return peak;
}

const plain = StreamingPipeline.start()
  .map('length', ({ text }) => text.length)
  .filter('all', (length) => length > 0)
  .map('double', (length) => length * 2);
const rich = StreamingPipeline.start()
  .map('parallel', async ({ text }) => text, { parallel: true })
  .flatMap('twice', (text) => [text, text])
  .filter('failing', (text) => (text.endsWith('7') ? Promise.reject(new Error('7')) : true), {
    errorStrategy: 'COLLECT_ERRORS',
  })
  .batch('batches', 100)
  .flatMap('again', (batch) => batch);

if (!globalThis.gc) throw new Error('Run with --expose-gc, as npm run bench does.');
gate('10 M items through functions, over idle', await most(plain.execute(objects())), { most: 20, unit: ' MB' });
gate('10 M items through parallel steps with errors, over idle', await most(rich.execute(objects())), {
  most: 20,
  unit: ' MB',
});
printGates();
