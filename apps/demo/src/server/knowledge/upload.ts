import { getStreamWriter, PublicError, type StreamStore } from '@perennial/core';

import type { UploadRequest } from '../../lib/import-requests.ts';
import { filesStreamId } from '../../lib/knowledge.ts';
import type { DocumentFile } from '../corpus/read-document.ts';
import { orThrow } from './knowledge-log.ts';

/** Files that were sent and never imported are gone after this time. */
const ABANDONED_MS = 24 * 60 * 60 * 1_000;

/** Keeps some files of an import. A part that is sent again is kept once: it is written by a producer of its own. */
export async function storeUpload(store: StreamStore, id: string, { part, files }: UploadRequest): Promise<void> {
  const writer = getStreamWriter<DocumentFile>({
    store,
    streamId: filesStreamId(id),
    ttlMs: ABANDONED_MS,
    producer: { id: `part/${part}`, epoch: 0, seq: 0 },
  });
  for (const file of files) orThrow(await writer.write(file));
  orThrow(await writer.flush());
}

/**
 * Says that all files are there.
 *
 * @throws `PublicError` `INVALID_REQUEST` when some are not.
 */
export async function sealUpload(store: StreamStore, id: string, files: number): Promise<void> {
  const streamId = filesStreamId(id);
  const received = (await store.head(streamId))?.nextPosition ?? 0;
  if (received !== files)
    throw new PublicError('INVALID_REQUEST', `${received} of ${files} files have arrived. Send the files again.`);
  const closed = await getStreamWriter({ store, streamId, create: false }).close();
  // A request that is sent again finds the stream closed.
  if (!closed.ok && !(await store.head(streamId))?.end) throw closed.error;
}
