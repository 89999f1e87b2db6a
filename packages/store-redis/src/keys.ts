import { InvalidArgumentError, quote } from '@perennial/core';

/** Shards of the index of stream ids. A constant of the data format: every process has to agree on it. */
export const INDEX_SHARDS = 16;

/** The names under which a stream lies in Redis. */
export interface StreamKeys {
  /** Hash of everything but the records. */
  readonly meta: string;
  /** Redis stream of the records; the record at position p has the id `0-(p + 1)`. */
  readonly log: string;
  /** Hash of the forks that read the stream. */
  readonly forks: string;
  /** Sharded channel that wakes readers; named like the log, so that scripts need not be told. */
  readonly channel: string;
  /** Sorted set with the stream's entry in the index. */
  readonly index: string;
}

/**
 * The one place where keys are named. The keys and the channel of a stream share a hash tag, so that a script reaches them in a
 * Cluster; the index is spread over {@link INDEX_SHARDS} sorted sets.
 */
export interface KeyNames {
  of(streamId: string): StreamKeys;
  /** All shards of the index. */
  readonly indexes: readonly string[];
}

/** @throws `INVALID_ARGUMENT` unless the prefix can be put in front of keys. */
export function assertPrefix(prefix: unknown): asserts prefix is string {
  // Braces would move the hash tag, and with it all streams to one server.
  if (typeof prefix !== 'string' || prefix === '' || /[{}]/.test(prefix) || !prefix.isWellFormed()) {
    throw new InvalidArgumentError(
      'prefix',
      `\`prefix\` must be a non-empty string without braces; got ${quote(prefix)}.`,
    );
  }
}

/** Names remembered; they cost about a microsecond to build, which an append in the same process would notice. */
const CACHED_NAMES = 4_096;

/** Names keys that start with `prefix`. */
export function createKeyNames(prefix: string): KeyNames {
  const indexes = Array.from({ length: INDEX_SHARDS }, (_, shard) => `${prefix}:index:{${shard}}`);
  const cache = new Map<string, StreamKeys>();
  return {
    indexes,
    of(streamId) {
      const cached = cache.get(streamId);
      if (cached) return cached;
      // A closing brace would end the tag early; the percent sign is escaped so that no two ids meet.
      const tag = /[%}]/.test(streamId) ? streamId.replaceAll('%', '%25').replaceAll('}', '%7D') : streamId;
      const base = `${prefix}:{${tag}}`;
      const keys = {
        meta: `${base}:meta`,
        log: `${base}:log`,
        forks: `${base}:forks`,
        channel: `${base}:log`,
        index: indexes[shardOf(streamId)] ?? '',
      };
      if (cache.size >= CACHED_NAMES) cache.clear();
      cache.set(streamId, keys);
      return keys;
    },
  };
}

/** FNV-1a over the code units. */
function shardOf(streamId: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < streamId.length; i++) hash = Math.imul(hash ^ streamId.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % INDEX_SHARDS;
}
