import {
  createStreamWaiters,
  type StreamError,
  type StreamHead,
  type StreamWaiters,
  type WaitOptions,
} from '@perennial/core';

/** The waiting readers of one stream, by the store that they called. */
export class StreamWaiting {
  readonly #latest: () => StreamHead;
  readonly #groups = new Map<object, StreamWaiters>();

  /** @param latest The present head, for waits that time out. */
  constructor(latest: () => StreamHead) {
    this.#latest = latest;
  }

  get size(): number {
    let size = 0;
    for (const { size: waiting } of this.#groups.values()) size += waiting;
    return size;
  }

  /** Waits as `store`. */
  wait(store: object, head: StreamHead, options: WaitOptions): Promise<StreamHead> {
    let group = this.#groups.get(store);
    if (!group) {
      group = createStreamWaiters(this.#latest);
      this.#groups.set(store, group);
    }
    return group.wait(head, options);
  }

  /** Wakes those whom the head satisfies. */
  notify(head: StreamHead): void {
    for (const group of this.#groups.values()) group.notify(head);
  }

  /** Rejects everybody, or those of one store, who will not wait again. */
  fail(error: StreamError, store?: object): void {
    for (const [key, group] of this.#groups) {
      if (store !== undefined && key !== store) continue;
      this.#groups.delete(key);
      group.fail(error);
    }
  }
}
