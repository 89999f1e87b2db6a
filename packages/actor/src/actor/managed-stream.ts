/**
 * The stream that consumers get, around the generator that an author wrote.
 *
 * States: `idle` (nothing runs before the first `next`) -> `running` -> `finished` (a last chunk was handed out, the generator ended or
 * threw, the consumer left, or the signal fired). Leaving before the end fires the run's signal. An actor's stream ends with exactly
 * one last chunk or a throw; a generator that returns without a last chunk gets a `complete` one.
 */
import type { StreamChunk } from '@perennial/core';
import { createPullIterator, END, type Pull, type Receiver, WAIT } from '@perennial/core/engine';

import { abortedError, ActorError } from '../errors.ts';
import { type ActorStream, isLastChunk, toChunk } from './chunks.ts';
import { type ActorCallContext, type ActorContext, createActorContext } from './context.ts';

/** What comes out of a managed stream. */
interface StreamRules<T> {
  /** What the generator yielded, as the consumer gets it; throws for what it must not yield. */
  toItem(value: unknown): T;
  /** True for the item after which nothing comes. */
  isLast(item: T): boolean;
  /** The item that stands for the generator's return; null for none. */
  ending(returned: unknown): T | null;
}

/** Starts the work. */
type OpenStream = (context: ActorContext) => AsyncIterable<unknown>;

const CHUNKS: StreamRules<StreamChunk> = {
  toItem: toChunk,
  isLast: isLastChunk,
  // A generator's return value, where there is one, is the result.
  ending: (returned) => (returned === undefined ? { type: 'complete' } : { type: 'complete', data: returned }),
};

/** Runs an actor's `open` with a whole context whose signal fires when the consumer leaves. */
export function manageChunks<Data>(open: OpenStream, context: ActorCallContext = {}): ActorStream<Data> {
  // What an actor yields is its author's promise; chunks are checked, their data is not.
  return manageStream(open, CHUNKS, context) as ActorStream<Data>;
}

/** Runs a generator whose items are handed out as they are. */
export function manageItems<T>(
  open: (context: ActorContext) => AsyncIterable<T>,
  context: ActorCallContext = {},
): AsyncGenerator<T, void, unknown> {
  // Typed by `open`.
  return manageStream<T>(open, { toItem: (value) => value as T, isLast: () => false, ending: () => null }, context);
}

function manageStream<T>(
  open: OpenStream,
  rules: StreamRules<T>,
  context: ActorCallContext,
): AsyncGenerator<T, void, unknown> {
  return new ManagedGenerator(createPullIterator(new ManagedPull(open, rules, context)));
}

class ManagedPull<T> implements Pull<T> {
  readonly #open: OpenStream;
  readonly #rules: StreamRules<T>;
  readonly #context: ActorCallContext;
  readonly #leave = new AbortController();
  #signal: AbortSignal | null = null;
  #source: AsyncIterator<unknown> | null = null;
  /** Who waits for an answer; the generator is running. */
  #receiver: Receiver<T> | null = null;
  #finished = false;
  /** The signal fired, and nobody was told yet. */
  #abortion: ActorError | null = null;

  constructor(open: OpenStream, rules: StreamRules<T>, context: ActorCallContext) {
    this.#open = open;
    this.#rules = rules;
    this.#context = context;
  }

  next(receiver: Receiver<T>): typeof END | typeof WAIT {
    if (this.#finished) return this.#endOrAbort();
    const source = this.#source ?? this.#start();
    this.#receiver = receiver;
    source.next().then(this.#onStep, this.#onError);
    return WAIT;
  }

  async close(): Promise<void> {
    const waiting = this.#receiver !== null;
    const source = this.#source;
    this.#receiver = null;
    if (!this.#finished) {
      this.#finish();
      this.#leave.abort(new ActorError('ABORTED', 'The consumer left before the end.'));
    }
    this.#source = null;
    if (!source) return;
    const returned = source.return?.();
    // A generator that is in the middle of something answers `return` only after it, which may be never.
    if (waiting) returned?.catch(() => {});
    else await returned;
  }

  rewind(): boolean {
    return false;
  }

  #start(): AsyncIterator<unknown> {
    const { signal: outer } = this.#context;
    const signal = outer ? AbortSignal.any([outer, this.#leave.signal]) : this.#leave.signal;
    this.#signal = signal;
    if (signal.aborted) throw abortedError(signal);
    signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#source = this.#open(createActorContext({ ...this.#context, signal }))[Symbol.asyncIterator]();
    return this.#source;
  }

  readonly #onStep = (step: IteratorResult<unknown, unknown>): void => {
    const receiver = this.#receiver;
    this.#receiver = null;
    if (!receiver) return;
    let item: T | null;
    try {
      item = step.done ? this.#rules.ending(step.value) : this.#rules.toItem(step.value);
    } catch (error) {
      receiver.onError(error);
      return;
    }
    if (step.done || (item !== null && this.#rules.isLast(item))) this.#finish();
    if (item === null) receiver.onEnd();
    else receiver.onValue(item);
  };

  readonly #onError = (error: unknown): void => {
    const receiver = this.#receiver;
    this.#receiver = null;
    this.#source = null;
    this.#finish();
    receiver?.onError(this.#signal?.aborted ? abortedError(this.#signal) : error);
  };

  readonly #onAbort = (): void => {
    const receiver = this.#receiver;
    if (this.#finished) return;
    this.#finish();
    this.#abortion = this.#signal && abortedError(this.#signal);
    if (receiver) receiver.onError(this.#takeAbortion());
  };

  /** A consumer that was busy while the signal fired learns of it with its next call. */
  #endOrAbort(): typeof END {
    if (this.#abortion) throw this.#takeAbortion();
    return END;
  }

  #takeAbortion(): unknown {
    const error = this.#abortion;
    this.#abortion = null;
    return error;
  }

  #finish(): void {
    this.#finished = true;
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }
}

/** The rest of what an async generator has. */
class ManagedGenerator<T> implements AsyncGenerator<T, void, unknown> {
  readonly #iterator: AsyncIterableIterator<T>;

  constructor(iterator: AsyncIterableIterator<T>) {
    this.#iterator = iterator;
  }

  next(): Promise<IteratorResult<T, void>> {
    return this.#iterator.next();
  }

  async return(): Promise<IteratorResult<T, void>> {
    await this.#iterator.return?.();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<never> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
