import { END, type Pull, type Receiver, type Source, toPull, WAIT } from '@perennial/core/engine';

import { codeOf, messageOf, PipelineError, StreamingError } from '../errors/streaming-error.ts';
import type { RunContext } from '../run/run-context.ts';
import type { Cursor, Link, StageState } from './link.ts';
import { isPositioned, type PositionedSource } from './positioned-source.ts';

/** Anything a run can read from. */
export type PipelineSource<T> = Source<T> | PositionedSource<T>;

/** Opens a source, at the position of an earlier run where there is one. Its failures are reported under `name`. */
export function createSourceLink(
  run: RunContext,
  source: PipelineSource<unknown>,
  { restored, name = 'input' }: { readonly restored?: StageState | undefined; readonly name?: string } = {},
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
  const pull = new SourcePull(toPull(opened), {
    reader,
    count: seekable ? position : 0,
    skipTo: seekable ? 0 : position,
    failure: (cause, count) => sourceError(run, name, cause, count),
  });
  return {
    pull,
    cursor: (): Cursor => ({ up: null, state: [pull.position] }),
    get position() {
      return pull.position;
    },
  };
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
  /** Position behind the last value read. */
  readonly position: number;
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
  #receiver: Receiver<unknown> | null = null;

  constructor(source: Pull<unknown>, options: SourcePullOptions) {
    this.#source = source;
    this.#options = options;
    this.#count = options.count;
  }

  /** Position behind the last value handed out. */
  get position(): number {
    return this.#options.reader?.position ?? this.#count;
  }

  next(receiver: Receiver<unknown>): unknown {
    this.#receiver = receiver;
    try {
      let value: unknown;
      do {
        value = this.#source.next(this);
        if (value === WAIT || value === END) return value;
        this.#count++;
      } while (this.position <= this.#options.skipTo);
      return value;
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
    if (this.position > this.#options.skipTo) {
      receiver.onValue(value);
      return;
    }
    try {
      const next = this.next(receiver);
      if (next === END) receiver.onEnd();
      else if (next !== WAIT) receiver.onValue(next);
    } catch (error) {
      receiver.onError(error);
    }
  }

  onEnd(): void {
    this.#receiver?.onEnd();
  }

  onError(error: unknown): void {
    this.#receiver?.onError(this.#options.failure(error, this.#count));
  }
}

function sourceError(run: RunContext, stepName: string, cause: unknown, count: number): StreamingError {
  const { traceId, spanId } = run.span;
  const retryable = typeof cause === 'object' && cause !== null && 'retryable' in cause && cause.retryable === true;
  const message = `The source of '${stepName}' failed after ${count} items: ${messageOf(cause)}`;
  const code = codeOf(cause);
  return new StreamingError(code === undefined || code === 'Error' ? 'SOURCE_FAILED' : code, message, {
    stepName,
    retryable,
    traceId,
    spanId,
    cause,
  });
}
