/**
 * The index of stream ids: sorted sets ordered by id, the same number of them on a single server and in a Cluster.
 *
 * On a single server the scripts keep it. In a Cluster a stream and its shard lie on different servers, so the store does: it adds an id
 * before the stream is created, so that no crash leaves a stream unlisted, and again afterwards, so that nobody who saw the stream absent
 * in between can have removed it. Whoever removes an id looks once more, and puts it back when the stream exists. Ids of streams that
 * expired are left behind; listing removes those it meets, and each few creations look at some at random.
 */
import type { RedisArgument, RedisReply } from '../clients/port.ts';
import { decodeOrdered, encodeOrdered } from '../codec/ordered-text.ts';
import type { KeyNames } from '../keys.ts';

/** See the head of this file. */
export interface StreamIndex {
  /** The bytes under which an id is indexed. */
  member(id: string): RedisArgument;
  add(id: string): Promise<void>;
  /** Removes an id whose stream was seen to be absent. */
  remove(id: string): Promise<void>;
  /** Ids with the prefix, after `after`, in code unit order, read page by page. */
  scan(options: ScanOptions): AsyncGenerator<readonly string[], void, undefined>;
  /**
   * Looks at some streams, now and then: removes ids of those that no longer exist, and tells of those that forks read. Call it after each
   * creation.
   */
  tidy(onForked: (id: string) => Promise<void>): Promise<void>;
}

/** Options of {@link StreamIndex.scan}. */
export interface ScanOptions {
  readonly prefix: string;
  readonly after?: string | undefined;
  /** Ids wanted, as a hint. */
  readonly limit: number;
}

/** What the index needs from the store. */
export interface StreamIndexOptions {
  readonly names: KeyNames;
  readonly send: (key: string, command: readonly RedisArgument[]) => Promise<RedisReply>;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** Every so many creations look at this many random ids: more than one id is checked for each that is added, so dead ones stay few. */
const TIDY_INTERVAL = 4;
const TIDY_SAMPLE = 16;
/** No byte of an encoded id is this high, so it ends the range of a prefix. */
const HIGHEST = Buffer.from([0xff]);

/** Creates the index. Nothing is sent before the first call. */
export function createStreamIndex({ names, send, random }: StreamIndexOptions): StreamIndex {
  let creations = 0;

  const exists = async (id: string): Promise<boolean> => {
    const { meta } = names.of(id);
    return Number(await send(meta, ['EXISTS', meta])) === 1;
  };
  const add = async (id: string): Promise<void> => {
    const { index } = names.of(id);
    await send(index, ['ZADD', index, '0', encodeOrdered(id)]);
  };
  const remove = async (id: string): Promise<void> => {
    const { index } = names.of(id);
    await send(index, ['ZREM', index, encodeOrdered(id)]);
    if (await exists(id)) await add(id);
  };
  const rangeOf = async (shard: Shard, max: RedisArgument, count: number): Promise<void> => {
    const reply = await send(shard.key, ['ZRANGEBYLEX', shard.key, shard.min, max, 'LIMIT', '0', String(count)]);
    const ids = textsOf(reply);
    shard.ids.push(...ids);
    shard.exhausted = ids.length < count;
    const last = ids.at(-1);
    if (last !== undefined) shard.min = bound('(', last);
  };

  return {
    member: encodeOrdered,
    add,
    remove,
    async *scan({ prefix, after, limit }) {
      const start =
        after !== undefined && after >= prefix ? bound('(', after) : prefix === '' ? '-' : bound('[', prefix);
      yield* merge(shardsFrom(names, start), maxOf(prefix), limit, rangeOf);
    },
    async tidy(onForked) {
      if (++creations % TIDY_INTERVAL !== 0) return;
      const key = names.indexes[Math.floor(random() * names.indexes.length)];
      if (key === undefined) return;
      const ids = textsOf(await send(key, ['ZRANDMEMBER', key, String(TIDY_SAMPLE)]));
      await Promise.all(
        ids.map(async (id) => {
          const { meta } = names.of(id);
          const [incarnation, state] = listOf(await send(meta, ['HMGET', meta, 'i', 'x']));
          if (incarnation === null) await remove(id);
          else if (state !== null && !String(state).includes(';0;')) await onForked(id);
        }),
      );
    },
  };
}

interface Shard {
  readonly key: string;
  /** Where the next range starts. */
  min: RedisArgument;
  /** Fetched and not yet merged. */
  ids: string[];
  exhausted: boolean;
}

function shardsFrom(names: KeyNames, min: RedisArgument): Shard[] {
  return names.indexes.map((key) => ({ key, min, ids: [], exhausted: false }));
}

/** Merges the shards in order. An id is safe to yield once no shard can still bring a smaller one. */
async function* merge(
  shards: readonly Shard[],
  max: RedisArgument,
  limit: number,
  fetch: (shard: Shard, max: RedisArgument, count: number) => Promise<void>,
): AsyncGenerator<readonly string[], void, undefined> {
  const count = Math.ceil((limit + 1) / shards.length) + 8;
  for (;;) {
    const hungry = shards.filter(({ ids, exhausted }) => ids.length === 0 && !exhausted);
    await Promise.all(hungry.map((shard) => fetch(shard, max, count)));
    const ends = shards.filter(({ exhausted }) => !exhausted).map(({ ids }) => ids.at(-1) ?? '');
    const safe = ends.length === 0 ? null : ends.reduce((least, id) => (id < least ? id : least));
    const ready: string[] = [];
    for (const shard of shards) {
      const cut = safe === null ? shard.ids.length : shard.ids.findIndex((id) => id > safe);
      ready.push(...shard.ids.splice(0, cut === -1 ? shard.ids.length : cut));
    }
    if (ready.length > 0) yield ready.toSorted();
    if (safe === null) return;
  }
}

function maxOf(prefix: string): RedisArgument {
  return prefix === '' ? '+' : Buffer.concat([Buffer.from('('), Buffer.from(encodeOrdered(prefix)), HIGHEST]);
}

function bound(kind: '(' | '[', id: string): RedisArgument {
  const encoded = encodeOrdered(id);
  return typeof encoded === 'string' ? kind + encoded : Buffer.concat([Buffer.from(kind), encoded]);
}

function listOf(reply: RedisReply): readonly RedisReply[] {
  return Array.isArray(reply) ? (reply as readonly RedisReply[]) : [];
}

function textsOf(reply: RedisReply): string[] {
  return listOf(reply).map((member) => (Buffer.isBuffer(member) ? decodeOrdered(member) : String(member)));
}
