/**
 * Reads of a stream that its run has not opened yet (PROTOCOL.md, "Runs"): they wait for it like readers on the store do, and end as the run
 * does when it ends without having opened it.
 */
import { isStreamNotFound } from '../log/errors.ts';
import type { StreamHead } from '../log/head.ts';
import type { StreamStore } from '../log/store.ts';
import { journalIdOf } from '../log/stream-id.ts';
import { createLeaseObserver } from '../reader/lease-observer.ts';
import { endLost } from '../reader/lost-producer.ts';
import type { StreamState } from './state.ts';

/** What became of the wait. */
export type Opening =
  | { readonly kind: 'opened' }
  /** The run ended without the stream. */
  | { readonly kind: 'ended'; readonly state: StreamState }
  /** The run was deleted. */
  | { readonly kind: 'gone' };

/** Longest pause between two looks: the journal tells of a stream a moment before it exists, and nobody is told of renewed leases. */
const TICK_MS = 1_000;
const FIRST_TICK_MS = 5;

/** Watches for a stream that its run may still open. */
export interface OpeningWatch {
  /** What is known of the stream: it is empty, and open unless its run has ended. */
  readonly state: StreamState;
  /** Resolves when the stream is there, or will not be; tells of each look meanwhile. Rejects when the signal fires. */
  follow(signal: AbortSignal, onLook: (state: StreamState) => void): Promise<Opening>;
}

/** Begins to watch for a stream that was not found; null when no run can open it. */
export async function watchOpening(store: StreamStore, streamId: string, error: unknown): Promise<OpeningWatch | null> {
  const journalId = isStreamNotFound(error) ? journalIdOf(streamId) : null;
  const journal = journalId === null ? null : await store.head(journalId);
  return journal && new Watch(store, streamId, journal);
}

class Watch implements OpeningWatch {
  readonly #store: StreamStore;
  readonly #streamId: string;
  readonly #lease = createLeaseObserver();
  #journal: StreamHead;
  #tickMs = FIRST_TICK_MS;

  constructor(store: StreamStore, streamId: string, journal: StreamHead) {
    this.#store = store;
    this.#streamId = streamId;
    this.#journal = journal;
  }

  get state(): StreamState {
    const { end, cancel, id: owner } = this.#journal;
    const stalled = !end && this.#lease.observe(this.#journal).state === 'lapsed';
    const head = { ...this.#journal, id: this.#streamId, owner, firstPosition: 0, nextPosition: 0, end, cancel };
    return { head, stalled };
  }

  async follow(signal: AbortSignal, onLook: (state: StreamState) => void): Promise<Opening> {
    for (;;) {
      const { id, nextPosition, end, cancel } = this.#journal;
      // Whoever ends a run ends its streams first, so one that exists by now has an end of its own.
      if (await this.#store.head(this.#streamId)) return { kind: 'opened' };
      const { state } = this;
      if (end) return { kind: 'ended', state };
      onLook(state);
      // If nobody else can go on with the run, its end is found at the next look.
      if (state.stalled) await endLost(this.#store, this.#journal, this.#journal).catch(() => false);
      const timeoutMs = Math.min(this.#tickMs, TICK_MS);
      await this.#store.wait(id, { position: nextPosition, cancel: cancel === null, signal, timeoutMs });
      const journal = await this.#store.head(id);
      if (!journal) return { kind: 'gone' };
      this.#tickMs = journal.nextPosition === nextPosition ? this.#tickMs * 2 : FIRST_TICK_MS;
      this.#journal = journal;
    }
  }
}
