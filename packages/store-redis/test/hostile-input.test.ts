/** The table of hostile input over HTTP, with the streams in a single Redis and in a Cluster. */
import { createStreamHandler } from '@perennial/core/http';
import { describeHostileInput, HOSTILE_LIMITS, serveHandler } from '@perennial/testing';
import { afterAll, describe, it } from 'vitest';

import { createRedisStreamStore } from '../src/index.ts';
import { freshPrefix, QUIET, TARGETS } from './support/targets.ts';

for (const { name, start } of [TARGETS.ioredis, TARGETS.nodeRedisCluster]) {
  describeHostileInput(
    {
      name,
      async open() {
        const { client, stop } = await start();
        const prefix = freshPrefix();
        const store = createRedisStreamStore({ client, prefix, ...QUIET });
        const served = await serveHandler(createStreamHandler({ store, authorize: () => true, ...HOSTILE_LIMITS }));
        return {
          ...served,
          store,
          secrets: [prefix, 'redis'],
          async close() {
            await served.close();
            await store.close();
            await stop();
          },
        };
      },
    },
    { afterAll, describe, it },
  );
}
