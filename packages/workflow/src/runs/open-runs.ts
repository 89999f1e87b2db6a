import { isStreamNotFound, type StreamStore } from '@perennial/core';

/** Streams whose ids begin like this are the index of open runs: one empty stream for each. */
const ROOT = '$open-runs';
/** Runs that are looked at at the same time. */
const PAGE = 128;
/** An entry without a journal is left alone this long, in ms: whoever starts the run may be about to create it. */
const ORPHAN_MS = 600_000;

const prefixOf = (workflow: string): string => `${ROOT}/${encodeURIComponent(workflow)}/`;
const entryId = (workflow: string, runId: string): string => prefixOf(workflow) + encodeURIComponent(runId);

/** An entry of the index. */
export interface OpenRun {
  readonly runId: string;
  /** When it was added, in ms since the Unix epoch. */
  readonly since: number;
}

/** The runs of a workflow that have not ended, so that recovery need not look at the streams of all runs there ever were. */
export interface OpenRuns {
  add(runId: string): Promise<void>;
  remove(runId: string): Promise<void>;
  /** The runs, in pages. */
  pages(): AsyncGenerator<readonly OpenRun[], void, undefined>;
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
    async *pages() {
      const prefix = prefixOf(workflow);
      for (let after: string | undefined; ;) {
        const { streams, next } = await store.list({ prefix, limit: PAGE, ...(after !== undefined && { after }) });
        yield streams.map(({ id, createdAt }) => ({
          runId: decodeURIComponent(id.slice(prefix.length)),
          since: createdAt,
        }));
        if (next === undefined) return;
        after = next;
      }
    },
    isOrphan: (since) => now() - since > ORPHAN_MS,
  };
}
