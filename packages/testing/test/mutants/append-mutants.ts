import type { AppendRequest, AppendSegment, NewRecord, StreamStore } from '@perennial/core';

import { type Mutant, mutant, without } from './mutant.ts';

/** The memory store with every segment changed before it is appended. */
function segmented(
  name: string,
  noticed: readonly [group: string, noticedBy: string],
  change: (segment: AppendSegment) => AppendSegment,
): Mutant {
  return mutant(name, noticed, (inner) => ({
    append: (id, request) => inner.append(id, { ...request, segments: request.segments.map(change) }),
  }));
}

const tick = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, 0);
  });

/** Stores that append wrongly. */
export const appendMutants: readonly Mutant[] = [
  segmented('forgets producers', ['producers', 'recognises a repeated segment and stores it once'], (segment) =>
    without(segment, 'producer'),
  ),
  segmented(
    'numbers segments instead of records',
    ['producers', 'skips the part that is stored and appends the rest'],
    (segment) => ({ ...segment, sequencing: 'segment' }),
  ),
  segmented(
    'ignores the expected position',
    ['append expectations', 'refuses a position below or above the tail and names the tail'],
    (segment) => without(segment, 'expectedPosition'),
  ),
  segmented(
    'ignores the stream sequence',
    ['append expectations', 'compares stream sequences as text, not as numbers'],
    (segment) => without(segment, 'streamSeq'),
  ),
  segmented(
    'ignores the content type',
    ['append expectations', 'refuses another content type and names the stored one'],
    (segment) => without(segment, 'contentType'),
  ),
  segmented('drops supersede records', ['append', 'stores a supersede record at a position of its own'], (segment) => ({
    ...segment,
    records: segment.records.filter(({ kind }) => kind !== 'supersede'),
  })),
  segmented(
    're-encodes JSON',
    ['hostile payloads', 'keeps JSON with numbers that no double holds as raw text'],
    (segment) => ({ ...segment, records: segment.records.map(reencoded) }),
  ),
  segmented('forgets why it ended', ['append', 'keeps a cancellation, with and without a reason'], (segment) =>
    segment.end ? { ...segment, end: { outcome: segment.end.outcome } } : segment,
  ),
  mutant('ignores tokens', ['append expectations', 'refuses a lower token, and none once there is one'], (inner) => ({
    create: (id, options = {}) => inner.create(id, without(options, 'token')),
    append: (id, request) => inner.append(id, without(request, 'token')),
  })),
  mutant('reports closed before duplicate', ['append check order', 'duplicate is reported before closed'], (inner) => ({
    async append(id, request) {
      const head = await inner.head(id);
      const { end } = head ?? {};
      return head && end
        ? { segments: request.segments.map(() => ({ status: 'closed' as const, end })), head }
        : inner.append(id, request);
    },
  })),
  mutant(
    'reports gaps before content types',
    ['append check order', 'content-type is reported before gap'],
    (inner) => ({
      async append(id, request) {
        const answer = await inner.append(id, request);
        if (answer.segments[0]?.status !== 'content-type') return answer;
        // An impossible expected position keeps the second look from storing anything.
        const probe = request.segments.map((segment) => ({
          ...without(segment, 'contentType'),
          expectedPosition: Number.MAX_SAFE_INTEGER,
        }));
        const second = await inner.append(id, { ...request, segments: probe });
        return second.segments[0]?.status === 'gap' ? second : answer;
      },
    }),
  ),
  mutant(
    'checks the expected position before it appends, not while',
    ['concurrency', 'of racing appends that expect one position, exactly one is stored'],
    (inner) => ({
      async append(id, request) {
        const head = await inner.head(id);
        const expected = request.segments[0]?.expectedPosition;
        await tick();
        if (expected !== undefined && expected !== head?.nextPosition) return inner.append(id, request);
        return inner.append(id, {
          ...request,
          segments: request.segments.map((segment) => without(segment, 'expectedPosition')),
        });
      },
    }),
  ),
  mutant('appends record by record', ['concurrency', 'records of one append stay together'], (inner) => ({
    append: (id, request) => appendSingly(inner, id, request),
  })),
];

function reencoded(record: NewRecord): NewRecord {
  if (record.kind === 'supersede' || typeof record.data !== 'string') return record;
  return { ...record, data: JSON.stringify(JSON.parse(record.data)) };
}

async function appendSingly(inner: StreamStore, id: string, request: AppendRequest): ReturnType<StreamStore['append']> {
  const [segment] = request.segments;
  if (!segment || segment.producer || segment.end || segment.records.length < 2) return inner.append(id, request);
  for (const record of segment.records.slice(0, -1)) {
    await inner.append(id, { segments: [{ records: [record] }] });
    await tick();
  }
  return inner.append(id, { segments: [{ records: segment.records.slice(-1) }] });
}
