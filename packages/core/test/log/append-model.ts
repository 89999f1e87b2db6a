import type { AppendRequest, AppendSegment, LogState, SegmentResult } from '../../src/index.ts';

/** A record as the model keeps it: who wrote what. */
export interface ModelRecord {
  readonly data: string;
  readonly by: string | null;
}

interface ModelProducer {
  readonly epoch: number;
  /** Every sequence stored in this epoch, one by one. */
  readonly stored: ReadonlySet<number>;
}

/** A log as the model keeps it. Never changed in place. */
export interface ModelLog {
  readonly records: readonly ModelRecord[];
  readonly producers: ReadonlyMap<string, ModelProducer>;
  readonly ended: boolean;
  readonly token: number;
  readonly streamSeq: string | null;
}

export const EMPTY_MODEL: ModelLog = { records: [], producers: new Map(), ended: false, token: 0, streamSeq: null };

/** Answer of the model: what became of each segment, or `fenced` for all of them. */
export interface ModelAnswer {
  readonly statuses: readonly SegmentResult['status'][] | 'fenced';
  readonly log: ModelLog;
}

/**
 * The append rules told in the slowest and plainest way: every sequence is remembered by itself, every check is one sentence. Written
 * without looking at how the real rules count.
 */
export function modelAppend(log: ModelLog, request: AppendRequest): ModelAnswer {
  const token = request.token ?? 0;
  if (token < log.token) return { statuses: 'fenced', log };
  const statuses: SegmentResult['status'][] = [];
  let now: ModelLog = { ...log, token };
  for (const segment of request.segments) {
    const refusal = modelRefusal(now, segment);
    statuses.push(refusal ?? 'ok');
    if (refusal === null) now = modelStore(now, segment);
  }
  return { statuses, log: now };
}

/** The sequences that a segment stands for; the last may be that of the end. */
function sequences({ producer, records, sequencing, end }: AppendSegment): readonly number[] {
  if (!producer) return [];
  if (sequencing === 'segment') return [producer.seq];
  const count = end ? records.length + 1 : records.length;
  return Array.from({ length: count }, (_, index) => producer.seq + index);
}

function storedIn(log: ModelLog, { producer }: AppendSegment): ReadonlySet<number> {
  const known = producer && log.producers.get(producer.id);
  return known && known.epoch === producer.epoch ? known.stored : new Set();
}

function modelRefusal(log: ModelLog, segment: AppendSegment): SegmentResult['status'] | null {
  const { producer, contentType, streamSeq, expectedPosition } = segment;
  const stored = storedIn(log, segment);
  const wanted = sequences(segment);
  if (producer && producer.epoch < (log.producers.get(producer.id)?.epoch ?? 0)) return 'stale-epoch';
  if (producer && wanted.every((seq) => stored.has(seq))) return 'duplicate';
  if (log.ended) return 'closed';
  if (contentType !== undefined && contentType !== 'application/json') return 'content-type';
  const firstNew = wanted.find((seq) => !stored.has(seq));
  const missing =
    firstNew === undefined ? [] : Array.from({ length: firstNew }, (_, seq) => seq).filter((seq) => !stored.has(seq));
  if (missing.length > 0) return 'gap';
  if (streamSeq !== undefined && log.streamSeq !== null && streamSeq <= log.streamSeq) return 'regression';
  if (expectedPosition !== undefined && expectedPosition !== log.records.length) return 'conflict';
  return null;
}

function modelStore(log: ModelLog, segment: AppendSegment): ModelLog {
  const { producer, records, sequencing, end, streamSeq } = segment;
  const stored = storedIn(log, segment);
  const added: ModelRecord[] = [];
  for (const [index, record] of records.entries()) {
    if (record.kind === 'supersede') throw new Error('The model knows data records only');
    const seq = producer && (sequencing === 'segment' ? producer.seq : producer.seq + index);
    if (seq !== undefined && sequencing !== 'segment' && stored.has(seq)) continue;
    added.push({ data: String(record.data), by: producer ? `${producer.id}/${producer.epoch}/${seq}` : null });
  }
  const producers = new Map(log.producers);
  if (producer)
    producers.set(producer.id, { epoch: producer.epoch, stored: new Set([...stored, ...sequences(segment)]) });
  return {
    ...log,
    records: [...log.records, ...added],
    producers,
    ended: log.ended || end !== undefined,
    streamSeq: streamSeq ?? log.streamSeq,
  };
}

/** The state of the real rules in the terms of the model, for comparison; `records` are kept by the caller. */
export function describeState(state: LogState, records: readonly ModelRecord[]): unknown {
  return {
    records,
    producers: [...state.producers].map(([id, { epoch, nextSeq }]) => `${id}/${epoch}/${nextSeq}`).toSorted(),
    ended: state.head.end !== null,
    token: state.head.token,
    streamSeq: state.streamSeq,
    tail: state.head.nextPosition,
  };
}

/** The model in the same terms. Its sequences are dense, or the model itself is wrong. */
export function describeModel({ records, producers, ended, token, streamSeq }: ModelLog): unknown {
  const dense = [...producers].map(([id, { epoch, stored }]) => {
    for (let seq = 0; seq < stored.size; seq++)
      if (!stored.has(seq)) throw new Error(`Sequence ${seq} of ${id} is missing`);
    return `${id}/${epoch}/${stored.size}`;
  });
  return { records, producers: dense.toSorted(), ended, token, streamSeq, tail: records.length };
}
