import { mediaType, payloadsFit } from './codec.ts';
import type { StreamEnd } from './end.ts';
import { StreamFencedError } from './errors.ts';
import type { ProducerState, StreamHead } from './head.ts';
import type { NewRecord, ProducerStamp, StreamRecord } from './record.ts';
import type { AppendRequest, AppendSegment, SegmentResult } from './store.ts';

/** The stored metadata that decisions depend on. `head` is immutable and replaced; the rest belongs to the store. */
export interface LogState {
  head: StreamHead;
  /** Producers by id. */
  readonly producers: Map<string, ProducerState>;
  /** Last `Stream-Seq` accepted; null = none yet. */
  streamSeq: string | null;
  /** Who raised the fencing token last, so that a repeated raise is recognised; null = an append or a creation. */
  fenceNonce: string | null;
}

/** What an append adds to a log: a store persists it as one unit, and folds it back with {@link applyAppend} on recovery. */
export interface AppendEffect {
  /** Stamped records, at consecutive positions from the old tail. */
  readonly records: readonly StreamRecord[];
  readonly end: StreamEnd | null;
  /** New states of the producers that took part. */
  readonly producers: readonly (readonly [id: string, state: ProducerState])[];
  /** The new last `Stream-Seq`, or null when unchanged. */
  readonly streamSeq: string | null;
  /** The fencing token after the append. */
  readonly token: number;
}

/** A decided append: one result per segment, and the effect, or null when nothing changes. */
export interface AppendDecision {
  readonly results: readonly SegmentResult[];
  readonly effect: AppendEffect | null;
}

const NO_PRODUCERS: AppendEffect['producers'] = [];

/** The state of a log that holds nothing yet. */
export function createLogState(head: StreamHead): LogState {
  return { head, producers: new Map(), streamSeq: null, fenceNonce: null };
}

/**
 * Decides an append without changing anything (PROTOCOL.md, "Append rules"). The checks run in this order: fencing token, stale epoch,
 * duplicate, closed, content type, gap, stream sequence, expected position.
 *
 * @param state What is stored, including appends that are accepted and not yet durable.
 * @param request A request that passed `assertAppendRequest`.
 * @param now Milliseconds since the Unix epoch, stamped on the records.
 * @throws {@link StreamFencedError} for the whole request. Other refusals are results of their segment.
 */
export function decideAppend(state: LogState, request: AppendRequest, now: number): AppendDecision {
  const { head } = state;
  const token = request.token ?? 0;
  if (token < head.token) throw new StreamFencedError(head.id, token, head.token);

  // A single segment has no earlier one to look up: without a map the decision takes two thirds of the time (0.12 against 0.18 us).
  const earlier = request.segments.length > 1 ? new Map<string, ProducerState>() : null;
  let records: StreamRecord[] | null = null;
  let producers: AppendEffect['producers'] = NO_PRODUCERS;
  let results: SegmentResult[] | null = null;
  let changed = token > head.token;
  let { end } = head;
  let { streamSeq } = state;

  for (const segment of request.segments) {
    const nextPosition = head.nextPosition + (records?.length ?? 0);
    const known = segment.producer && (earlier?.get(segment.producer.id) ?? state.producers.get(segment.producer.id));
    const result = decideSegment(segment, { head, end, streamSeq, nextPosition, known });
    // A list that begins with what is in it has no room to spare: an empty one takes room for 17 when the first item comes.
    if (results) results.push(result);
    else results = [result];
    if (result.status !== 'ok') continue;
    changed = true;
    const { producer } = segment;
    const added = stampSegment(segment, result, now);
    if (records) for (const record of added) records.push(record);
    else records = added;
    if (producer) {
      const next = { epoch: producer.epoch, nextSeq: producer.seq + sequenceCount(segment) };
      if (earlier) earlier.set(producer.id, next);
      else producers = [[producer.id, next]];
    }
    if (segment.end) end = segment.end;
    if (segment.streamSeq !== undefined) streamSeq = segment.streamSeq;
  }
  results ??= [];
  if (!changed) return { results, effect: null };
  return {
    results,
    effect: {
      records: records ?? [],
      end: end === head.end ? null : end,
      producers: earlier ? [...earlier] : producers,
      streamSeq: streamSeq === state.streamSeq ? null : streamSeq,
      token,
    },
  };
}

