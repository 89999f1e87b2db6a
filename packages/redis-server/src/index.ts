export { findRedis, type RedisBinary } from './find-redis.ts';
export { type RedisCluster, startRedisCluster, type StartRedisClusterOptions } from './start-cluster.ts';
export { type RedisServer, startRedis, type StartRedisOptions } from './start-redis.ts';
export { sharedRedis, type SharedRedis } from './shared-redis.ts';
