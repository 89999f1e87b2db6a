import type { StreamStore } from '@perennial/core';
import { type RedisServer, startRedis, type StartRedisOptions } from '@perennial/redis-server';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll } from 'vitest';

import { createRedisStreamStore, type RedisStreamStoreOptions } from '../../src/index.ts';
import { freshPrefix, QUIET } from './targets.ts';

/** A server for one test file, with stores that are closed after each test. */
export interface SingleServer {
  readonly server: RedisServer;
  /** A client to look into the server with. */
  readonly admin: Redis;
  /** Opens a store through `ioredis`, with a prefix of its own unless told otherwise. */
  open(options?: Partial<RedisStreamStoreOptions>): StreamStore;
}

/** Registers the server's start and stop with the test file. */
export function singleServer(options?: StartRedisOptions): SingleServer {
  let server: RedisServer | undefined;
  let admin: Redis | undefined;
  let stores: StreamStore[] = [];
  beforeAll(async () => {
    server = await startRedis(options);
    admin = new Redis({ port: server.port });
    admin.on('error', () => {});
  }, 60_000);
  afterEach(async () => {
    await Promise.all(stores.map((store) => store.close()));
    stores = [];
  });
  afterAll(async () => {
    admin?.disconnect();
    await server?.stop();
  });
  return {
    get server() {
      if (!server) throw new Error('The server has not started yet.');
      return server;
    },
    get admin() {
      if (!admin) throw new Error('The server has not started yet.');
      return admin;
    },
    open(given = {}) {
      const source = given.url === undefined && given.client === undefined ? { client: this.admin } : {};
      const store = createRedisStreamStore({ ...source, prefix: freshPrefix(), ...QUIET, ...given });
      stores.push(store);
      return store;
    },
  };
}