/** Gives the records of a segment that were not stored before their places in the log. */
function stampSegment(
  { records, producer, sequencing }: AppendSegment,
  { position, skipped }: Extract<SegmentResult, { status: 'ok' }>,
  now: number,
): StreamRecord[] {
  const growth = sequencing === 'segment' ? 0 : 1;
  const stamp = (record: NewRecord, index: number): StreamRecord =>
    stampRecord(
      record,
      position + index,
      now,
      producer && { id: producer.id, epoch: producer.epoch, seq: producer.seq + (skipped + index) * growth },
    );
  const [first] = records;
  if (first && records.length === 1 && skipped === 0) return [stamp(first, 0)];
  return records.slice(skipped).map(stamp);
}

/** Folds an effect into the state. The records themselves are the store's to keep. */
export function applyAppend(state: LogState, effect: AppendEffect): void {
  const { head } = state;
  for (const [id, producer] of effect.producers) state.producers.set(id, producer);
  if (effect.streamSeq !== null) state.streamSeq = effect.streamSeq;
  if (effect.token > head.token) state.fenceNonce = null;
  state.head = {
    ...head,
    nextPosition: head.nextPosition + effect.records.length,
    end: effect.end ?? head.end,
    token: Math.max(head.token, effect.token),
  };
}

/** Gives a record its place in the log. */
export function stampRecord(
  record: NewRecord,
  position: number,
  timestamp: number,
  producer?: ProducerStamp,
): StreamRecord {
  if (record.kind === 'supersede') {
    return {
      kind: 'supersede',
      position,
      timestamp,
      step: record.step,
      belowAttempt: record.belowAttempt,
      ...(producer && { producer }),
    };
  }
  if (record.step === undefined) {
    return producer
      ? { kind: 'data', position, data: record.data, timestamp, producer }
      : { kind: 'data', position, data: record.data, timestamp };
  }
  return {
    kind: 'data',
    position,
    data: record.data,
    timestamp,
    ...(producer && { producer }),
    step: record.step,
    attempt: record.attempt ?? 1,
  };
}

interface SegmentContext {
  readonly head: StreamHead;
  readonly end: StreamEnd | null;
  readonly streamSeq: string | null;
  readonly nextPosition: number;
  readonly known: ProducerState | undefined;
}

function decideSegment(
  segment: AppendSegment,
  { head, end, streamSeq, nextPosition, known }: SegmentContext,
): SegmentResult {
  const { producer } = segment;
  let skipped = 0;
  let expectedSeq = 0;
  if (producer) {
    if (known && producer.epoch < known.epoch) return { status: 'stale-epoch', epoch: known.epoch };
    expectedSeq = known?.epoch === producer.epoch ? known.nextSeq : 0;
    const count = sequenceCount(segment);
    skipped = Math.min(Math.max(expectedSeq - producer.seq, 0), count);
    // Before "closed": a replayed append that itself closed the stream has to learn that it succeeded.
    if (skipped === count) return { status: 'duplicate', nextSeq: expectedSeq };
  }
  if (end) return { status: 'closed', end };
  const wrongType = segment.contentType !== undefined && mediaType(segment.contentType) !== mediaType(head.contentType);
  if (wrongType || !payloadsFit(segment.records, head.contentType))
    return { status: 'content-type', contentType: head.contentType };
  if (producer && producer.seq > expectedSeq) return { status: 'gap', expectedSeq };
  if (segment.streamSeq !== undefined && streamSeq !== null && segment.streamSeq <= streamSeq)
    return { status: 'regression', streamSeq };
  if (segment.expectedPosition !== undefined && segment.expectedPosition !== nextPosition)
    return { status: 'conflict', nextPosition };
  return { status: 'ok', position: nextPosition, count: Math.max(segment.records.length - skipped, 0), skipped };
}

/** Sequences a segment occupies: one per record and one for an end, or one for all of it. */
function sequenceCount(segment: AppendSegment): number {
  return segment.sequencing === 'segment' ? 1 : segment.records.length + (segment.end ? 1 : 0);
}
