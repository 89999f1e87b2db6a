/** One argument of a command. */
export type RedisArgument = string | Buffer;

/** A reply, bulk strings as Buffers. */
export type RedisReply = Buffer | string | number | null | readonly RedisReply[];

/**
 * The narrow client port that the store speaks to: a single server or a Cluster, behind whichever library. Adapters exist for `ioredis`
 * and `redis`; implement it to use another.
 *
 * Two promises matter for exactly-once writes: a command that may have reached the server is never sent again behind the store's back,
 * and a `batch` runs on one connection or is rejected.
 */
export interface RedisPort {
  /** True for a Cluster: keys are then spread over servers. */
  readonly cluster: boolean;
  /** What the client puts in front of every key. */
  readonly keyPrefix: string;
  /** Sends a command to the server that holds `key`; null for any. Rejects with the server's error reply, or when the connection is lost. */
  send(key: string | null, command: readonly RedisArgument[]): Promise<RedisReply>;
  /** Sends commands one right after the other on one connection, to the server that holds `key`. Rejects when any of them fails. */
  batch(key: string, commands: readonly (readonly RedisArgument[])[]): Promise<readonly RedisReply[]>;
  /** Opens further connections of the same kind. */
  duplicate(): RedisPort;
  /** Opens the connection (in a Cluster: one per node) on which sharded channels are listened to. */
  subscriber(events: RedisSubscriberEvents): RedisSubscriber;
  /** Closes the connections of this port. What is under way is rejected. Idempotent. */
  close(): Promise<void>;
}

/** What a {@link RedisSubscriber} reports. */
export interface RedisSubscriberEvents {
  /** A message arrived. Its content does not matter. */
  readonly onMessage: (channel: string) => void;
  /** Messages may have been missed: the connection was lost, or the Cluster changed. */
  readonly onReset: () => void;
}

/** Listens to sharded channels. */
export interface RedisSubscriber {
  /** Resolves once messages of the channel arrive. After a lost connection the channel is subscribed to again without being asked. */
  subscribe(channel: string): Promise<void>;
  unsubscribe(channel: string): Promise<void>;
  close(): Promise<void>;
}
