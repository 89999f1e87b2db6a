/**
 * The connections of one store: one for commands, one to listen (in a Cluster one per node each), and one to wait for replicas where that
 * is wanted. Each is opened with its first use.
 */
import { portFromUrl } from '../clients/from-url.ts';
import type { RedisArgument, RedisPort, RedisReply, RedisSubscriber, RedisSubscriberEvents } from '../clients/port.ts';
import { portFromClient, type RedisClient } from '../clients/resolve-port.ts';
import type { ResolvedOptions } from '../options.ts';
import { createReplicaBarrier, type ReplicaBarrier } from '../replication/replica-barrier.ts';
import { createScriptRunner, type ScriptRunner } from '../scripts/script-runner.ts';
import { checkServer, type RedisStoreWarning } from '../server-check.ts';

/** See the head of this file. */
export interface RedisConnection {
  readonly cluster: boolean;
  /** What the client puts in front of every key. */
  readonly keyPrefix: string;
  readonly runner: ScriptRunner;
  /** Null when no replicas are waited for. */
  readonly barrier: ReplicaBarrier | null;
  subscribe(events: RedisSubscriberEvents): Promise<RedisSubscriber>;
  close(): Promise<void>;
}

/** Where to connect to. */
export interface RedisSource {
  readonly client?: RedisClient | undefined;
  readonly url?: string | undefined;
}

/** Prepares the connections. */
export function createRedisConnection(
  { client, url = '' }: RedisSource,
  options: ResolvedOptions,
  warn: (warning: RedisStoreWarning) => void,
): RedisConnection {
  const given = client === undefined ? undefined : portFromClient(client);
  let port: RedisPort | Promise<RedisPort> | undefined = given;
  const connect = (): RedisPort | Promise<RedisPort> => (port ??= portFromUrl(url).then((opened) => (port = opened)));

  let checked = false;
  const runner = createScriptRunner(() => {
    if (!checked) {
      checked = true;
      // In its own time: the first command neither waits for it nor fails with it.
      void check();
    }
    return connect();
  }, options.commandTimeoutMs);
  const check = async (): Promise<void> => {
    const send = (command: readonly RedisArgument[]): Promise<RedisReply> => runner.send(null, command);
    for (const warning of await checkServer(send)) warn(warning);
  };

  const barrier =
    options.waitReplicas === 0
      ? null
      : createReplicaBarrier({
          open: async () => (await connect()).duplicate(),
          replicas: options.waitReplicas,
          timeoutMs: options.waitTimeoutMs,
        });

  return {
    cluster: given?.cluster ?? false,
    keyPrefix: given?.keyPrefix ?? '',
    runner,
    barrier,
    subscribe: async (events) => (await connect()).subscriber(events),
    async close() {
      runner.close();
      await barrier?.close();
      // A port that could not be opened has nothing to close.
      const opened = await Promise.resolve(port).catch(() => undefined);
      await opened?.close();
    },
  };
}
