import type { RedisArgument, RedisPort, RedisReply, RedisSubscriber, RedisSubscriberEvents } from './port.ts';

/** What the store needs of a client of the `ioredis` package: its `Redis` and `Cluster` classes have it. */
export interface IoredisLike {
  readonly status: string;
  readonly options: object;
  callBuffer(...args: never[]): unknown;
  duplicate(...args: never[]): unknown;
}

interface Connection {
  readonly status: string;
  readonly isCluster?: boolean;
  readonly options: { readonly keyPrefix?: string; readonly redisOptions?: { readonly keyPrefix?: string } };
  callBuffer(name: string, args: readonly RedisArgument[]): Promise<RedisReply>;
  pipeline(): Pipeline;
  ssubscribe(channel: string): Promise<unknown>;
  sunsubscribe(channel: string): Promise<unknown>;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  disconnect(): void;
}

interface Pipeline {
  callBuffer(name: string, args: readonly RedisArgument[]): Pipeline;
  exec(): Promise<readonly (readonly [Error | null, RedisReply])[] | null>;
}

interface SingleConnection extends Connection {
  duplicate(options: object): SingleConnection;
}

interface ClusterConnection extends Connection {
  duplicate(startupNodes: readonly never[], options: object): ClusterConnection;
}

/** Options by which no command is ever sent twice: one that was under way when its connection broke is rejected. */
const SEND_ONCE = {
  keyPrefix: '',
  lazyConnect: true,
  readOnly: false,
  enableAutoPipelining: false,
  autoResendUnfulfilledCommands: false,
  // Rejects what is under way at each close. Without it ioredis 6 leaves such commands unanswered once it may not resend them.
  maxRetriesPerRequest: 0,
  // A demoted server refuses writes on a connection that stays healthy; only a new connection finds the promoted one.
  reconnectOnError: (error: Error): boolean => error.message.startsWith('READONLY'),
} as const;

/** Adapts a client of the `ioredis` package. The store opens connections of its own with the client's options and leaves the client alone. */
export function fromIoredis(client: IoredisLike): RedisPort {
  // The structural type is loose so that every version's own types fit; what is called here is named in `Connection`.
  const given = client as unknown as Connection;
  return given.isCluster === true
    ? clusterPort(given as ClusterConnection, true)
    : singlePort(given as SingleConnection);
}

function singlePort(given: SingleConnection): RedisPort {
  const connection = given.duplicate(SEND_ONCE);
  connection.on('error', ignore);
  return {
    cluster: false,
    keyPrefix: given.options.keyPrefix ?? '',
    ...commandsOf(connection),
    duplicate: () => singlePort(given),
    subscriber(events) {
      const subscriber = given.duplicate({ keyPrefix: '', lazyConnect: true, maxRetriesPerRequest: null });
      return { ...listen(subscriber, events, ['ready']), close: async () => subscriber.disconnect() };
    },
  };
}

function clusterPort(given: ClusterConnection, subscribing: boolean): RedisPort {
  const connection = given.duplicate([], {
    keyPrefix: '',
    lazyConnect: true,
    scaleReads: 'master',
    enableAutoPipelining: false,
    // 0 = a command whose connection closed is rejected instead of being sent to another node.
    retryDelayOnFailover: 0,
    shardedSubscribers: subscribing,
    redisOptions: { ...SEND_ONCE, lazyConnect: true },
  });
  connection.on('error', ignore);
  connection.on('node error', ignore);
  return {
    cluster: true,
    keyPrefix: given.options.keyPrefix ?? given.options.redisOptions?.keyPrefix ?? '',
    ...commandsOf(connection),
    duplicate: () => clusterPort(given, false),
    // The cluster client keeps one subscriber connection per node by itself.
    subscriber: (events) => ({
      ...listen(connection, events, ['+node', '-node', '+subscriber', '-subscriber', 'subscribersReady']),
      close: async () => {},
    }),
  };
}

function commandsOf(connection: Connection): Pick<RedisPort, 'send' | 'batch' | 'close'> {
  return {
    send: (_key, command) => connection.callBuffer(String(command[0]), command.slice(1)),
    async batch(_key, commands) {
      const pipeline = connection.pipeline();
      for (const command of commands) pipeline.callBuffer(String(command[0]), command.slice(1));
      const replies = (await pipeline.exec()) ?? [];
      return replies.map(([error, reply]) => {
        if (error) throw error;
        return reply;
      });
    },
    async close() {
      connection.disconnect();
    },
  };
}

function listen(
  connection: Connection,
  { onMessage, onReset }: RedisSubscriberEvents,
  resets: readonly string[],
): Pick<RedisSubscriber, 'subscribe' | 'unsubscribe'> {
  connection.on('error', ignore);
  connection.on('smessage', (channel) => onMessage(String(channel)));
  for (const event of resets) connection.on(event, onReset);
  return {
    async subscribe(channel) {
      await connection.ssubscribe(channel);
    },
    async unsubscribe(channel) {
      await connection.sunsubscribe(channel);
    },
  };
}

/** Connection errors reach callers as rejected commands; without a listener ioredis prints them. */
function ignore(): void {}
