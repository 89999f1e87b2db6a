import type { StreamError, StreamHead } from '@perennial/core';

import { CommitQueue } from './commit-queue.ts';
import type { LogFiles } from './log-files.ts';
import type { OwnedLog } from './log-loader.ts';
import { writeSnapshot } from './log-snapshot.ts';
import { cloneState, type DurableLog } from './log-state.ts';
import { PositionIndex } from './position-index.ts';
import type { StoreContext } from './store-context.ts';

/** Growth of a log after which a new snapshot is written, and the share of the log where that is more: opening then reads so much. */
const SNAPSHOT_BYTES = 1_048_576;
const SNAPSHOT_SHARE = 1 / 16;
/** Less is faster read again than a snapshot is written. */
const CLOSING_SNAPSHOT_BYTES = 65_536;

/** A stream that this process writes. */
export class OwnedStream {
  readonly kind = 'owned';
  readonly log: DurableLog;
  readonly files: LogFiles;
  readonly queue: CommitQueue;
  readonly #context: StoreContext;
  #snapshot: Promise<void> | null = null;

  constructor(context: StoreContext, { log, files, claim }: OwnedLog, onCommit: (head: StreamHead) => void) {
    const { lock, pending, options } = context;
    this.#context = context;
    this.log = log;
    this.files = files;
    this.queue = new CommitQueue({
      log,
      files,
      generation: claim.generation,
      sync: options.durability === 'disk',
      pending,
      maxAppendBytes: options.maxAppendBytes,
      now: options.now,
      confirm: () => lock.check(claim),
      onCommit: (head) => {
        if (log.bytes - log.snapshotBytes >= SNAPSHOT_BYTES) this.#maybeSnapshot();
        onCommit(head);
      },
    });
  }

  /** Answers what was accepted, refuses the rest with `reason`, and closes the files. */
  async close(reason: StreamError): Promise<void> {
    await this.queue.close(reason);
    await this.#snapshot;
    const { log } = this;
    if (log.bytes - log.snapshotBytes >= CLOSING_SNAPSHOT_BYTES && !log.damage) await this.#writeSnapshot();
    log.cache.close();
    log.pages.close();
    await this.files.close();
  }

  /** Lets go at once: another process owns the stream now. */
  abandon(reason: StreamError): void {
    this.queue.abort(reason);
    this.log.cache.close();
    this.log.pages.close();
    void this.files.close().catch(() => undefined);
  }

  #maybeSnapshot(): void {
    const { log } = this;
    if (this.#snapshot || log.bytes - log.snapshotBytes < log.bytes * SNAPSHOT_SHARE) return;
    this.#snapshot = this.#writeSnapshot().finally(() => {
      this.#snapshot = null;
    });
  }

  async #writeSnapshot(): Promise<void> {
    const { log, files } = this;
    const { fs, options } = this.#context;
    const { bytes } = log;
    let covered = { bytes, state: log.state, index: log.index };
    try {
      if (options.durability === 'os') {
        covered = { bytes, state: cloneState(log.state), index: PositionIndex.from(log.index.toData()) };
        await files.sync();
        this.queue.noteSynced(bytes);
      }
      log.snapshotBytes = bytes;
      await writeSnapshot(fs, files.paths.index, covered);
    } catch {
      // Nothing depends on it: opening the stream takes longer.
    }
  }
}
