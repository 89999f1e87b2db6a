export { type ConsumeOptions, RedisStreamConsumer } from './chunks/redis-stream-consumer.ts';
export { RedisStreamPublisher, type RedisStreamPublisherOptions } from './chunks/redis-stream-publisher.ts';
export type { ChunkTarget, SharedStoreOptions } from './chunks/shared-store.ts';
export type { IoredisLike } from './clients/ioredis.ts';
export type { NodeRedisLike } from './clients/node-redis.ts';
export type {
  RedisArgument,
  RedisPort,
  RedisReply,
  RedisSubscriber,
  RedisSubscriberEvents,
} from './clients/port.ts';
export type { RedisClient } from './clients/resolve-port.ts';
export { RedisDataLossError, RedisReplicationError } from './errors.ts';
export type { RedisStreamStoreOptions } from './options.ts';
export { createRedisStreamStore } from './redis-store.ts';
export type { RedisStoreWarning } from './server-check.ts';
