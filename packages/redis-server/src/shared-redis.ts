import { startRedis } from './start-redis.ts';

/** A server that others may use, too. */
export interface SharedRedis {
  readonly url: string;
  /** Ends the server, unless it is not ours. */
  readonly stop: () => Promise<void>;
}

/** The server that `REDIS_URL` names, else one of our own: for tests that keep to a key prefix and leave the server alone. */
export async function sharedRedis(): Promise<SharedRedis> {
  const url = process.env['REDIS_URL'];
  if (url) return { url, stop: async () => {} };
  const server = await startRedis();
  return { url: server.url, stop: () => server.stop() };
}
