import { type ServedStreams, serveStore } from '@perennial/protocol-suite';

import { createRedisStreamStore } from '../../src/index.ts';
import { freshPrefix, QUIET, type RedisTarget } from './targets.ts';

/** Starts a server or Cluster, and a plain Node server with a store in it. */
export async function serveRedis({ start }: RedisTarget): Promise<ServedStreams> {
  const { client, stop } = await start();
  const served = await serveStore(createRedisStreamStore({ client, prefix: freshPrefix(), ...QUIET }));
  return {
    url: served.url,
    async close() {
      await served.close();
      await stop();
    },
  };
}
