/**
 * A process that imports a stream of numbers into another one, made to be killed: `node --conditions=perennial-source import-worker.ts
 * <directory> <mode>`. Prints the number of its first value, and `done`.
 */
import { getStreamReader } from '@perennial/core';
import { createStreamingStep, positionedSource, StreamingPipeline } from '@perennial/pipeline';
import { createFileStreamStore } from '@perennial/store-file';

const [directory = '', mode = 'pass'] = process.argv.slice(2);
const store = createFileStreamStore({ directory });
const source = positionedSource((startIndex) => getStreamReader<number>({ store, streamId: 'source', startIndex }));
const square = createStreamingStep<number, number>('square', async function* ({ input }) {
  for await (const n of input) yield n * n;
});

let worked = 0;
const worker = StreamingPipeline.start<number>()
  .filter('even', (n) => n % 2 === 0)
  .flatMap('both', (n) => [n, n + 1])
  .map('late', async (n) => n, { parallel: true, concurrencyLimit: 16 })
  .map('square', square)
  .map('count', (n) => {
    worked++;
    return n;
  })
  .batch('pairs', 2)
  .map('value', ([a, b]) => ({ a, b }));
const options = { store, intervalMs: 20 };
const pipeline =
  mode === 'pass'
    ? worker.checkpoint('position', { ...options, mode: 'pass' })
    : worker.checkpoint('kept', { ...options, mode: 'tee', limit: 1_000_000 }).map('after', (value) => value);

const { run, done } = pipeline.executeToStream(source, {
  store,
  streamId: 'result',
  runId: 'import',
  highWaterMark: 1_024,
});
const { resumedAt } = await done.then(() => run.metadata);
process.stdout.write(`done ${resumedAt} ${worked}\n`);
await store.close();
