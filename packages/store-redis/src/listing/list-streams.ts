import { DEFAULT_PAGE_LIMIT, type ListOptions, type ListResult, type StreamHead } from '@perennial/core';

import type { StreamIndex } from './stream-index.ts';

/** Heads read at once. */
const HEADS_AT_ONCE = 128;

/**
 * Lists the streams whose ids the index has and that exist.
 *
 * Costs one range per shard of the index and one head per id; ids of streams that are gone are removed from the index on the way.
 */
export async function listStreams(
  { prefix = '', after, limit = DEFAULT_PAGE_LIMIT }: ListOptions,
  index: StreamIndex,
  headOf: (id: string) => Promise<StreamHead | null>,
): Promise<ListResult> {
  const streams: StreamHead[] = [];
  for await (const ids of index.scan({ prefix, after, limit })) {
    for (let start = 0; start < ids.length; start += HEADS_AT_ONCE) {
      const some = ids.slice(start, start + HEADS_AT_ONCE);
      const heads = await Promise.all(some.map(headOf));
      const absent = some.filter((_, i) => heads[i] === null);
      await Promise.all(absent.map((id) => index.remove(id)));
      for (const head of heads) if (head) streams.push(head);
      // One more than wanted tells that there is a next page.
      if (streams.length > limit) return { streams: streams.slice(0, limit), next: streams[limit - 1]?.id ?? '' };
    }
  }
  return { streams };
}
