/**
 * Reads the chunks of a job, over all of its attempts, so that the consumer gets each datum once.
 *
 * A worker that dies leaves records behind; the next attempt writes a supersede record and starts again (PROTOCOL.md, "Views"). What the
 * consumer has cannot be taken back. So the reader compares the new attempt's data with what was handed out, which is still in the log:
 * as long as they are the same they are skipped, and the consumer notices nothing. When they differ, the consumer has to start over, and
 * is told so.
 */
import {
  createLeaseObserver,
  decodeData,
  endLapsed,
  isStreamChunk,
  type ReadResult,
  type StreamChunk,
  type StreamEnd,
  type StreamHead,
  type StreamRecord,
  type StreamStore,
  StreamError,
} from '@perennial/core';

import { isLastChunk } from '../actor/chunks.ts';
import { ActorError } from '../errors.ts';
import { type Cursor, formatCursor, parseCursor } from './cursor.ts';

/** What a consumer is told when a repeated attempt says something else than it was given. */
export interface Restart {
  /** The attempt that is read from now on. */
  readonly attempt: number;
}

/** Options of {@link readChunks}. */
export interface ReadChunksOptions {
  readonly store: StreamStore;
  readonly streamId: string;
  /** Where to go on: the cursor of the last chunk that arrived. @default the beginning */
  readonly cursor?: string;
  /** Stops the iteration with `ABORTED`. Never cancels the work. */
  readonly signal?: AbortSignal;
  /**
   * Called when everything handed out so far is void and the chunks of a new attempt follow. Without it that is an error `RESTARTED`. It
   * happens only when a worker died and the actor, run again, says something else.
   */
  readonly onRestart?: (restart: Restart) => void;
  /** Longest wait for a sign of life, in ms; then `TIMEOUT`. @default none */
  readonly silenceMs?: number;
}

/** A chunk and where it is. */
export interface PositionedChunk {
  readonly chunk: StreamChunk;
  /** Pass it as `cursor` to go on after this chunk. */
  readonly cursor: string;
}

type DataRecord = Extract<StreamRecord, { readonly kind: 'data' }>;

const PAGE_SIZE = 512;

/** See the head of this file. Ends after the last chunk; an end of the stream without one is made a chunk. */
export async function* readChunks(options: ReadChunksOptions): AsyncGenerator<PositionedChunk, void, unknown> {
  const reader = new AttemptReader(options);
  for (;;) {
    const { records, head } = await reader.page();
    for (const record of records) {
      const chunk = await reader.accept(record);
      if (chunk === 'rewound') break;
      if (!chunk) continue;
      yield { chunk, cursor: reader.cursor };
      if (isLastChunk(chunk)) return;
    }
    if (reader.position < head.nextPosition) continue;
    if (head.end) {
      yield { chunk: chunkOfEnd(head.end), cursor: reader.cursor };
      return;
    }
    await reader.wait(head);
  }
}

class AttemptReader {
  readonly #options: ReadChunksOptions;
  /** Next position to read. */
  position: number;
  /** Data below this attempt is retracted. */
  #below = 0;
  /** The attempt being read, where it begins, and how many of its data were seen. */
  #attempt = 0;
  #begin = 0;
  #seen = 0;
  /** Data that the consumer has: the first `count` of `attempt`. */
  #given: { attempt: number; count: number };
  #started: boolean;
  readonly #now = (): number => performance.now();
  readonly #lease = createLeaseObserver();
  #silentSince: number;
  /** Walks over what the consumer has, while a later attempt repeats it. */
  #repeated: AsyncGenerator<string, void, unknown> | null = null;

  constructor(options: ReadChunksOptions) {
    const { position, attempt, count }: Cursor = parseCursor(options.cursor);
    this.#options = options;
    this.position = position;
    this.#given = { attempt, count };
    this.#attempt = attempt;
    this.#seen = count;
    this.#started = position > 0;
    this.#silentSince = this.#now();
  }

