import {
  AppendQueue,
  encodeJson,
  type RetryPolicy,
  type StreamEnd,
  StreamError,
  type StreamStore,
} from '@perennial/core';

import { LaneWriter } from '../streams/lane-writer.ts';
import type { JournalState } from './journal-state.ts';
import type { Note } from './notes.ts';

/** Options of {@link Journal}. */
export interface JournalOptions {
  readonly store: StreamStore;
  readonly journalId: string;
  readonly token: number;
  /** Names this worker as a producer: it repeats its own notes without storing them twice. */
  readonly nonce: string;
  readonly state: JournalState;
  readonly retry?: RetryPolicy;
  /** The journal takes no more notes from this worker. */
  readonly onBroken: (error: StreamError) => void;
}

/** Notes that may wait for the store; those behind wait for room. */
const HIGH_WATER_MARK = 1_024;
const HIGH_WATER_MARK_BYTES = 4_194_304;

/** The worker's side of a run's journal: durable notes, learnt in the order in which they are stored. */
export class Journal {
  readonly #queue: AppendQueue;
  readonly #lane: LaneWriter;
  readonly #state: JournalState;
  /** Notes are learnt in this order, whichever of the waiting callers runs first. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor({ store, journalId, token, nonce, state, retry, onBroken }: JournalOptions) {
    this.#state = state;
    this.#queue = new AppendQueue({
      store,
      streamId: journalId,
      token,
      highWaterMark: HIGH_WATER_MARK,
      highWaterMarkBytes: HIGH_WATER_MARK_BYTES,
      open: async () => {
        const head = await store.head(journalId);
        if (!head) throw new StreamError('NOT_FOUND', `Journal ${journalId} was deleted.`);
        return head;
      },
      onBroken,
      ...(retry && { retry }),
    });
    this.#lane = new LaneWriter({ queue: this.#queue, lane: this.#queue.lane(`run:${nonce}`, 0) });
  }

  /**
   * Resolves once the note is durable and learnt. A store that does not answer is asked until it does.
   *
   * @throws The {@link StreamError} that ended this worker's hold of the run.
   */
  note(note: Note): Promise<void> {
    const pushed = this.#push({ data: encodeJson(note) }, null);
    const learnt = Promise.all([pushed, this.#tail.catch(() => undefined)]).then(() => this.#state.learn(note));
    this.#tail = learnt;
    return learnt;
  }

  /** Resolves once the notes made so far are learnt, or refused. */
  async drained(): Promise<void> {
    await this.#tail.catch(() => undefined);
  }

  /** Ends the journal. */
  end(end: StreamEnd): Promise<void> {
    return this.#push(null, end);
  }

  async #push(record: { readonly data: string } | null, end: StreamEnd | null): Promise<void> {
    const failure = (await this.#lane.push(record, end)) ?? (await this.#lane.flush());
    if (failure) throw failure;
  }

  /** Stops waiting for the store: this worker has lost the run. */
  break(error: StreamError): void {
    this.#queue.break(error);
  }
}
