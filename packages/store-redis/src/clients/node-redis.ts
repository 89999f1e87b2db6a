import type { RedisArgument, RedisPort, RedisReply, RedisSubscriber, RedisSubscriberEvents } from './port.ts';

/** What the store needs of a client of the `redis` package: what its `createClient` and `createCluster` return has it. */
export interface NodeRedisLike {
  readonly isOpen: boolean;
  sendCommand(...args: never[]): unknown;
  duplicate(...args: never[]): unknown;
}

interface Shared<Self> {
  duplicate(options: object): Self;
  connect(): Promise<unknown>;
  destroy(): void;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  sSubscribe(channel: string, listener: (message: string, channel: string) => void): Promise<void>;
  sUnsubscribe(channel: string): Promise<void>;
}

interface SingleClient extends Shared<SingleClient> {
  sendCommand(args: readonly RedisArgument[], options: object): Promise<RedisReply>;
  multi(): { addCommand(args: readonly RedisArgument[]): unknown; execAsPipeline(): Promise<readonly RedisReply[]> };
}

interface ClusterClient extends Shared<ClusterClient> {
  sendCommand(
    key: string | undefined,
    isReadonly: boolean,
    args: readonly RedisArgument[],
    options: object,
  ): Promise<RedisReply>;
  multi(key: string): {
    addCommand(key: string, isReadonly: boolean, args: readonly RedisArgument[]): unknown;
    execAsPipeline(): Promise<readonly RedisReply[]>;
  };
}

/**
 * Bulk strings (RESP's type byte `$`) arrive as Buffers. Without `timeout: undefined` the library arms a timer and a listener per
 * command; the store has one timer for all of its commands.
 */
const COMMAND_OPTIONS = { typeMapping: { 36: Buffer }, timeout: undefined } as const;

/**
 * Adapts a client of the `redis` package, connected or not. The store opens connections of its own with the client's options and leaves
 * the client alone. (The library itself never sends a command twice once it was written.)
 */
export function fromNodeRedis(client: NodeRedisLike): RedisPort {
  // The structural type is loose so that every version's own types fit; what is called here is named in the interfaces above.
  return 'slots' in client
    ? clusterPort(client as unknown as ClusterClient)
    : singlePort(client as unknown as SingleClient);
}

function singlePort(given: SingleClient): RedisPort {
  const client = given.duplicate({});
  const { opened, close } = lifecycle(client);
  return {
    cluster: false,
    keyPrefix: '',
    async send(_key, command) {
      await opened();
      return client.sendCommand(command, COMMAND_OPTIONS);
    },
    async batch(_key, commands) {
      await opened();
      const multi = client.multi();
      for (const command of commands) multi.addCommand(command);
      return multi.execAsPipeline();
    },
    duplicate: () => singlePort(given),
    subscriber(events) {
      const listener = given.duplicate({});
      return listen(listener, lifecycle(listener), events, ['ready']);
    },
    close,
  };
}

function clusterPort(given: ClusterClient): RedisPort {
  const client = given.duplicate({ useReplicas: false });
  const { opened, close } = lifecycle(client);
  return {
    cluster: true,
    keyPrefix: '',
    async send(key, command) {
      await opened();
      return client.sendCommand(key ?? undefined, false, command, COMMAND_OPTIONS);
    },
    async batch(key, commands) {
      await opened();
      const multi = client.multi(key);
      for (const command of commands) multi.addCommand(key, false, command);
      return multi.execAsPipeline();
    },
    duplicate: () => clusterPort(given),
    // The cluster client keeps one subscriber connection per node by itself.
    subscriber: (events) => ({
      ...listen(client, { opened, close }, events, [
        'node-ready',
        'node-disconnect',
        '__resubscribeListeners',
        'sharded-channel-moved-error',
      ]),
      close: async () => {},
    }),
    close,
  };
}

interface Lifecycle {
  /** Resolves once commands may be sent; undefined when they may be at once. */
  readonly opened: () => Promise<unknown> | undefined;
  readonly close: () => Promise<void>;
}

/** Connects with the first command, and again with a later one when that failed. */
function lifecycle(client: Shared<unknown>): Lifecycle {
  let connecting: Promise<unknown> | undefined;
  let open = false;
  client.on('error', () => {});
  client.on('node-error', () => {});
  return {
    opened() {
      if (open) return undefined;
      connecting ??= client.connect().then(
        () => (open = true),
        (error: unknown) => {
          connecting = undefined;
          throw error;
        },
      );
      return connecting;
    },
    async close() {
      try {
        client.destroy();
      } catch {
        // It was never opened.
      }
    },
  };
}

function listen(
  client: Shared<unknown>,
  { opened, close }: Lifecycle,
  { onMessage, onReset }: RedisSubscriberEvents,
  resets: readonly string[],
): RedisSubscriber {
  for (const event of resets) client.on(event, onReset);
  const listener = (_message: string, channel: string): void => onMessage(channel);
  return {
    async subscribe(channel) {
      await opened();
      await client.sSubscribe(channel, listener);
    },
    async unsubscribe(channel) {
      await opened();
      await client.sUnsubscribe(channel);
    },
    close,
  };
}
