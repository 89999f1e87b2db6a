import { isStreamNotFound } from '@perennial/core';

import type { RunScope } from '../runs/run-scope.ts';
import { Attempt, stepProducer } from './attempt.ts';

/**
 * Takes back what earlier attempts of a step wrote, in every stream that holds any of it (PROTOCOL.md, "Runs"). The record carries the
 * step's producer with the new epoch, so that a late write of an earlier attempt is refused from then on.
 */
export async function supersedeEarlier({ store, streams }: RunScope, attempt: Attempt): Promise<void> {
  await Promise.all(
    streams.opened().map(async (stream) => {
      if (stream.onRetry === 'continue') return;
      // A stream that is being created holds nothing yet.
      const known = await store.producer(stream.streamId, stepProducer(attempt.key)).catch(nullIfAbsent);
      if (known && known.epoch < attempt.n) await attempt.supersede(stream);
    }),
  );
}

function nullIfAbsent(error: unknown): null {
  if (isStreamNotFound(error)) return null;
  throw error;
}

/** Completes the retractions that the last attempts of unfinished steps may have left undone. */
export async function supersedeUnfinished(scope: RunScope): Promise<void> {
  const { state, signal } = scope;
  for (const [key, n] of state.attempts) {
    if (n < 2 || state.isFinished(key)) continue;
    await supersedeEarlier(scope, new Attempt({ scope, step: key, key, n, signal }));
  }
}
