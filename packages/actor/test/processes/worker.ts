/** A worker in a process of its own: `node worker.ts <redis url> <prefix> <maxAttempts>`. Prints `ready`, and `drained` after a SIGTERM. */
import { createRedisStreamStore } from '@perennial/store-redis';

import { createBullMessageQueue } from '../../src/bullmq/index.ts';
import { ActorWorker, createActorRegistry } from '../../src/index.ts';
import { actors } from './actors.ts';

const [url = '', prefix = '', maxAttempts = ''] = process.argv.slice(2);
const store = createRedisStreamStore({ url, prefix, onWarning: () => {} });
const queue = createBullMessageQueue({ url, prefix: `${prefix}-queue`, lockMs: 1_000 });
const worker = new ActorWorker({
  store,
  queue,
  registry: createActorRegistry({ actors }),
  concurrency: 5,
  maxAttempts: Number(maxAttempts),
  highWaterMark: 4,
  // Redis is killed under it: that is what the test is about.
  onError: () => {},
});
worker.start();

process.once('SIGTERM', () => void shutDown());
process.stdout.write('ready\n');

async function shutDown(): Promise<void> {
  await worker.close({ drainMs: 20_000 });
  await queue.close();
  await store.close();
  process.stdout.write('drained\n');
}
