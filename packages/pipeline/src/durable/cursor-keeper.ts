import type { PipelineClock } from '../clock/clock.ts';
import type { Cursor } from '../stages/link.ts';
import type { FencedLog } from './fenced-log.ts';
import { flatten, type SegmentStates } from './restored.ts';

/** Where a run stood. */
export interface SavedCursor {
  /** States of the stages from the last checkpoint that keeps items, or the source, to the output. */
  readonly s: SegmentStates;
  /** Values handed out, over all runs of this run id. */
  readonly n: number;
}

/** Options of {@link CursorKeeper}. */
export interface CursorKeeperOptions {
  readonly log: FencedLog<SavedCursor>;
  readonly clock: PipelineClock;
  readonly intervalMs: number;
  /** Makes durable what a cursor must not be ahead of: items in logs, values in a sink. */
  readonly flush: () => Promise<void>;
}

/**
 * Saves where the run stands, now and then. A cursor may lag, which costs work done twice; it must never lead, which would lose values.
 * One save is in flight at a time; while it is, cursors are not even taken.
 */
export class CursorKeeper {
  readonly #options: CursorKeeperOptions;
  #savedAt: number;
  #savedOutputs: number;
  #saving: Promise<void> | null = null;
  #failure: { readonly error: unknown } | null = null;

  constructor(options: CursorKeeperOptions, outputs: number) {
    this.#options = options;
    this.#savedAt = options.clock.now();
    this.#savedOutputs = outputs;
  }

  /**
   * Everything handed out so far has been used: a moment at which the run could be saved.
   *
   * @throws What an earlier save failed with.
   */
  offer(cursor: () => Cursor, outputs: number): void {
    if (this.#failure) throw this.#failure.error;
    if (this.#saving || outputs === this.#savedOutputs) return;
    const now = this.#options.clock.now();
    if (now - this.#savedAt < this.#options.intervalMs) return;
    this.#savedAt = now;
    this.#savedOutputs = outputs;
    this.#saving = this.#save({ s: flatten(cursor()), n: outputs }).then(
      () => void (this.#saving = null),
      (error: unknown) => void (this.#failure = { error }),
    );
  }

  /** Notes that the run is complete: further runs of its id have nothing to do. */
  async complete(cursor: () => Cursor, outputs: number): Promise<void> {
    await this.#saving;
    if (this.#failure) throw this.#failure.error;
    await this.#save({ s: flatten(cursor()), n: outputs });
    await this.#options.log.end();
  }

  /** Resolves once no save is in flight. */
  async settle(): Promise<void> {
    await this.#saving;
  }

  async #save(saved: SavedCursor): Promise<void> {
    await this.#options.flush();
    await this.#options.log.append(saved);
    await this.#options.log.flush();
  }
}
