import type { PerennialConfig as ActorConfig } from '@perennial/actor';
import type { StreamStore } from '@perennial/core';

/** Streams behind an HTTP handler, such as `perennial serve` or a route of an application. */
export interface HttpStoreConfig {
  /** Base URL of the handler, such as `https://example.org/api/streams`. */
  readonly url: string;
  /** Sent as a bearer token. @default PERENNIAL_TOKEN */
  readonly token?: string;
}

/** Streams in Redis or Valkey. */
export interface RedisStoreConfig {
  /** Address of the server, such as `redis://localhost:6379`. */
  readonly redis: string;
  /** In front of every key. @default 'perennial' */
  readonly prefix?: string;
}

/** Streams in a folder. */
export interface FileStoreConfig {
  /** The folder; relative paths count from the config file. */
  readonly directory: string;
  /** Where the process that writes the folder serves its streams over HTTP; commands that write go there. @default none */
  readonly url?: string;
  /** Sent to `url` as a bearer token. @default PERENNIAL_TOKEN */
  readonly token?: string;
  /** @default 'disk' */
  readonly durability?: 'disk' | 'os';
}

/** Where the streams are; a function makes the store, for what no option here says. The command closes what it makes. */
export type StoreConfig =
  | HttpStoreConfig
  | RedisStoreConfig
  | FileStoreConfig
  | (() => StreamStore | Promise<StreamStore>);

/** A queue of BullMQ, which has to be installed. */
export interface RedisQueueConfig {
  /** Address of the server, such as `redis://localhost:6379`. */
  readonly redis: string;
  /** In front of every key of the queue. @default 'bull' */
  readonly prefix?: string;
}

/** What `perennial.config.ts` exports: the project's actors with what they need, and where its streams are. */
export interface PerennialConfig extends Omit<ActorConfig, 'store' | 'queue'> {
  /** Where the streams are. @default said by options of the command or by the environment */
  readonly store?: StoreConfig;
  /** Where workers and their callers meet. @default a queue of BullMQ, where the streams are in Redis */
  readonly queue?: RedisQueueConfig | Exclude<ActorConfig['queue'], undefined>;
}

/**
 * Declares the configuration of the `perennial` command. It returns what it is given: it is there for the types.
 *
 * @example
 * export default defineConfig({ store: { directory: '.streams' }, actors: { 'chat-agent': new ChatActor() } });
 */
export function defineConfig(config: PerennialConfig): PerennialConfig {
  return config;
}
