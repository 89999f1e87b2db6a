import { answer, END, type Pull, type Receiver, type Source, toPull, WAIT } from '@perennial/core/engine';

import { codeOf, messageOf, PipelineError, StreamingError } from '../errors/streaming-error.ts';
import type { RunContext } from '../run/run-context.ts';
import type { PipelineSpan } from '../trace/trace.ts';
import type { Link, StageState } from './link.ts';
import { isPositioned, type PositionedSource } from './positioned-source.ts';

/** Anything a run can read from. */
export type PipelineSource<T> = Source<T> | PositionedSource<T>;

/** Opens a source, at the position of an earlier run where there is one. Its failures are reported under `name`. */
export function createSourceLink(
  run: RunContext,
  source: PipelineSource<unknown>,
  { restored, name }: { readonly restored?: StageState | undefined; readonly name?: string } = {},
): SourceLink {
  const position = restored?.[0] ?? 0;
  const seekable = isPositioned(source);
  const opened = seekable ? source.openAt(position) : source;
  const reader = hasPosition(opened) ? opened : null;
  if (restored && reader && reader.position > position) {
    throw new PipelineError(
      'CHECKPOINT_MISMATCH',
      `The checkpoint goes on at position ${position}, but the source starts at ${reader.position}. Open it at ${position} or before; \`positionedSource\` does so by itself.`,
    );
  }
  if (name === undefined && position === 0 && (reader || !run.durable)) {
    // Nobody needs the values counted here, and each layer costs every value. Errors that no step calls its own are the source's.
    const state = (): StageState => (reader ? [reader.position] : []);
    return {
      pull: toPull(opened),
      cursor: () => ({ up: null, state: state() }),
      position: () => reader?.position ?? null,
    };
  }
  const pull = new SourcePull(toPull(opened), {
    reader,
    count: seekable ? position : 0,
    skipTo: seekable ? 0 : position,
    failure: (cause, count) => sourceError(run.span, cause, { name, count }),
  });
  return { pull, cursor: () => ({ up: null, state: [pull.position] }), position: () => pull.position };
}

/** A source of one item. */
export function* once(item: unknown): Generator<unknown, undefined> {
  yield item;
}

interface HasPosition {
  readonly position: number;
}

function hasPosition(source: object): source is HasPosition {
  return 'position' in source && typeof source.position === 'number';
}

/** The first link of a chain. */
export interface SourceLink extends Link {
  /** Position behind the last value read; null where nobody counts. */
  position(): number | null;
}

interface SourcePullOptions {
  readonly reader: HasPosition | null;
  /** Values before the first one. */
  readonly count: number;
  /** Values below this position were used up by an earlier run. */
  readonly skipTo: number;
  readonly failure: (cause: unknown, count: number) => StreamingError;
}

class SourcePull implements Pull<unknown>, Receiver<unknown> {
  readonly #source: Pull<unknown>;
  readonly #options: SourcePullOptions;
  #count: number;
  /** Values that an earlier run used up are still to come. */
  #skipping: boolean;
  #receiver: Receiver<unknown> | null = null;

  constructor(source: Pull<unknown>, options: SourcePullOptions) {
    this.#source = source;
    this.#options = options;
    this.#count = options.count;
    this.#skipping = options.skipTo > 0;
  }

  /** Position behind the last value handed out. */
  get position(): number {
    // What an earlier run used up counts as used, also before it was passed over.
    return this.#skipping ? this.#options.skipTo : this.#position;
  }

  next(receiver: Receiver<unknown>): unknown {
    this.#receiver = receiver;
    try {
      for (;;) {
        const value = this.#source.next(this);
        if (value === WAIT || value === END) return value;
        this.#count++;
        if (!this.#skipping || this.#isNew()) return value;
      }
    } catch (error) {
      throw this.#options.failure(error, this.#count);
    }
  }

  close(): void | Promise<void> {
    return this.#source.close();
  }

  rewind(): boolean {
    return false;
  }

  onValue(value: unknown): void {
    const receiver = this.#receiver;
    if (!receiver) return;
    this.#count++;
    if (!this.#skipping || this.#isNew()) receiver.onValue(value);
    else answer(receiver, () => this.next(receiver));
  }

  onEnd(): void {
    this.#receiver?.onEnd();
  }

  onError(error: unknown): void {
    this.#receiver?.onError(this.#options.failure(error, this.#count));
  }

  get #position(): number {
    return this.#options.reader?.position ?? this.#count;
  }

  #isNew(): boolean {
    this.#skipping = this.#position <= this.#options.skipTo;
    return !this.#skipping;
  }
}

/** What a source threw, with its place in the run. */
export function sourceError(
  { traceId, spanId }: Pick<PipelineSpan, 'traceId' | 'spanId'>,
  cause: unknown,
  { name = 'input', count }: { readonly name?: string | undefined; readonly count: number },
): StreamingError {
  const retryable = typeof cause === 'object' && cause !== null && 'retryable' in cause && cause.retryable === true;
  const code = codeOf(cause);
  return new StreamingError(
    code === undefined || code === 'Error' ? 'SOURCE_FAILED' : code,
    `The source of '${name}' failed at ${count}: ${messageOf(cause)}`,
    { stepName: name, retryable, traceId, spanId, cause },
  );
}
