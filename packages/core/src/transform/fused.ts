import { createPullIterator } from './pull-iterator.ts';
/**
 * A chain of transformers run as one loop over its source: a stage costs a function call per value, not an async generator (the ratio is
 * printed by `benchmarks/`). A stage maps one value to one or none; what yields many values per input is a source of its own.
 */
import {
  answer,
  END,
  PULL,
  type Pull,
  type Pullable,
  type Receiver,
  WAIT,
  YIELD_EVERY,
  yieldMacrotask,
} from './pull.ts';
import { type Source, toPull } from './source.ts';

/** Returned by a stage that passes nothing on. */
export const SKIP: unique symbol = Symbol('skip');

/** One transformer of a running chain. */
export interface Stage {
  /** Maps a value; {@link SKIP} drops it. */
  apply(value: unknown): unknown;
  /** What is left at the end of the input; {@link SKIP} for nothing. */
  flush?(): unknown;
  /** True once the stage wants no more input; what it returned last still counts. Absent on stages that take any amount. */
  done?: boolean;
}

/** Makes the state of a stage; called once per run of the chain. */
export type StageFactory = () => Stage;

/** A transformed stream: iterable, and a source for further transformers. */
export interface TransformedStream<T> extends AsyncIterable<T>, Pullable<T> {
  [Symbol.asyncIterator](): AsyncIterableIterator<T>;
}

class FusedStream<T> implements TransformedStream<T> {
  readonly source: Source<unknown>;
  readonly stages: readonly StageFactory[];

  constructor(source: Source<unknown>, stages: readonly StageFactory[]) {
    this.source = source;
    this.stages = stages;
  }

  [PULL](): Pull<T> {
    return new FusedPull<T>(toPull(this.source), this.stages);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return createPullIterator(this[PULL]());
  }
}

/** Runs stages over a pull that is open already, as one loop. */
export function createFusedPull<T>(source: Pull<unknown>, stages: readonly StageFactory[]): Pull<T> {
  return new FusedPull<T>(source, stages);
}

/** Adds a stage to a source; a source that is a chain already just grows by one. */
export function addStage<T>(source: Source<unknown>, stage: StageFactory): TransformedStream<T> {
  if (source instanceof FusedStream) return new FusedStream(source.source, [...source.stages, stage]);
  return new FusedStream(source, [stage]);
}

class FusedPull<T> implements Pull<T>, Receiver<unknown> {
  readonly #source: Pull<unknown>;
  readonly #factories: readonly StageFactory[];
  #stages: Stage[] = [];
  /** Flushed values that wait for their turn. */
  #flushed: unknown[] = [];
  #ended = false;
  /** Chains without a limit, the most, need not look for one after each value. */
  #limited = false;
  /** Values dropped since timers and I/O had a turn: a source that answers by microtasks alone would starve them too. */
  #dropped = 0;
  /** Whom the outstanding answer is for. */
  #receiver: Receiver<T> | null = null;

  constructor(source: Pull<unknown>, factories: readonly StageFactory[]) {
    this.#source = source;
    this.#factories = factories;
    this.#start();
  }

  next(receiver: Receiver<T>): T | typeof END | typeof WAIT {
    this.#receiver = receiver;
    while (this.#dropped < YIELD_EVERY) {
      if (this.#ended) return this.#nextFlushed();
      if (this.#limited) {
        const limit = this.#limit();
        if (limit !== -1) return this.#finish(limit + 1);
      }
      const value = this.#source.next(this);
      if (value === WAIT) return WAIT;
      if (value === END) return this.#finish(0);
      const out = this.#apply(value, 0);
      if (out instanceof Promise) return this.#await(out);
      // Values are `unknown` inside the chain; the operators' signatures vouch for what comes out.
      if (out !== SKIP) return this.#limited ? this.#emit(out) : (out as T);
      this.#dropped++;
    }
    // A long run of dropped values would starve timers and I/O.
    this.#dropped = 0;
    return this.#await(yieldMacrotask().then(() => SKIP));
  }

  close(): void | Promise<void> {
    this.#ended = true;
    this.#flushed = [];
    return this.#source.close();
  }

  rewind(): boolean {
    if (!this.#source.rewind()) return false;
    this.#start();
    return true;
  }

  /** The source's late answer. */
  onValue(value: unknown): void {
    let out: unknown;
    try {
      out = this.#apply(value, 0);
    } catch (error) {
      this.#receiver?.onError(error);
      return;
    }
    if (out instanceof Promise) this.#await(out);
    else this.#deliver(out);
  }

  onEnd(): void {
    this.#finish(0);
  }

  onError(error: unknown): void {
    this.#receiver?.onError(error);
  }

  #start(): void {
    this.#stages = this.#factories.map((create) => create());
    this.#limited = this.#stages.some((stage) => stage.done !== undefined);
    this.#flushed = [];
    this.#ended = false;
  }

  #apply(value: unknown, from: number): unknown {
    const stages = this.#stages;
    let current = value;
    for (let i = from; i < stages.length; i++) {
      // Not `?.`: the index is in range, and this is the hottest line of the package.
      current = (stages[i] as Stage).apply(current);
      if (current === SKIP) return SKIP;
      if (current instanceof Promise) return this.#applyLater(current, i + 1);
    }
    return current;
  }

  /** On its own, because a closure inside the loop would cost an allocation per stage and value (a third of the time of a chain). */
  #applyLater(value: Promise<unknown>, from: number): Promise<unknown> {
    return value.then((settled: unknown) => (settled === SKIP ? SKIP : this.#apply(settled, from)));
  }

  #await(out: Promise<unknown>): typeof WAIT {
    out.then(
      (value) => this.#deliver(value),
      (error: unknown) => this.#receiver?.onError(error),
    );
    return WAIT;
  }

  /** Hands the outstanding answer over, or goes on looking for one. */
  #deliver(out: unknown): void {
    const receiver = this.#receiver;
    if (!receiver) return;
    if (out === SKIP) {
      this.#dropped++;
      answer(receiver, () => this.next(receiver));
    } else receiver.onValue(this.#emit(out));
  }

  #emit(value: unknown): T {
    // Close as soon as a limit is reached: a consumer that has what it asked for may never pull again.
    if (this.#limit() !== -1 && !this.#ended) void this.#closeSource().catch(() => undefined);
    return value as T;
  }

  /** Index of the last stage that wants no more; -1 = none. */
  #limit(): number {
    if (!this.#limited) return -1;
    for (let i = this.#stages.length - 1; i >= 0; i--) if (this.#stages[i]?.done) return i;
    return -1;
  }

  /** The input is over for the stages from `from` on: collect what they still hold, then answer. */
  #finish(from: number): typeof WAIT {
    this.#ended = true;
    const receiver = this.#receiver;
    void this.#flushStages(from).then(
      () => receiver && answer(receiver, () => this.#nextFlushed()),
      (error: unknown) => receiver?.onError(error),
    );
    return WAIT;
  }

  async #flushStages(from: number): Promise<void> {
    await this.#closeSource();
    for (let i = from; i < this.#stages.length; i++) {
      const rest: unknown = this.#stages[i]?.flush?.() ?? SKIP;
      const out = rest === SKIP ? SKIP : await this.#apply(rest, i + 1);
      if (out !== SKIP) this.#flushed.push(out);
    }
  }

  async #closeSource(): Promise<void> {
    await this.#source.close();
  }

  #nextFlushed(): T | typeof END {
    return this.#flushed.length > 0 ? (this.#flushed.shift() as T) : END;
  }
}
