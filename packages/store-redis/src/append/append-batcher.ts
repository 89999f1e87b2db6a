/**
 * Group commit: one append per stream is under way at a time, and everything that arrives meanwhile goes into the next one.
 *
 * States of a lane: absent (nothing to do) -> gathering (until the end of the current turn) -> sending -> gathering or absent. Requests
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

interface Pending {
  readonly request: EncodedRequest;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: unknown) => void;
}

/** Creates a batcher over `send`. */
export function createAppendBatcher(send: SendBatch): AppendBatcher {
  const lanes = new Map<string, Pending[]>();
  let whenIdle: (() => void)[] = [];

  const work = async (id: string, lane: Pending[]): Promise<void> => {
    while (lane.length > 0) {
      const batch = takeBatch(lane);
      try {
        const { results, head } = await send(
          id,
          batch.map(({ request }) => request),
        );
        for (let i = 0; i < batch.length; i++) {
          const segments = results[i];
          if (segments instanceof Error) batch[i]?.reject(segments);
          else if (segments) batch[i]?.resolve({ segments, head });
        }
      } catch (error) {
        for (const pending of batch) pending.reject(error);
      }
    }
    lanes.delete(id);
    if (lanes.size > 0) return;
    for (const resolve of whenIdle) resolve();
    whenIdle = [];
  };

  return {
    append: (id, request) =>
      new Promise((resolve, reject) => {
        const pending = { request, resolve, reject };
        const lane = lanes.get(id);
        if (lane) {
          lane.push(pending);
          return;
        }
        const created = [pending];
        lanes.set(id, created);
        // A microtask later, so that everything appended in this turn goes into one script.
        queueMicrotask(() => void work(id, created));
      }),
    drained: () =>
      lanes.size === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            whenIdle.push(resolve);
          }),
  };
}

function takeBatch(lane: Pending[]): Pending[] {
  let records = 0;
  let size = 0;
  let count = 0;
  while (count < lane.length && (count === 0 || (records < MAX_BATCH_RECORDS && size < MAX_BATCH_SIZE))) {
    const { request } = lane[count++] ?? { request: undefined };
    records += request?.records ?? 0;
    size += request?.size ?? 0;
  }
  return lane.splice(0, count);
}
