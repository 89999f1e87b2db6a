import {
  ACCEPTED,
  type AppendLane,
  type AppendQueue,
  type NewRecord,
  type StreamEnd,
  StreamError,
} from '@perennial/core';

/** Pause before an entry that the queue refused for a reason that may pass is pushed again. */
const AGAIN_MS = 50;
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, AGAIN_MS));

/**
 * Pushes the entries of one lane, in order, until each is accepted or refused for good. While the store does not answer, entries wait:
 * what happened to a write must be known before the step or the run that made it is settled.
 */
export class LaneWriter {
  readonly #queue: AppendQueue;
  readonly #lane: AppendLane;
  /** Set while an entry waits to be accepted; without it, a later entry could overtake one that has to be pushed again. */
  #tail: Promise<unknown> | null;

  /** @param ready Nothing is pushed before this resolves. */
  constructor(queue: AppendQueue, lane: AppendLane, ready: Promise<void> | null = null) {
    this.#queue = queue;
    this.#lane = lane;
    this.#tail = null;
    if (ready) this.#wait(ready.catch(() => undefined));
  }

  /** Resolves once the entry is accepted (null) or refused for good. */
  push(record: NewRecord | null, end: StreamEnd | null = null): Promise<StreamError | null> {
    if (this.#tail) return this.#wait(this.#pushAfter(this.#tail, record, end));
    const pushed = this.#queue.push(this.#lane, record, end);
    return pushed === ACCEPTED ? pushed : this.#wait(this.#insist(pushed, record, end));
  }

  /** Resolves once everything pushed so far is stored (null), or with the failure that prevents it for good. */
  async flush(): Promise<StreamError | null> {
    await this.#tail;
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

  async #pushAfter(
    before: Promise<unknown>,
    record: NewRecord | null,
    end: StreamEnd | null,
  ): Promise<StreamError | null> {
    await before;
    return this.#insist(this.#queue.push(this.#lane, record, end), record, end);
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

  #wait<T>(entry: Promise<T>): Promise<T> {
    this.#tail = entry;
    const done = (): void => {
      if (this.#tail === entry) this.#tail = null;
    };
    void entry.then(done, done);
    return entry;
  }
}
