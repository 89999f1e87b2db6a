import {
  isStreamGap,
  type NewRecord,
  type RecordData,
  type StreamEnd,
  type StreamRecord,
  type StreamStore,
} from '@perennial/core';

import { WorkflowError } from '../errors.ts';

/** The producer of what a body writes itself. Its epoch never changes: a replay repeats the same sequences. */
export const BODY_PRODUCER = 'body';

const PAGE = 1_000;

interface StoredEntry {
  readonly seq: number;
  readonly data: RecordData;
}

/** Options of {@link BodyReplay}. */
export interface BodyReplayOptions {
  readonly store: StreamStore;
  readonly streamId: string;
  readonly namespace: string;
  /** Sequences of the body that the stream holds. */
  readonly storedSeq: number;
}

/** Compares what a replayed body writes with what it wrote before (PROTOCOL.md, "Runs"). The stream is fenced, so it does not change. */
export class BodyReplay {
  readonly storedSeq: number;
  readonly #options: BodyReplayOptions;
  #page: StoredEntry[] = [];
  #index = 0;
  #from = 0;
  #end: StreamEnd | null = null;
  #isRead = false;

  constructor(options: BodyReplayOptions) {
    this.#options = options;
    this.storedSeq = options.storedSeq;
  }

  /** Throws {@link WorkflowError} `NONDETERMINISTIC` unless the stream holds this entry at this sequence. */
  async expect(seq: number, record: NewRecord | null, end: StreamEnd | null): Promise<void> {
    const stored = await this.#entry(seq);
    if (stored) {
      if (!record || record.kind === 'supersede') throw this.#differs(seq, 'closed the stream', 'wrote a value');
      if (!sameData(stored.data, record.data)) throw this.#differs(seq, show(record.data), show(stored.data));
    } else if (this.#isRead && this.#end && seq === this.storedSeq - 1) {
      if (!end) throw this.#differs(seq, 'wrote a value', 'closed the stream');
      if (end.outcome !== this.#end.outcome)
        throw this.#differs(seq, `ended it as ${end.outcome}`, `ended it as ${this.#end.outcome}`);
    }
  }

  async #entry(seq: number): Promise<StoredEntry | null> {
    for (;;) {
      for (let entry = this.#page[this.#index]; entry && entry.seq <= seq; entry = this.#page[++this.#index]) {
        if (entry.seq === seq) return entry;
      }
      if (this.#page[this.#index] || this.#isRead) return null;
      await this.#readPage();
    }
  }

  async #readPage(): Promise<void> {
    const { store, streamId } = this.#options;
    const { records, head } = await store
      .read(streamId, { from: this.#from, limit: PAGE })
      .catch(async (error: unknown) => {
        if (!isStreamGap(error)) throw error;
        // What retention removed cannot be compared.
        return store.read(streamId, { from: error.earliestPosition, limit: PAGE });
      });
    this.#page = records.flatMap(bodyEntry);
    this.#index = 0;
    this.#from = (records.at(-1)?.position ?? this.#from - 1) + 1;
    this.#end = head.end;
    this.#isRead = this.#from >= head.nextPosition;
  }

  #differs(seq: number, now: string, before: string): WorkflowError {
    const { namespace } = this.#options;
    return new WorkflowError(
      'NONDETERMINISTIC',
      `Replaying the run, call ${seq} of the body on stream ${JSON.stringify(namespace)} was ${now}; before it was ${before}. ` +
        'A body has to do the same each time: put what depends on time, chance or the outside into a step.',
    );
  }
}

function bodyEntry(record: StreamRecord): StoredEntry[] {
  if (record.kind !== 'data' || record.producer?.id !== BODY_PRODUCER) return [];
  return [{ seq: record.producer.seq, data: record.data }];
}

function sameData(a: RecordData, b: RecordData): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b;
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

const MAX_SHOWN = 80;

function show(data: RecordData): string {
  if (typeof data !== 'string') return `${data.length} bytes`;
  return data.length > MAX_SHOWN ? `${data.slice(0, MAX_SHOWN).toWellFormed()}…` : data;
}
