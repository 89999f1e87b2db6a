import { assertCounter, assertName, assertObject, assertPositive, assertText } from './arguments.ts';
import type { StreamEnd } from './end.ts';
import { InvalidArgumentError, quote } from './errors.ts';
import type { NewRecord } from './record.ts';
import type { AppendRequest, AppendSegment } from './store.ts';

/** @throws {@link InvalidArgumentError} naming the first value of the request that no store could honour. */
export function assertAppendRequest(request: AppendRequest): void {
  assertObject('request', request);
  const { token, segments } = request;
  if (token !== undefined) assertCounter('token', token);
  if (!Array.isArray(segments) || segments.length === 0) {
    throw new InvalidArgumentError('segments', `An append needs at least one segment; got ${quote(segments)}.`);
  }
  for (const segment of segments) assertSegment(segment);
}

function assertSegment(segment: AppendSegment): void {
  assertObject('segments', segment);
  const { producer, records, sequencing, end, contentType, expectedPosition, streamSeq } = segment;
  assertRecords(records);
  if (records.length === 0 && end === undefined) {
    throw new InvalidArgumentError('records', 'A segment needs at least one record or an end.');
  }
  if (producer !== undefined) {
    assertObject('producer', producer);
    assertProducerId('producer.id', producer.id);
    assertCounter('producer.epoch', producer.epoch);
    assertCounter('producer.seq', producer.seq);
  }
  if (sequencing !== undefined && sequencing !== 'record' && sequencing !== 'segment') {
    throw new InvalidArgumentError('sequencing', `\`sequencing\` is 'record' or 'segment'; got ${quote(sequencing)}.`);
  }
  if (contentType !== undefined) assertText('contentType', contentType);
  if (expectedPosition !== undefined) assertCounter('expectedPosition', expectedPosition);
  if (streamSeq !== undefined) assertText('streamSeq', streamSeq);
  if (end !== undefined) assertEnd(end);
}

/** @throws {@link InvalidArgumentError} unless `id` can name a producer. */
export function assertProducerId(argument: string, id: unknown): asserts id is string {
  assertName(argument, id);
}

/** @throws {@link InvalidArgumentError} unless `records` is an array of well-formed records. */
export function assertRecords(records: readonly NewRecord[]): void {
  if (!Array.isArray(records)) {
    throw new InvalidArgumentError('records', `\`records\` must be an array; got ${quote(records)}.`);
  }
  for (const record of records) assertRecord(record);
}

function assertRecord(record: NewRecord): void {
  assertObject('records', record);
  if (record.kind === 'supersede') {
    assertName('step', record.step);
    assertCounter('belowAttempt', record.belowAttempt);
    return;
  }
  if (record.kind !== undefined && record.kind !== 'data') {
    throw new InvalidArgumentError('kind', `A record's kind is 'data' or 'supersede'; got ${quote(record.kind)}.`);
  }
  assertData(record.data);
  if (record.step !== undefined) assertName('step', record.step);
  if (record.attempt === undefined) return;
  assertPositive('attempt', record.attempt);
  if (record.step === undefined) {
    throw new InvalidArgumentError('attempt', `\`attempt\` ${record.attempt} needs the \`step\` it is an attempt of.`);
  }
}

function assertData(data: unknown): void {
  if (typeof data !== 'string' && !(data instanceof Uint8Array)) {
    throw new InvalidArgumentError('data', `\`data\` must be a JSON text or a Uint8Array; got ${quote(data)}.`);
  }
  if (typeof data === 'string' && !data.isWellFormed()) {
    throw new InvalidArgumentError(
      'data',
      `\`data\` must be well-formed Unicode; escape lone surrogates in the JSON text. Got ${quote(data)}.`,
    );
  }
}

/** @throws {@link InvalidArgumentError} unless `end` is a well-formed {@link StreamEnd}. */
export function assertEnd(end: StreamEnd): void {
  assertObject('end', end);
  const { outcome, error, reason } = end;
  if (outcome !== 'completed' && outcome !== 'failed' && outcome !== 'cancelled') {
    throw new InvalidArgumentError(
      'end.outcome',
      `An end's outcome is 'completed', 'failed' or 'cancelled'; got ${quote(outcome)}.`,
    );
  }
  if (reason !== undefined) assertText('end.reason', reason);
  if (error === undefined) return;
  assertObject('end.error', error);
  assertText('end.error.code', error.code);
  assertText('end.error.message', error.message);
  if (error.name !== undefined) assertText('end.error.name', error.name);
  if (error.stack !== undefined) assertText('end.error.stack', error.stack);
}