  get cursor(): string {
    return formatCursor({ position: this.position, ...this.#given });
  }

  async page(): Promise<ReadResult> {
    const { store, streamId, signal } = this.#options;
    signal?.throwIfAborted();
    const page = await store.read(streamId, { from: this.position, limit: PAGE_SIZE });
    if (page.records.length > 0) this.#silentSince = this.#now();
    // A reader that comes late need not be given what is retracted already.
    for (const record of page.records)
      if (record.kind === 'supersede') this.#below = Math.max(this.#below, record.belowAttempt);
    return page;
  }

  async wait(head: StreamHead): Promise<void> {
    const { store, streamId, signal, silenceMs = Infinity } = this.#options;
    const lease = this.#lease.observe(head);
    if (lease.state === 'lapsed' && head.owner === null) {
      // Not being allowed to end it is no reason to stop reading.
      const ended = await endLapsed(store, head).catch(() => false);
      if (ended) return;
    }
    const leaseMs = lease.state === 'lapsed' ? (head.lease?.durationMs ?? Infinity) : lease.remainingMs;
    const timeoutMs = Math.min(silenceMs, leaseMs);
    const after = await store.wait(streamId, {
      position: this.position,
      ...(signal && { signal }),
      ...(timeoutMs !== Infinity && { timeoutMs }),
    });
    if (after.nextPosition > this.position || after.end) this.#silentSince = this.#now();
    else if (this.#now() - this.#silentSince >= silenceMs)
      throw new ActorError('TIMEOUT', `Nothing came on stream ${streamId} for ${silenceMs} ms.`);
  }

  /** The chunk to hand out; null when there is none, `rewound` when the page has to be read anew. */
  async accept(record: StreamRecord): Promise<StreamChunk | 'rewound' | null> {
    const { position } = record;
    this.position = position + 1;
    if (record.kind === 'supersede') return null;
    const attempt = record.attempt ?? 1;
    if (attempt < this.#below) return null;
    if (attempt !== this.#attempt) await this.#enter(attempt, position);
    const chunk = this.#chunkOf(record);
    const behind = this.#seen < this.#given.count;
    if (chunk.type === 'data') return this.#acceptData(chunk, record, behind);
    // An attempt that failed early says nothing about what was handed out; one that completed with less does.
    if (chunk.type === 'error') return chunk;
    if (behind) return chunk.type === 'complete' ? this.#rewind() : null;
    if (chunk.type === 'start' && this.#started) return null;
    return this.#give(chunk);
  }

  async #acceptData(chunk: StreamChunk, record: DataRecord, behind: boolean): Promise<StreamChunk | 'rewound' | null> {
    if (behind) {
      this.#repeated ??= this.#handedOut();
      const before = await this.#repeated.next();
      if (before.done || before.value !== record.data) return this.#rewind();
      this.#seen++;
      return null;
    }
    this.#seen++;
    return this.#give(chunk);
  }

  /** Whatever is handed out of an attempt, the consumer has all of its data up to here. */
  #give(chunk: StreamChunk): StreamChunk {
    this.#started = true;
    this.#given = { attempt: this.#attempt, count: this.#seen };
    return chunk;
  }

  async #enter(attempt: number, begin: number): Promise<void> {
    await this.#repeated?.return();
    this.#repeated = null;
    this.#attempt = attempt;
    this.#begin = begin;
    this.#seen = 0;
  }

  /** Nothing handed out counts any more: this attempt is read from its beginning. */
  async #rewind(): Promise<'rewound'> {
    const { streamId, onRestart } = this.#options;
    const attempt = this.#attempt;
    if (!onRestart)
      throw new ActorError(
        'RESTARTED',
        `Attempt ${attempt} on stream ${streamId} says something else than the one before, parts of which were handed out. ` +
          'Pass `onRestart` to start over.',
      );
    await this.#enter(attempt, this.#begin);
    this.#given = { attempt, count: 0 };
    this.#started = false;
    this.position = this.#begin;
    onRestart({ attempt });
    return 'rewound';
  }

  /** The data handed out before, read again from the log, so that it need not be kept in memory. */
  async *#handedOut(): AsyncGenerator<string, void, unknown> {
    const { store, streamId } = this.#options;
    const { attempt } = this.#given;
    let from = 0;
    for (;;) {
      const { records, head } = await store.read(streamId, { from, limit: PAGE_SIZE });
      for (const record of records) {
        if (record.kind !== 'data' || (record.attempt ?? 1) !== attempt || typeof record.data !== 'string') continue;
        if (this.#chunkOf(record).type === 'data') yield record.data;
      }
      from += records.length;
      if (records.length === 0 || from >= head.nextPosition) return;
    }
  }

  #chunkOf(record: DataRecord): StreamChunk {
    const value: unknown = decodeData(record.data);
    if (isStreamChunk(value)) return value;
    throw new StreamError(
      'CORRUPT',
      `The record at position ${record.position} of stream ${this.#options.streamId} is no chunk.`,
    );
  }
}

/** A stream that ended without a last chunk: the work was cancelled, or its producer was lost. */
function chunkOfEnd({ outcome, error, reason }: StreamEnd): StreamChunk {
  if (outcome === 'completed') return { type: 'complete' };
  if (outcome === 'cancelled')
    return { type: 'error', error: { code: 'CANCELLED', message: reason ?? 'The work was cancelled.' } };
  return {
    type: 'error',
    error: { code: error?.code ?? 'ERROR', message: error?.message ?? 'The work failed.' },
  };
}
