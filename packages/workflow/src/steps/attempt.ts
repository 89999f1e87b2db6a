import {
  encodeJson,
  isJsonContentType,
  JSON_CONTENT_TYPE,
  quote,
  recordSize,
  type NewRecord,
  type RecordData,
  type StreamEnd,
  StreamError,
} from '@perennial/core';

import type { CallPoint, CloseNote } from '../journal/notes.ts';
import type { RunScope } from '../runs/run-scope.ts';
import type { LaneWriter } from '../streams/lane-writer.ts';
import type { RunStream } from '../streams/run-stream.ts';

/** Payload bytes that a `commit: 'step'` writer holds until its step succeeds. */
export const MAX_HELD_BYTES = 16_777_216;

/** What makes an {@link Attempt}. */
export interface AttemptOptions {
  readonly scope: RunScope;
  /** Key of the step the body called. */
  readonly step: string;
  /** Names the attempt's records: the key of the step, or of a part of it. */
  readonly key: string;
  /** One-based. */
  readonly n: number;
  readonly signal: AbortSignal;
  readonly call?: CallPoint;
}

/** The id of the producer of a step's records. */
export const stepProducer = (key: string): string => `step:${key}`;

/** Encodes a value for a stream; throws a {@link StreamError} `UNSERIALISABLE`. */
export function encodeFor(contentType: string | undefined, value: unknown): RecordData {
  if (isJsonContentType(contentType ?? JSON_CONTENT_TYPE)) return encodeJson(value);
  if (value instanceof Uint8Array) return value;
  throw new StreamError('UNSERIALISABLE', `A stream of ${contentType} takes Uint8Array values; got ${quote(value)}.`);
}

/**
 * One attempt of a step: what it writes carries its number, so that a later attempt can take it back.
 *
 * States: running → sealed (the function has returned, thrown or run out of time) → flushed, or dropped.
 */
export class Attempt {
  readonly step: string;
  readonly key: string;
  readonly n: number;
  readonly signal: AbortSignal;
  readonly #scope: RunScope;
  readonly #call: CallPoint | undefined;
  readonly #lanes = new Map<RunStream, LaneWriter>();
  readonly #closes: CloseNote[] = [];
  /** Parts that a step over items consists of. */
  readonly #parts = new Set<Attempt>();
  #held: { readonly stream: RunStream; readonly record: NewRecord }[] = [];
  #heldBytes = 0;
  #isSealed = false;
  /** Set once the attempt is given up: from then on it leaves nothing more behind, in the journal or in a stream. */
  #isDropped = false;
  #noted: Promise<void> | null = null;
  /** The first write that was accepted by nobody: the attempt cannot succeed any more. */
  #failure: StreamError | null = null;

  constructor({ scope, step, key, n, signal, call }: AttemptOptions) {
    this.#scope = scope;
    this.step = step;
    this.key = key;
    this.n = n;
    this.signal = signal;
    this.#call = call;
  }

  get isSealed(): boolean {
    return this.#isSealed;
  }

