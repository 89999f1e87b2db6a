import assert from 'node:assert/strict';

import type {
  AppendSegment,
  NewRecord,
  SegmentProducer,
  SegmentResult,
  StreamHead,
  StreamRecord,
  StreamStore,
} from '@perennial/core';

/** The id that most cases use. */
export const STREAM = 'runs/r42/tokens';

export const COMPLETED = { outcome: 'completed' } as const;

/** New data records of these JSON texts. */
export function texts(...data: readonly string[]): readonly NewRecord[] {
  return data.map((text) => ({ data: text }));
}

/** `count` new data records, each with its own number as JSON. */
export function numbered(count: number, first = 0): readonly NewRecord[] {
  return Array.from({ length: count }, (_, index) => ({ data: String(first + index) }));
}

/** A segment of numbered records of a producer: record n carries the text of its sequence. */
export function produced(id: string, epoch: number, seq: number, count: number): AppendSegment {
  return { records: numbered(count, seq), producer: { id, epoch, seq } };
}

/** A segment's producer. */
export function producer(id: string, epoch: number, seq: number): SegmentProducer {
  return { id, epoch, seq };
}

/** Appends one segment and returns what became of it. */
export async function append(
  store: StreamStore,
  segment: AppendSegment,
  { id = STREAM, token }: { readonly id?: string; readonly token?: number } = {},
): Promise<SegmentResult> {
  const { segments } = await store.append(id, { segments: [segment], ...(token === undefined ? {} : { token }) });
  assert.equal(segments.length, 1, 'An append answers with one result per segment');
  const [result] = segments;
  assert.ok(result);
  return result;
}

/** Appends one segment that has to be stored. */
export async function appended(
  store: StreamStore,
  segment: AppendSegment,
  options: { readonly id?: string; readonly token?: number } = {},
): Promise<Extract<SegmentResult, { status: 'ok' }>> {
  const result = await append(store, segment, options);
  if (result.status !== 'ok') assert.fail(`The segment had to be stored; the store answered ${JSON.stringify(result)}`);
  return result;
}

/** The head of a stream that has to exist. */
export async function headOf(store: StreamStore, id: string = STREAM): Promise<StreamHead> {
  const head = await store.head(id);
  assert.ok(head, `The stream ${JSON.stringify(id)} has to exist`);
  return head;
}

/** Every record of a stream, read page by page; positions have to be dense. */
export async function readAll(
  store: StreamStore,
  id: string = STREAM,
  limit?: number,
): Promise<readonly StreamRecord[]> {
  const all: StreamRecord[] = [];
  for (;;) {
    const { records, head } = await store.read(id, { from: all.length, ...(limit === undefined ? {} : { limit }) });
    if (records.length === 0) {
      assert.equal(all.length, head.nextPosition, 'A page is empty only at the tail');
      return all;
    }
    for (const record of records) {
      assert.equal(record.position, all.length, 'Positions are dense and in order');
      all.push(record);
    }
  }
}

/** The JSON texts of a stream's data records. */
export async function textsOf(store: StreamStore, id: string = STREAM): Promise<readonly string[]> {
  return (await readAll(store, id)).map((record) => {
    assert.equal(record.kind, 'data');
    assert.equal(typeof record.data, 'string');
    return String(record.data);
  });
}

/** Head and records: two equal snapshots mean that nothing changed. */
export async function snapshot(store: StreamStore, id: string = STREAM): Promise<unknown> {
  return structuredClone({ head: await store.head(id), records: await readAll(store, id) });
}

/** Runs `change` and fails when anything of the stream is different afterwards. */
export async function unchanged<T>(store: StreamStore, change: () => Promise<T>, id: string = STREAM): Promise<T> {
  const before = await snapshot(store, id);
  const value = await change();
  assert.deepEqual(await snapshot(store, id), before, 'The call had to leave the stream as it was');
  return value;
}

/** A value that its type forbids: what callers without a type checker may pass. */
export function wrong<T>(value: unknown): T {
  return value as T;
}
