'use client';

import { useStream } from '@perennial/react';

import { streamUrl } from './ids.ts';
import { EMPTY_RUN, foldRun, runChunkSchema, type RunNow } from './import-progress.ts';
import type { KnowledgeSnapshot } from './knowledge-snapshot.ts';
import { foldKnowledge, type Imports, KNOWLEDGE_LOG, knowledgeEventSchema } from './knowledge.ts';
import { type AnswerStatus, toStatus } from './status.ts';
import { useVisible } from './use-visible.ts';

/** The knowledge base as it is now. */
export interface KnowledgeNow {
  readonly imports: Imports;
  /** Why it cannot be followed. */
  readonly error: Error | null;
  /** True while the server does not answer, and is tried again. */
  readonly unreachable: boolean;
}

/** Follows the knowledge base from where the server's page left off. `begun` says that there is something, where the page knew of nothing. */
export function useKnowledge(snapshot: KnowledgeSnapshot | null, begun: boolean): KnowledgeNow {
  const visible = useVisible();
  const stream = useStream(streamUrl(KNOWLEDGE_LOG), {
    schema: knowledgeEventSchema,
    initial: snapshot?.imports ?? [],
    reduce: foldKnowledge,
    from: snapshot?.position ?? 0,
    // A stream that never ends holds a connection, and browsers have few: hidden pages catch up when they are shown.
    enabled: (snapshot !== null || begun) && visible,
  });
  return { imports: stream.data, error: stream.error, unreachable: stream.status === 'reconnecting' };
}

/** A run as far as it has arrived. */
export interface ImportRunNow extends RunNow {
  readonly status: AnswerStatus;
  /** Asks the server to stop the run; resolves with false when it did not take the request. */
  readonly stop: () => Promise<boolean>;
}

/** Follows one run of an import. */
export function useImportRun(streamId: string): ImportRunNow {
  const stream = useStream(streamUrl(streamId), { schema: runChunkSchema, initial: EMPTY_RUN, reduce: foldRun });
  const { data, status, end, cancel } = stream;
  const stop = async (): Promise<boolean> => (await cancel('stopped by the reader')).ok;
  return { ...data, status: toStatus(status, end), stop };
}