  /** Streams that the attempt closes when it succeeds. */
  get closes(): readonly CloseNote[] {
    return [...this.#closes, ...[...this.#parts].flatMap((part) => part.closes)];
  }

  /** Attempts that may write now: this one, or its parts that are running. */
  get writing(): readonly Attempt[] {
    if (this.#isSealed) return [];
    return this.#parts.size === 0 ? [this] : [...this.#parts].filter((part) => !part.isSealed);
  }

  /** A part of this attempt under a key and number of its own; it is sealed, flushed and dropped with this one, or before. */
  part(key: string, n: number): Attempt {
    const { step, signal } = this;
    const part = new Attempt({ scope: this.#scope, step, key, n, signal });
    part.#isSealed = this.#isSealed;
    part.#isDropped = this.#isDropped;
    this.#parts.add(part);
    return part;
  }

  /** Resolves once the attempt's number is durable; before, it may write nothing. Rejects when the attempt was given up. */
  note(): Promise<void> {
    if (this.#isDropped && !this.#noted) return Promise.reject(this.#givenUp());
    this.#noted ??= this.#scope.journal.note({
      t: 'attempt',
      key: this.key,
      n: this.n,
      ...(this.#call && { call: this.#call }),
    });
    return this.#noted;
  }

  /** Writes a value; `hold` keeps it back until the step succeeds. Resolves once accepted (null) or with what refused it. */
  async write(stream: RunStream, value: unknown, { hold }: { readonly hold: boolean }): Promise<StreamError | null> {
    const refused = this.#refusal(stream);
    if (refused) return refused;
    let data: RecordData;
    try {
      data = encodeFor(stream.contentType, value);
    } catch (error) {
      return error instanceof StreamError ? error : new StreamError('UNSERIALISABLE', String(error), { cause: error });
    }
    const record: NewRecord = { data, step: this.key, attempt: this.n };
    if (hold) return this.#hold(stream, record);
    this.#emitWrite(stream);
    return this.#push(stream, record);
  }

  /** Closes a stream when the step succeeds. */
  close(stream: RunStream, end: StreamEnd): StreamError | null {
    const refused = this.#refusal(stream);
    if (!refused) this.#closes.push({ ns: stream.namespace, end });
    return refused;
  }

  /** Retracts what earlier attempts wrote to a stream. Resolves once stored; a stream that has ended keeps what it has. */
  async supersede(stream: RunStream): Promise<void> {
    if (this.#isDropped) throw this.#givenUp();
    const { namespace, streamId } = stream;
    const failure =
      (await this.#lane(stream).push({ kind: 'supersede', step: this.key, belowAttempt: this.n })) ??
      (await this.#lane(stream).flush());
    if (failure && failure.code !== 'CLOSED') throw failure;
    if (!failure)
      this.#scope.emit({ type: 'stream_superseded', namespace, streamId, step: this.key, belowAttempt: this.n });
  }

  /** Takes no more writes: the function is over, whatever it left running. */
  seal(): void {
    this.#isSealed = true;
    for (const part of this.#parts) part.seal();
  }

  /** Writes what was held back, and resolves once everything is stored (null), or with what prevents it for good. */
  async flush(): Promise<StreamError | null> {
    for (const { stream, record } of this.#held) {
      if (this.#failure) break;
      this.#emitWrite(stream);
      await this.#push(stream, record);
    }
    this.#held = [];
    for (const lane of this.#lanes.values()) this.#failure ??= await lane.flush();
    for (const part of this.#parts) this.#failure ??= await part.flush();
    return this.#failure;
  }

  /** Flushes one stream. */
  async flushStream(stream: RunStream): Promise<StreamError | null> {
    return (await this.#lanes.get(stream)?.flush()) ?? null;
  }

  /** Gives the attempt up: drops what was not sent, and resolves once it is known what became of the rest, its number included. */
  async drop(): Promise<void> {
    this.seal();
    this.#isDropped = true;
    this.#held = [];
    const { message } = this.#givenUp();
    const parts = [...this.#parts].map((part) => part.drop());
    const lanes = [...this.#lanes.values()].map((lane) => lane.discard(message));
    // A journal that takes no more notes has ended this worker's hold of the run: it has nothing to wait for.
    await Promise.all([...parts, ...lanes, this.#noted?.catch(() => undefined)]);
  }

  #givenUp(): StreamError<'ABORTED'> {
    const message = `Attempt ${this.n} of step ${JSON.stringify(this.key)} was given up.`;
    return new StreamError('ABORTED', message);
  }

  #refusal(stream: RunStream): StreamError | null {
    const { namespace } = stream;
    if (this.#isSealed) {
      const message = `Attempt ${this.n} of step ${JSON.stringify(this.step)} is over; it can no longer write to ${namespace}.`;
      return new StreamError('ABORTED', message);
    }
    const isClosed = !stream.isOpenTo(this.step) || this.#closes.some(({ ns }) => ns === namespace);
    return isClosed ? new StreamError('CLOSED', `Stream ${stream.streamId} was closed.`) : null;
  }

  #hold(stream: RunStream, record: NewRecord): StreamError | null {
    const size = recordSize(record);
    if (this.#heldBytes + size > MAX_HELD_BYTES) {
      const message = `A writer with \`commit: 'step'\` holds at most ${MAX_HELD_BYTES} bytes until its step succeeds.`;
      this.#failure ??= new StreamError('LIMIT_EXCEEDED', message);
      return this.#failure;
    }
    this.#heldBytes += size;
    this.#held.push({ stream, record });
    return null;
  }

  async #push(stream: RunStream, record: NewRecord): Promise<StreamError | null> {
    if (this.#isDropped) return this.#givenUp();
    const failure = await this.#lane(stream).push(record);
    this.#failure ??= failure;
    return failure;
  }

  #lane(stream: RunStream): LaneWriter {
    let lane = this.#lanes.get(stream);
    if (!lane) this.#lanes.set(stream, (lane = stream.lane(stepProducer(this.key), this.n, this.note())));
    return lane;
  }

  #emitWrite(stream: RunStream): void {
    const { namespace, streamId, position } = stream;
    this.#scope.emit({ type: 'stream_write', namespace, streamId, position, step: this.key, attempt: this.n });
  }
}
