import { limitExceeded } from './problem.ts';

/** Counts open live responses, in all and per stream. */
export interface ReaderSlots {
  /**
   * Takes a slot and returns what gives it back, once, however often it is called.
   *
   * @throws HttpProblem 429 when there is none.
   */
  take(streamId: string): () => void;
  readonly size: number;
}

const RETRY_AFTER = { 'Retry-After': '1' };

/** Creates the counter. */
export function createReaderSlots(limits: {
  readonly maxLiveReaders: number;
  readonly maxLiveReadersPerStream: number;
}): ReaderSlots {
  const perStream = new Map<string, number>();
  let size = 0;
  return {
    get size() {
      return size;
    },
    take(streamId) {
      const count = perStream.get(streamId) ?? 0;
      if (size >= limits.maxLiveReaders)
        throw limitExceeded(
          'maxLiveReaders',
          `The server has ${limits.maxLiveReaders} live readers, its limit. Try again, or read without \`live\`.`,
          429,
          RETRY_AFTER,
        );
      if (count >= limits.maxLiveReadersPerStream)
        throw limitExceeded(
          'maxLiveReadersPerStream',
          `The stream has ${limits.maxLiveReadersPerStream} live readers, its limit. Try again, or read without \`live\`.`,
          429,
          RETRY_AFTER,
        );
      perStream.set(streamId, count + 1);
      size++;
      let taken = true;
      return () => {
        if (!taken) return;
        taken = false;
        size--;
        const left = (perStream.get(streamId) ?? 1) - 1;
        if (left > 0) perStream.set(streamId, left);
        else perStream.delete(streamId);
      };
    },
  };
}
