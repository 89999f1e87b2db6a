/**
 * Group commit: one append per stream is under way at a time, and everything that arrives meanwhile goes into the next one.
 *
 * States of a lane: absent or idle (nothing to do) -> gathering, where it was crowded before (until the end of the current turn) -> sending
 * -> sending or idle. Requests keep their order; each gets its own results.
 */
import type { AppendResult, StreamHead } from '@perennial/core';

import type { EncodedRequest, RequestResult } from '../codec/append.ts';

/** What one append script answered. */
export interface BatchAnswer {
  /** One result per request. */
  readonly results: readonly RequestResult[];
  readonly head: StreamHead;
}

/** Who is told what became of an append script: one of the two, once. Callbacks, because a single awaited append notices each promise. */
export interface BatchOutcome {
  readonly answered: (answer: BatchAnswer) => void;
  readonly failed: (error: unknown) => void;
}

/** Sends requests of one stream as one atomic append. What it throws, it has not told. */
export type SendBatch = (id: string, requests: readonly EncodedRequest[], outcome: BatchOutcome) => void;

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

  const onBusy = (): void => {
    busy++;
  };
  const onIdle = (id: string): void => {
    if (lanes.size > KEPT_LANES) lanes.delete(id);
    if (--busy > 0) return;
    for (const resolve of whenIdle) resolve();
    whenIdle = [];
  };
  const laneOf = (id: string): Lane => {
    let lane = lanes.get(id);
    if (!lane) {
      lane = new Lane(id, send, { onBusy, onIdle });
      lanes.set(id, lane);
    }
    return lane;
  };

  return {
    append: (id, request) =>
      new Promise((resolve, reject) => {
        laneOf(id).add(request, { resolve, reject });
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

/** What a lane tells of itself. */
interface LaneEvents {
  readonly onBusy: () => void;
  readonly onIdle: (id: string) => void;
}

/**
 * The appends of one stream. With callbacks that are made once instead of an asynchronous function: an append that is awaited by itself
 * passes here cold, and notices each promise and each turn of the microtask queue.
 */
class Lane implements BatchOutcome {
  readonly #id: string;
  readonly #send: SendBatch;
  readonly #events: LaneEvents;
  /** What is to be sent, in order; more than one when the first is full. */
  readonly #batches: Batch[] = [];
  #busy = false;
  /** More than one request came since the lane was idle, or until it last was. */
  #crowded = false;
  /** Who waits for what was sent. */
  #callers: readonly Caller[] = [];

  constructor(id: string, send: SendBatch, events: LaneEvents) {
    this.#id = id;
    this.#send = send;
    this.#events = events;
  }

  /** Sends a request, at once where nothing is under way and nobody else is expected; else with what is gathered. */
  add(request: EncodedRequest, caller: Caller): void {
    if (this.#busy) {
      this.#crowded = true;
      this.#gather(request, caller);
      return;
    }
    this.#busy = true;
    this.#events.onBusy();
    if (!this.#crowded) {
      this.#deliver([request], [caller]);
      return;
    }
    this.#crowded = false;
    this.#gather(request, caller);
    // A microtask later, so that everything appended in this turn goes into one script. `queueMicrotask` makes an AsyncResource for it.
    void NOW.then(this.#sendGathered);
  }

  /** Puts a request into the last batch, or into a new one when that is full. */
  #gather(request: EncodedRequest, caller: Caller): void {
    const last = this.#batches[this.#batches.length - 1];
    if (!last || last.records >= MAX_BATCH_RECORDS || last.size >= MAX_BATCH_SIZE) {
      this.#batches.push({ requests: [request], callers: [caller], records: request.records, size: request.size });
      return;
    }
    last.requests.push(request);
    last.callers.push(caller);
    last.records += request.records;
    last.size += request.size;
  }

  readonly answered = ({ results, head }: BatchAnswer): void => {
    const callers = this.#callers;
    for (let i = 0; i < callers.length; i++) {
      const segments = results[i];
      if (segments instanceof Error) callers[i]?.reject(segments);
      else if (segments) callers[i]?.resolve({ segments, head });
    }
    this.#goOn();
  };

  readonly failed = (error: unknown): void => {
    for (const caller of this.#callers) caller.reject(error);
    this.#goOn();
  };

  #goOn(): void {
    if (this.#batches.length === 0) {
      this.#busy = false;
      this.#events.onIdle(this.#id);
      return;
    }
    // Who got an answer and appends again at once joins those who waited: else the two would go on in turns, in twice as many scripts.
    void NOW.then(this.#sendGathered);
  }

  readonly #sendGathered = (): void => {
    // There is seldom more than one, and `pop` is much cheaper.
    const batch = this.#batches.length > 1 ? this.#batches.shift() : this.#batches.pop();
    if (batch) this.#deliver(batch.requests, batch.callers);
  };

  #deliver(requests: readonly EncodedRequest[], callers: readonly Caller[]): void {
    this.#callers = callers;
    try {
      this.#send(this.#id, requests, this);
    } catch (error) {
      this.failed(error);
    }
  }
}
