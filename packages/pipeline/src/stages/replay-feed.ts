import { END, type Pull, type Receiver, WAIT } from '@perennial/core/engine';

import type { StepRuntime } from '../run/step-runtime.ts';
import type { Cursor } from './link.ts';
import type { SpanTimer } from './span-timer.ts';
import type { Upstream } from './upstream.ts';

/** Options of {@link ReplayFeed}. */
export interface ReplayFeedOptions {
  readonly step: StepRuntime;
  readonly upstream: Upstream;
  readonly timer: SpanTimer;
  /** A generator that threw may be followed by another one. */
  readonly survives: boolean;
  readonly sourceCursor: (() => Cursor) | null;
  readonly stateless: boolean;
  /** Index of the only item; absent: items are counted. */
  readonly index: number | undefined;
}

interface Given {
  readonly item: unknown;
  readonly index: number;
}

const NO_CURSOR: Cursor = { up: null, state: [] };

/**
 * The items of a generator step, across the generators it takes. Remembers what was given since the last output, in case it has to be
 * given again, and where a resumed run could start.
 */
export class ReplayFeed {
  readonly #options: ReplayFeedOptions;
  readonly survives: boolean;
  /** Given since the last output; only kept where it may be needed. */
  #given: Given[] = [];
  /** To be given again. */
  #again: Given[] = [];
  /** More was given since the last output than may be kept. */
  overflowed = false;
  /** The current generator got an item. */
  touched = false;
  /** The item given last. */
  last: Given | undefined = undefined;
  #current: GeneratorFeed | null = null;
  #base: Cursor = NO_CURSOR;
  #receivedAtBase: number;
  /** Outputs since the base. */
  #outputs = 0;
  #outputSincePull = true;

  constructor(options: ReplayFeedOptions) {
    this.#options = options;
    this.survives = options.survives;
    this.#receivedAtBase = options.step.received;
    if (options.sourceCursor) this.#base = options.sourceCursor();
  }

  /** Items given since the last output. */
  get pulled(): number {
    return this.#given.length;
  }

  /** The feed of a new generator. The one before gets nothing more. */
  open(): Pull<unknown> {
    this.end();
    this.touched = false;
    this.#current = new GeneratorFeed(this, this.#options.upstream);
    return this.#current;
  }

  /** The current generator gets nothing more, now and if it waits already. */
  end(): void {
    this.#current?.end();
    this.#current = null;
  }

  emitted(): void {
    this.#given = [];
    this.overflowed = false;
    this.#outputs++;
    this.#outputSincePull = true;
  }

  replay(): void {
    this.#again = [...this.#given, ...this.#again];
    this.#given = [];
  }

  replayWithoutLast(): void {
    this.#again = [...this.#given.slice(0, -1), ...this.#again];
    this.#given = [];
  }

  /** `skip`: outputs that an earlier run handed out and that were not made again yet. */
  cursor(skip: number): Cursor {
    return { up: this.#base, state: [this.#receivedAtBase, this.#outputs + skip] };
  }

  /** The next item, {@link END} or {@link WAIT}. */
  next(receiver: Receiver<unknown>): unknown {
    const again = this.#again.shift();
    if (again) return this.#give(again);
    this.#markBase();
    const { upstream, timer } = this.#options;
    const item = upstream.next(receiver);
    if (item === WAIT) timer.pause();
    else if (item !== END) return this.take(item);
    return item;
  }

  /** Notes a new item on its way to the generator. */
  take(item: unknown): unknown {
    const { step, index } = this.#options;
    return this.#give({ item, index: index ?? step.received++ });
  }

  /** An item that was waited for has come, or none will. */
  awaited(): void {
    this.#options.timer.resume();
  }

  #give(given: Given): unknown {
    this.touched = true;
    this.last = given;
    if (this.survives && !this.overflowed) {
      if (this.#given.length < this.#options.step.run.retainLimit) this.#given.push(given);
      else {
        this.overflowed = true;
        this.#given = [];
      }
    }
    return given.item;
  }

  /** A generator that asks for more after an output is done with what it had before, unless it carries something along. */
  #markBase(): void {
    const { sourceCursor, stateless, step, upstream } = this.#options;
    if (!sourceCursor || !stateless || !this.#outputSincePull) return;
    this.#outputSincePull = false;
    if (upstream.ahead > 0 || this.#outputs === 0) return;
    this.#base = sourceCursor();
    this.#receivedAtBase = step.received;
    this.#outputs = 0;
  }
}

/** What one generator reads; closing it leaves the stages before open where another generator may follow. */
class GeneratorFeed implements Pull<unknown>, Receiver<unknown> {
  readonly #feed: ReplayFeed;
  readonly #upstream: Upstream;
  #receiver: Receiver<unknown> | null = null;
  #over = false;

  constructor(feed: ReplayFeed, upstream: Upstream) {
    this.#feed = feed;
    this.#upstream = upstream;
  }

  next(receiver: Receiver<unknown>): unknown {
    if (this.#over) return END;
    const item = this.#feed.next(this);
    if (item === WAIT) this.#receiver = receiver;
    return item;
  }

  close(): void | Promise<void> {
    if (this.#over) return undefined;
    this.#over = true;
    if (this.#receiver) this.#upstream.forget();
    this.#receiver = null;
    return this.#feed.survives ? undefined : this.#upstream.close();
  }

  end(): void {
    const receiver = this.#receiver;
    if (receiver) this.#upstream.forget();
    this.#receiver = null;
    this.#over = true;
    receiver?.onEnd();
  }

  rewind(): boolean {
    return false;
  }

  onValue(item: unknown): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    this.#feed.awaited();
    const value = this.#feed.take(item);
    receiver?.onValue(value);
  }

  onEnd(): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    this.#feed.awaited();
    receiver?.onEnd();
  }

  onError(error: unknown): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    this.#feed.awaited();
    receiver?.onError(error);
  }
}
