import { isStreamError, type Mark, retryStoreCall, type StreamHead, type StreamStore } from '@perennial/core';

import type { Runtime } from '../runs/runtime.ts';
import { JournalState } from './journal-state.ts';
import type { Note } from './notes.ts';

/** A journal that this worker holds. */
export interface HeldJournal {
  readonly token: number;
  readonly state: JournalState;
  readonly head: StreamHead;
}

const PAGE = 1_000;

/**
 * Takes a run over (PROTOCOL.md, "Runs"): raises the journal's token with a nonce, so that no two workers share one, then reads the
 * journal, and makes sure that the token it comes with is still its own.
 *
 * @returns Null when another worker was faster, or the run has ended.
 */
export async function takeOver(
  { store, leaseMs, retry }: Pick<Runtime, 'store' | 'leaseMs' | 'retry'>,
  observed: StreamHead,
  nonce: string,
): Promise<HeldJournal | null> {
  if (observed.end) return null;
  const token = observed.token + 1;
  try {
    const mark = (change: Mark): Promise<StreamHead> =>
      retryStoreCall(`taking over ${observed.id}`, () => store.mark(observed.id, change), retry);
    await mark({ type: 'fence', token, nonce });
    // Also tells observers of the old worker's lease that somebody is at it.
    await mark({ type: 'lease', token, durationMs: leaseMs });
    return await readHeld(store, observed.id, token);
  } catch (error) {
    if (isStreamError(error) && error.code === 'FENCED') return null;
    throw error;
  }
}

async function readHeld(store: StreamStore, journalId: string, token: number): Promise<HeldJournal | null> {
  const state = new JournalState();
  for (let from = 0; ;) {
    const { records, head } = await store.read(journalId, { from, limit: PAGE });
    // Notes of a later owner must not be acted upon.
    if (head.token !== token || head.end) return null;
    for (const record of records) if (record.kind === 'data') state.learn(JSON.parse(String(record.data)) as Note);
    from += records.length;
    if (from >= head.nextPosition) return { token, state, head };
  }
}
