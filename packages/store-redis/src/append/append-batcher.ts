/**
 * Group commit: one append per stream is under way at a time, and everything that arrives meanwhile goes into the next one.
 *
 * States of a lane: absent or idle (nothing to do) -> gathering (until the end of the current turn) -> sending -> gathering or idle. Requests
 * keep their order; each gets its own results.
 */
import type { AppendResult, StreamHead } from '@perennial/core';

import type { EncodedRequest, RequestResult } from '../codec/append.ts';

/** What one append script answered. */
export interface BatchAnswer {
  /** One result per request. */
  readonly results: readonly RequestResult[];
  readonly head: StreamHead;
}

/** Sends requests of one stream as one atomic append. */
export type SendBatch = (id: string, requests: readonly EncodedRequest[]) => Promise<BatchAnswer>;

/** See the head of this file. */
export interface AppendBatcher {
  append(id: string, request: EncodedRequest): Promise<AppendResult>;
  /** Resolves once everything appended so far was answered. */
  drained(): Promise<void>;
}

/**
 * Most records, and bytes of JavaScript text, that join one script: the server does nothing else meanwhile. A single larger request
 * still goes out as one, because it is atomic.
 */
const MAX_BATCH_RECORDS = 1_024;
const MAX_BATCH_SIZE = 1_048_576;

/** Lanes that stay when they are idle: making and removing one with each append would show. */
const KEPT_LANES = 1_024;

/** Requests that go out as one script, and who waits for them. */
interface Batch {
  readonly requests: EncodedRequest[];
  readonly callers: Caller[];
  records: number;
  size: number;
}

interface Caller {
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: unknown) => void;
}

/** Creates a batcher over `send`. */
export function createAppendBatcher(send: SendBatch): AppendBatcher {
  const lanes = new Map<string, Lane>();
  let busy = 0;
  let whenIdle: (() => void)[] = [];

  const onIdle = (id: string): void => {
    if (lanes.size > KEPT_LANES) lanes.delete(id);
    if (--busy > 0) return;
    for (const resolve of whenIdle) resolve();
    whenIdle = [];
  };
  const laneOf = (id: string): Lane => {
    let lane = lanes.get(id);
    if (!lane) {
      lane = new Lane(id, send, onIdle);
      lanes.set(id, lane);
    }
    return lane;
  };

  return {
    append: (id, request) =>
      new Promise((resolve, reject) => {
        if (laneOf(id).add(request, { resolve, reject })) busy++;
      }),
    drained: () =>
      busy === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            whenIdle.push(resolve);
          }),
  };
}

const NOW = Promise.resolve();

/**
 * The appends of one stream. With callbacks that are made once instead of an asynchronous function: an append that is awaited by itself
 * passes here cold, and notices each promise and each turn of the microtask queue.
 */
class Lane {
  readonly #id: string;
  readonly #send: SendBatch;
  readonly #onIdle: (id: string) => void;
  /** What is to be sent, in order; more than one when the first is full. */
  readonly #batches: Batch[] = [];
  #busy = false;
  /** Who waits for what was sent. */
  #callers: readonly Caller[] = [];

  constructor(id: string, send: SendBatch, onIdle: (id: string) => void) {
    this.#id = id;
    this.#send = send;
    this.#onIdle = onIdle;
  }

  /** Puts a request into the last batch, or into a new one when that is full; true when the lane was idle. */
  add(request: EncodedRequest, caller: Caller): boolean {
    const last = this.#batches[this.#batches.length - 1];
    if (!last || last.records >= MAX_BATCH_RECORDS || last.size >= MAX_BATCH_SIZE) {
      this.#batches.push({ requests: [request], callers: [caller], records: request.records, size: request.size });
    } else {
      last.requests.push(request);
      last.callers.push(caller);
      last.records += request.records;
      last.size += request.size;
    }
    if (this.#busy) return false;
    this.#busy = true;
    // A microtask later, so that everything appended in this turn goes into one script. `queueMicrotask` makes an AsyncResource for it.
    void NOW.then(this.#sendNext);
    return true;
  }

  readonly #sendNext = (): void => {
    // There is seldom more than one, and `pop` is much cheaper.
    const batch = this.#batches.length > 1 ? this.#batches.shift() : this.#batches.pop();
    if (!batch) {
      this.#busy = false;
      this.#onIdle(this.#id);
      return;
    }
    this.#callers = batch.callers;
    try {
      this.#send(this.#id, batch.requests).then(this.#answered, this.#failed);
    } catch (error) {
      this.#failed(error);
    }
  };

  readonly #answered = ({ results, head }: BatchAnswer): void => {
    const callers = this.#callers;
    for (let i = 0; i < callers.length; i++) {
      const segments = results[i];
      if (segments instanceof Error) callers[i]?.reject(segments);
      else if (segments) callers[i]?.resolve({ segments, head });
    }
    this.#sendNext();
  };

  readonly #failed = (error: unknown): void => {
    for (const caller of this.#callers) caller.reject(error);
    this.#sendNext();
  };
}
