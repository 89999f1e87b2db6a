import {
  ACCEPTED,
  type AppendLane,
  type AppendQueue,
  type NewRecord,
  type StreamEnd,
  StreamError,
} from '@perennial/core';

import { Turnstile } from './turnstile.ts';

/** Pause before an entry that the queue refused for a reason that may pass is pushed again. */
const AGAIN_MS = 50;
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, AGAIN_MS));

/** Options of {@link LaneWriter}. */
export interface LaneWriterOptions {
  readonly queue: AppendQueue;
  readonly lane: AppendLane;
  /** Shared by all who write the stream. */
  readonly turnstile?: Turnstile;
  /** Nothing is pushed before this resolves. */
  readonly ready?: Promise<void>;
}

/**
 * Pushes the entries of one lane, in order, until each is accepted or refused for good. While the store does not answer, entries wait:
 * what happened to a write must be known before the step or the run that made it is settled.
 */
export class LaneWriter {
  readonly #queue: AppendQueue;
  readonly #lane: AppendLane;
  readonly #turnstile: Turnstile;
  #ready: Promise<void> | null;

  constructor({ queue, lane, turnstile = new Turnstile(), ready }: LaneWriterOptions) {
    this.#queue = queue;
    this.#lane = lane;
    this.#turnstile = turnstile;
    this.#ready = ready ?? null;
  }

  /** Resolves once the entry is accepted (null) or refused for good. */
  push(record: NewRecord | null, end: StreamEnd | null = null): Promise<StreamError | null> {
    return this.#turnstile.pass(
      () => this.#enter(record, end),
      (entered) => entered === ACCEPTED,
    );
  }

  /** Resolves once everything pushed so far is stored (null), or with the failure that prevents it for good. */
  async flush(): Promise<StreamError | null> {
    await this.#turnstile.cleared();
    for (;;) {
      const failure = await this.#queue.flush(this.#lane);
      if (!failure?.retryable) return failure;
      await pause();
    }
  }

  /** Closes the lane, dropping what was not sent; resolves once it is known what became of the rest. */
  discard(message: string): Promise<void> {
    return this.#queue.discard(this.#lane, new StreamError('ABORTED', message));
  }

  #enter(record: NewRecord | null, end: StreamEnd | null): Promise<StreamError | null> {
    if (this.#ready) return this.#enterReady(this.#ready, record, end);
    const pushed = this.#queue.push(this.#lane, record, end);
    return pushed === ACCEPTED ? pushed : this.#insist(pushed, record, end);
  }

  async #enterReady(
    ready: Promise<void>,
    record: NewRecord | null,
    end: StreamEnd | null,
  ): Promise<StreamError | null> {
    try {
      await ready;
    } catch (cause) {
      return new StreamError('ABORTED', 'The write was given up: its worker does not hold the run any more.', {
        cause,
      });
    }
    this.#ready = null;
    return this.#enter(record, end);
  }

  async #insist(
    pushed: Promise<StreamError | null>,
    record: NewRecord | null,
    end: StreamEnd | null,
  ): Promise<StreamError | null> {
    let failure = await pushed;
    while (failure?.retryable) {
      await pause();
      failure = await this.#queue.push(this.#lane, record, end);
    }
    return failure;
  }
}
