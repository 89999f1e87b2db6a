import { isStreamError, type StreamStore } from '@perennial/core';

/**
 * Asks the work that writes a stream to stop. Work that no worker has begun ends at once; its message finds the stream ended.
 *
 * @throws `NOT_FOUND` and what the store throws.
 */
export async function cancelJob(store: StreamStore, streamId: string, reason?: string): Promise<void> {
  const why = reason === undefined ? {} : { reason };
  const head = await store.mark(streamId, { type: 'cancel', ...why });
  if (head.token > 0 || head.end) return;
  try {
    await store.mark(streamId, { type: 'fence', token: 1, nonce: crypto.randomUUID() });
    await store.append(streamId, {
      token: 1,
      segments: [{ records: [], end: { outcome: 'cancelled', ...why } }],
    });
  } catch (error) {
    // A worker has begun meanwhile; it has the request.
    if (!isStreamError(error) || error.code !== 'FENCED') throw error;
  }
}
