import { Redis } from 'ioredis';

import { type RedisServer, startRedis } from './start-redis.ts';

/** Options of {@link startRedisCluster}. */
export interface StartRedisClusterOptions {
  /** Configuration of every node. @default no persistence */
  readonly config?: Readonly<Record<string, string>>;
  /** Replicas of each of the three masters. @default 0 */
  readonly replicas?: number;
}

/** A Cluster of our own, on loopback ports. */
export interface RedisCluster {
  /** The nodes that held the slots at the start, each a third of them. */
  readonly masters: readonly RedisServer[];
  readonly replicas: readonly RedisServer[];
  /** Addresses for cluster clients. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  stop(): Promise<void>;
}

const MASTERS = 3;
const SLOTS = 16_384;
const READY_TIMEOUT_MS = 30_000;
const POLL_MS = 25;

/** Starts a Cluster with three masters; resolves once every node sees it complete. */
export async function startRedisCluster({
  config = {},
  replicas: each = 0,
}: StartRedisClusterOptions = {}): Promise<RedisCluster> {
  const count = MASTERS * (1 + each);
  const settings = { 'cluster-enabled': 'yes', 'cluster-node-timeout': '1500', ...config };
  const started = await Promise.allSettled(Array.from({ length: count }, () => startRedis({ config: settings })));
  const servers = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  const clients = servers.map(({ port, host }) => new Redis({ port, host }));
  try {
    const failed = started.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    await join(servers, clients);
  } catch (error) {
    await stop();
    throw error;
  } finally {
    for (const client of clients) client.disconnect();
  }
  const masters = servers.slice(0, MASTERS);
  return { masters, replicas: servers.slice(MASTERS), nodes: masters.map(({ host, port }) => ({ host, port })), stop };
}

async function join(servers: readonly RedisServer[], clients: readonly Redis[]): Promise<void> {
  const [first] = servers;
  if (!first) return;
  await Promise.all(
    clients.map(async (client, index) => {
      await client.call('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
      if (index < MASTERS) {
        const range = [Math.ceil((SLOTS * index) / MASTERS), Math.ceil((SLOTS * (index + 1)) / MASTERS) - 1];
        await client.call('CLUSTER', 'ADDSLOTSRANGE', ...range.map(String));
      }
      if (index > 0) await client.call('CLUSTER', 'MEET', first.host, String(first.port));
    }),
  );
  await until(clients, async (client) => field(await info(client), 'cluster_known_nodes') === String(clients.length));
  const ids = await Promise.all(clients.map(async (client) => String(await client.call('CLUSTER', 'MYID'))));
  await Promise.all(
    clients.slice(MASTERS).map((client, index) => client.call('CLUSTER', 'REPLICATE', ids[index % MASTERS] ?? '')),
  );
  await until(clients, async (client) => field(await info(client), 'cluster_state') === 'ok');
  await until(clients.slice(MASTERS), async (client) => field(await client.info(), 'master_link_status') === 'up');
}

async function info(client: Redis): Promise<string> {
  return String(await client.call('CLUSTER', 'INFO'));
}

function field(text: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(text)?.[1];
}

/** The nodes gossip among themselves: asking is the only way to learn when they are done. */
async function until(clients: readonly Redis[], holds: (client: Redis) => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  for (const client of clients) {
    while (!(await holds(client))) {
      if (performance.now() > deadline) throw new Error('The Redis Cluster did not form in time.');
      await new Promise((resolve) => {
        setTimeout(resolve, POLL_MS);
      });
    }
  }
}
