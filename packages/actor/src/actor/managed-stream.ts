/**
 * The stream that consumers of an actor get, around the generator that its author wrote.
 *
 * States: `idle` (nothing runs before the first `next`) -> `running` -> `finished` (a last chunk was handed out, the generator ended or
 * threw, the consumer left, or the signal fired). Leaving before the end fires the run's signal. Everything ends with exactly one last
 * chunk or a throw; a generator that returns without a last chunk gets a `complete` one.
 */
import type { StreamChunk } from '@perennial/core';
import { createPullIterator, END, type Pull, type Receiver, WAIT } from '@perennial/core/engine';

import { abortedError, ActorError } from '../errors.ts';
import { type ActorStream, isLastChunk, toChunk } from './chunks.ts';
import { type ActorCallContext, type ActorContext, createActorContext } from './context.ts';

/** Starts an actor's work. */
type OpenStream = (context: ActorContext) => AsyncIterable<unknown>;

/** Runs `open` with a whole context whose signal fires when the consumer leaves. */
export function manageStream<Data>(open: OpenStream, context: ActorCallContext = {}): ActorStream<Data> {
  // What an actor yields is its author's promise; chunks are checked, their data is not.
  return new ChunkGenerator(new ManagedPull(open, context)) as ActorStream<Data>;
}

class ManagedPull implements Pull<StreamChunk> {
  readonly #open: OpenStream;
  readonly #context: ActorCallContext;
  readonly #leave = new AbortController();
  #signal: AbortSignal | null = null;
  #source: AsyncIterator<unknown> | null = null;
  /** Who waits for an answer; the generator is running. */
  #receiver: Receiver<StreamChunk> | null = null;
  #finished = false;

  constructor(open: OpenStream, context: ActorCallContext) {
    this.#open = open;
    this.#context = context;
  }

  next(receiver: Receiver<StreamChunk>): typeof END | typeof WAIT {
    if (this.#finished) return END;
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
    let chunk: StreamChunk;
    try {
      chunk = step.done ? lastChunk(step.value) : toChunk(step.value);
    } catch (error) {
      receiver.onError(error);
      return;
    }
    if (isLastChunk(chunk)) this.#finish();
    receiver.onValue(chunk);
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
    if (receiver && this.#signal) receiver.onError(abortedError(this.#signal));
  };

  #finish(): void {
    this.#finished = true;
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }
}

/** A generator's return value, where there is one, is the result. */
function lastChunk(returned: unknown): StreamChunk {
  return returned === undefined ? { type: 'complete' } : { type: 'complete', data: returned };
}

/** The rest of what an async generator has. */
class ChunkGenerator implements ActorStream {
  readonly #iterator: AsyncIterableIterator<StreamChunk>;

  constructor(pull: ManagedPull) {
    this.#iterator = createPullIterator(pull);
  }

  next(): Promise<IteratorResult<StreamChunk, void>> {
    return this.#iterator.next();
  }

  async return(): Promise<IteratorResult<StreamChunk, void>> {
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
