import { getStreamReader, type StreamStore } from '@perennial/core';

import { filesStreamId, type ImportEnd, type ImportState, passagesStreamId } from '../../lib/knowledge.ts';
import { collectProblems, documentPipeline } from '../corpus/document-pipeline.ts';
import type { IndexedPassage } from '../corpus/indexed-passage.ts';
import type { DocumentFile } from '../corpus/read-document.ts';

/** The numbers of an import's end. */
export type Summary = Pick<ImportEnd, 'documents' | 'passages' | 'skipped' | 'skippedCount'>;

/** Reasons that are kept: a folder of photographs should not fill the log. */
const MAX_REASONS = 200;

/**
 * What an import came to. Skipped is what was found and not stored, so that the list is complete whatever was interrupted when; the
 * reasons come from another look at those files.
 */
export async function summarise(store: StreamStore, { id, label }: ImportState, base: string): Promise<Summary> {
  const { stored, passages } = await countStored(store, id);
  const missing: DocumentFile[] = [];
  let skippedCount = 0;
  for await (const file of readStored<DocumentFile>(store, filesStreamId(id))) {
    if (stored.has(`${label}/${file.name}`)) continue;
    skippedCount++;
    if (missing.length < MAX_REASONS) missing.push(file);
  }
  return { documents: stored.size, passages, skippedCount, skipped: await reasonsOf(missing, base) };
}

/** The same of an import that did not get to its end: what it did not come to is not skipped. */
export async function summarisePart(store: StreamStore, { id }: ImportState): Promise<Summary> {
  const { stored, passages } = await countStored(store, id);
  return { documents: stored.size, passages, skippedCount: 0, skipped: [] };
}

async function countStored(
  store: StreamStore,
  id: string,
): Promise<{ readonly stored: ReadonlySet<string>; readonly passages: number }> {
  const stored = new Set<string>();
  let passages = 0;
  for await (const batch of readStored<readonly IndexedPassage[]>(store, passagesStreamId(id))) {
    for (const { passage } of batch) stored.add(passage.file);
    passages += batch.length;
  }
  return { stored, passages };
}

async function reasonsOf(files: readonly DocumentFile[], base: string): Promise<string[]> {
  const run = documentPipeline({ base }).executeFrom(files);
  const problems = collectProblems(run.errors);
  // A file that has become readable by now is still one that was left out.
  const fine = new Set<string>();
  for await (const batch of run) for (const { passage } of batch) fine.add(passage.file);
  const reasons = new Map((await problems).map(({ file, message }) => [file, message]));
  return files.map(({ name }) => reasons.get(name) ?? `“${name}” was not taken in before the import ended.`);
}

/** What is in a stream now; nothing when it does not exist. */
async function* readStored<T>(store: StreamStore, streamId: string): AsyncGenerator<T> {
  const head = await store.head(streamId);
  if (!head) return;
  const reader = getStreamReader<T>({ store, streamId });
  try {
    for (let left = head.nextPosition; left > 0; left--) {
      const read = await reader.read();
      if (!read.ok) throw read.error;
      yield read.value;
    }
  } finally {
    await reader.close();
  }
}
