import { isStreamNotFound, type StreamStore } from '@perennial/core';

/** Streams whose ids begin like this are the index of open runs: one empty stream for each. */
const ROOT = '$open-runs';
const PAGE = 1_000;
/** An entry without a journal is left alone this long, in ms: whoever starts the run may be about to create it. */
const ORPHAN_MS = 600_000;

const prefixOf = (workflow: string): string => `${ROOT}/${encodeURIComponent(workflow)}/`;
const entryId = (workflow: string, runId: string): string => prefixOf(workflow) + encodeURIComponent(runId);

/** The runs of a workflow that have not ended, so that recovery need not look at the streams of all runs there ever were. */
export interface OpenRuns {
  add(runId: string): Promise<void>;
  remove(runId: string): Promise<void>;
  /** Ids of the runs, and when each was added, in ms since the Unix epoch. */
  list(): AsyncGenerator<{ readonly runId: string; readonly since: number }, void, undefined>;
  /** True for an entry so old that nobody can be about to create its run. */
  isOrphan(since: number): boolean;
}

/** Opens the index of a workflow. */
export function openRunsOf(store: StreamStore, workflow: string, now: () => number): OpenRuns {
  return {
    async add(runId) {
      await store.create(entryId(workflow, runId));
    },
    async remove(runId) {
      await store.delete(entryId(workflow, runId)).catch((error: unknown) => {
        if (!isStreamNotFound(error)) throw error;
      });
    },
    async *list() {
      const prefix = prefixOf(workflow);
      for (let after: string | undefined; ;) {
        const { streams, next } = await store.list({ prefix, limit: PAGE, ...(after !== undefined && { after }) });
        for (const { id, createdAt } of streams)
          yield { runId: decodeURIComponent(id.slice(prefix.length)), since: createdAt };
        if (next === undefined) return;
        after = next;
      }
    },
    isOrphan: (since) => now() - since > ORPHAN_MS,
  };
}
