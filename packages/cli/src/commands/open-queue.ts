import type { MessageQueue } from '@perennial/actor';

import type { RedisQueueConfig } from '../config/config.ts';
import { ConfigError } from '../errors.ts';
import type { TargetSpec } from '../target/target-spec.ts';
import type { Project } from './load-project.ts';

/**
 * Opens the queue between callers and workers: the config's, or one on the Redis in which the streams are.
 *
 * @throws {@link ConfigError} when there is none, or one that no other process can hear.
 */
export async function openQueue({ file, config }: Project, spec: TargetSpec): Promise<MessageQueue> {
  const { queue } = config;
  if (typeof queue !== 'function') {
    if (queue) return openBull(file, queue);
    if (spec.kind === 'redis') return openBull(file, { redis: spec.url });
    throw new ConfigError(file, 'queue', 'is missing.', {
      hint: "Workers and callers meet in a queue: `queue: { redis: 'redis://127.0.0.1:6379' }`, or keep the streams in Redis.",
    });
  }
  let made: unknown;
  try {
    made = await queue();
  } catch (cause) {
    throw new ConfigError(file, 'queue', `threw: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  if (!isQueue(made)) throw new ConfigError(file, 'queue', 'must return a message queue.');
  if (!made.durable) {
    await made.close();
    throw new ConfigError(file, 'queue', 'is in memory: no other process can hear it.');
  }
  return made;
}

async function openBull(file: string, { redis, prefix }: RedisQueueConfig): Promise<MessageQueue> {
  const { createBullMessageQueue } = await import('@perennial/actor/bullmq').catch((cause: unknown) => {
    throw new ConfigError(file, 'queue', 'is one of BullMQ, which cannot be loaded.', {
      hint: 'Run `npm install bullmq`.',
      cause,
    });
  });
  return createBullMessageQueue({ url: redis, ...(prefix !== undefined && { prefix }) });
}

function isQueue(value: unknown): value is MessageQueue {
  return (
    typeof value === 'object' &&
    value !== null &&
    'durable' in value &&
    ['send', 'consume', 'close'].every((name) => typeof Reflect.get(value, name) === 'function')
  );
}
