import {
  getStreamReader,
  isStreamNotFound,
  liveView,
  runStreamId,
  type StreamRecord,
  type StreamStore,
} from '@perennial/core';

import { readLog } from './inspect-run.ts';
import type { Program } from './programs.ts';

const LOOK_AGAIN_MS = 20;
const lookAgain = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));

/** Readers that watch a run from before its first record to its end, whatever happens to its workers. */
export interface Followers {
  /** Resolves, once each stream has ended, with what differs between what the readers saw and the logs. */
  compare(opened: Iterable<string>): Promise<readonly string[]>;
  /** Stops them. */
  close(): Promise<void>;
}

/** Attaches a raw and a live reader to each stream of a program. */
export function follow(
  store: StreamStore,
  { program, runId }: { readonly program: Program; readonly runId: string },
): Followers {
  const controller = new AbortController();
  const { signal } = controller;
  const each = Object.keys(program.streams).map((namespace) => {
    const streamId = runStreamId(runId, namespace);
    return { namespace, streamId, raw: followRaw(store, streamId, signal), live: followLive(store, streamId, signal) };
  });
  return {
    async compare(opened) {
      const names = new Set(opened);
      const wrong: string[] = [];
      for (const { namespace, streamId, raw, live } of each.filter((one) => names.has(one.namespace))) {
        const { records } = await readLog(store, streamId);
        const seen = { raw: await raw, live: await live };
        const isSame = JSON.stringify(seen.raw) === JSON.stringify(records);
        if (!isSame)
          wrong.push(`${namespace}: a raw reader saw ${seen.raw.length} records, not the ${records.length} of the log`);
        const values = liveView(records).map(({ data }) => JSON.parse(String(data)) as unknown);
        if (JSON.stringify(seen.live) !== JSON.stringify(values))
          wrong.push(
            `${namespace}: a live reader has ${JSON.stringify(seen.live)} instead of ${JSON.stringify(values)}`,
          );
      }
      return wrong;
    },
    async close() {
      controller.abort();
      await Promise.all(each.flatMap(({ raw, live }) => [raw, live]));
    },
  };
}

async function followRaw(store: StreamStore, id: string, signal: AbortSignal): Promise<readonly StreamRecord[]> {
  const seen: StreamRecord[] = [];
  while (!signal.aborted) {
    try {
      const { records, head } = await store.read(id, { from: seen.length });
      seen.push(...records);
      if (head.end && seen.length >= head.nextPosition) break;
      if (records.length === 0) await store.wait(id, { position: seen.length, signal });
    } catch (error) {
      if (signal.aborted) break;
      if (!isStreamNotFound(error)) throw error;
      await lookAgain();
    }
  }
  return seen;
}

/** Reads values as they come, and starts over when some of them are taken back, as a page that shows them does. */
async function followLive(store: StreamStore, streamId: string, signal: AbortSignal): Promise<readonly unknown[]> {
  for (;;) {
    const values: unknown[] = [];
    const reader = getStreamReader({ store, streamId, signal });
    try {
      for (let isRetracted = false; !isRetracted;) {
        const result = await reader.read();
        if (result.ok) values.push(result.value);
        else if ('end' in result.error || signal.aborted) return values;
        else if (result.error.code === 'SUPERSEDED') isRetracted = true;
        // There is no run of this id yet.
        else if (isStreamNotFound(result.error)) {
          await lookAgain();
          isRetracted = true;
        } else throw result.error;
      }
    } finally {
      await reader.close();
    }
  }
}
