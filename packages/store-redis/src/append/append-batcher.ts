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

interface Lane {
  /** What is to be sent, in order; more than one when the first is full. */
  readonly batches: Batch[];
  busy: boolean;
}

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

  const laneOf = (id: string): Lane => {
    let lane = lanes.get(id);
    if (!lane) {
      lane = { batches: [], busy: false };
      lanes.set(id, lane);
    }
    return lane;
  };
  const work = async (id: string, lane: Lane): Promise<void> => {
    lane.busy = true;
    busy++;
    // A microtask later, so that everything appended in this turn goes into one script. `queueMicrotask` makes an AsyncResource for it.
    await Promise.resolve();
    for (let batch = takeFirst(lane); batch; batch = takeFirst(lane)) {
      const { requests, callers } = batch;
      try {
        settle(callers, await send(id, requests));
      } catch (error) {
        for (const caller of callers) caller.reject(error);
      }
    }
    lane.busy = false;
    if (lanes.size > KEPT_LANES) lanes.delete(id);
    if (--busy > 0) return;
    for (const resolve of whenIdle) resolve();
    whenIdle = [];
  };

  return {
    append: (id, request) =>
      new Promise((resolve, reject) => {
        const lane = laneOf(id);
        join(lane, request, { resolve, reject });
        if (!lane.busy) void work(id, lane);
      }),
    drained: () =>
      busy === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            whenIdle.push(resolve);
          }),
  };
}

/** Puts a request into the last batch of a lane, or into a new one when that is full. */
function join({ batches }: Lane, request: EncodedRequest, caller: Caller): void {
  const last = batches[batches.length - 1];
  if (!last || last.records >= MAX_BATCH_RECORDS || last.size >= MAX_BATCH_SIZE) {
    batches.push({ requests: [request], callers: [caller], records: request.records, size: request.size });
    return;
  }
  last.requests.push(request);
  last.callers.push(caller);
  last.records += request.records;
  last.size += request.size;
}

function takeFirst({ batches }: Lane): Batch | undefined {
  // There is seldom more than one, and `pop` is much cheaper.
  return batches.length > 1 ? batches.shift() : batches.pop();
}

function settle(callers: readonly Caller[], { results, head }: BatchAnswer): void {
  for (let i = 0; i < callers.length; i++) {
    const segments = results[i];
    if (segments instanceof Error) callers[i]?.reject(segments);
    else if (segments) callers[i]?.resolve({ segments, head });
  }
}
