import {
  createStreamWaiters,
  type StreamError,
  type StreamHead,
  type StreamWaiters,
  type WaitOptions,
} from '@perennial/core';

/** What {@link StreamWaiting} needs from its stream. */
export interface StreamWaitingOptions {
  /** The present head, for waits that time out. */
  readonly latest: () => StreamHead;
  /** Starts to look for what other processes change. */
  readonly watch: () => { stop(): void };
}

/** The waiting readers of one stream, by the store that they called, and the watch that some of them need. */
export class StreamWaiting {
  readonly #options: StreamWaitingOptions;
  readonly #groups = new Map<object, StreamWaiters>();
  #watch: { stop(): void } | null = null;

  constructor(options: StreamWaitingOptions) {
    this.#options = options;
  }

  get size(): number {
    let size = 0;
    for (const { size: waiting } of this.#groups.values()) size += waiting;
    return size;
  }

  /** Waits as `store`, starting with `head`. The watch goes on until the last one has stopped waiting. */
  wait(
    head: StreamHead,
    options: WaitOptions,
    { store, needsWatch }: { readonly store: object; readonly needsWatch: boolean },
  ): Promise<StreamHead> {
    let group = this.#groups.get(store);
    if (!group) {
      // A web server may open a store per request: those that wait no more are forgotten.
      this.#forgetIdle();
      group = createStreamWaiters(this.#options.latest);
      this.#groups.set(store, group);
    }
    const waiting = group.wait(head, options);
    if (needsWatch && group.size > 0) this.keepWatch();
    return this.#watch ? waiting.finally(() => this.rest()) : waiting;
  }

  /** Watches, if anybody waits. */
  keepWatch(): void {
    if (this.size > 0) this.#watch ??= this.#options.watch();
  }

  /** Ends the watch, if nobody waits. */
  rest(): void {
    if (this.size > 0) return;
    this.#watch?.stop();
    this.#watch = null;
  }

  /** Wakes those whom the head satisfies. */
  notify(head: StreamHead): void {
    for (const group of this.#groups.values()) group.notify(head);
  }

  #forgetIdle(): void {
    for (const [store, group] of this.#groups) if (group.size === 0) this.#groups.delete(store);
  }

  /** Rejects everybody, or those of one store, who will not wait again. */
  fail(error: StreamError, store?: object): void {
    for (const [key, group] of this.#groups) {
      if (store !== undefined && key !== store) continue;
      this.#groups.delete(key);
      group.fail(error);
    }
    this.rest();
  }
}
