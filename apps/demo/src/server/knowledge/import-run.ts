import { getStreamReader, PublicError, type StreamStore } from '@perennial/core';
import {
  createStreamingStep,
  positionedSource,
  publishProgress,
  type StreamingRun,
  StreamingPipeline,
} from '@perennial/pipeline';

import {
  filesStreamId,
  type ImportPhase,
  importPrefix,
  type ImportState,
  passagesStreamId,
  runStreamId,
} from '../../lib/knowledge.ts';
import { documentPipeline } from '../corpus/document-pipeline.ts';
import { findMarkdownFiles } from '../corpus/find-files.ts';
import type { DocumentFile } from '../corpus/read-document.ts';
import { findImport, noteKnowledge, orThrow } from './knowledge-log.ts';

/** What a run of an import needs. */
export interface ImportRunOptions {
  readonly store: StreamStore;
  /** Folder of the files that were not sent. */
  readonly base: string;
  readonly signal: AbortSignal;
  /** Files that are taken in per second; 0 = as many as can be. */
  readonly filesPerSecond: number;
}

/** Long enough for a server that is busy with a document; a new server announces itself in the log. */
const LEASE_MS = 30_000;
/** How often the progress of a run is written. */
const PROGRESS_INTERVAL_MS = 100;

/** Finds the files of an import, unless that is done already. Begins anew when it was interrupted: nothing was made of them yet. */
export async function discoverFiles({ id }: ImportState, options: ImportRunOptions): Promise<void> {
  const { store, base, signal } = options;
  const streamId = filesStreamId(id);
  const head = await store.head(streamId);
  if (head?.end) return;
  if (head) await store.delete(streamId);
  const { run, done } = StreamingPipeline.start<string>()
    .add(
      'discover',
      createStreamingStep('discover', async function* ({ input }) {
        for await (const folder of input) yield* findMarkdownFiles({ base: folder, paths: [''] });
      }),
    )
    .executeToStream([base], { store, streamId, signal, onFailure: 'keep' });
  await follow({ id, phase: 'discover' }, run, options, done);
}

/** Takes in the files that were found or sent. A run that was interrupted goes on at the passage where it stopped. */
export async function indexFiles({ id, label }: ImportState, options: ImportRunOptions): Promise<void> {
  const { store, base, signal, filesPerSecond } = options;
  const head = await store.head(filesStreamId(id));
  if (!head)
    throw new PublicError('NOT_FOUND', 'The files are not kept any longer. Remove this import and send them again.');
  const total = head.nextPosition;
  const files = positionedSource((startIndex) =>
    getStreamReader<DocumentFile>({ store, streamId: filesStreamId(id), startIndex }),
  );
  const { run, done } = documentPipeline({ base, prefix: `${label}/`, filesPerSecond })
    .checkpoint('store', { mode: 'pass', store, streamId: `${importPrefix(id)}checkpoint` })
    .executeToStream(files, { store, streamId: passagesStreamId(id), runId: id, total, signal });
  await follow({ id, phase: 'index' }, run, options, done);
}

/** Publishes a run as a live stream, says where, and waits for its end. */
async function follow(
  { id, phase }: { readonly id: string; readonly phase: ImportPhase },
  run: StreamingRun<unknown>,
  { store }: ImportRunOptions,
  done: Promise<unknown>,
): Promise<void> {
  // What it fails with is for the end of this function; until then it must not count as unhandled.
  done.catch(() => undefined);
  const number = (await findImport(store, id))?.runs ?? 0;
  const stream = runStreamId(id, number);
  const published = publishProgress(run, {
    store,
    streamId: stream,
    leaseMs: LEASE_MS,
    intervalMs: PROGRESS_INTERVAL_MS,
    errors: true,
  });
  orThrow(await published.opened);
  await noteKnowledge(store, { type: 'run', id, phase, stream }, number);
  const end = await published.done;
  if (end.outcome === 'cancelled') throw new ImportStopped();
  await done;
}

/** Somebody stopped the import. */
export class ImportStopped extends Error {
  constructor() {
    super('The import was stopped.');
    this.name = 'ImportStopped';
  }
}
