import { answer, END, type Pull, type Receiver, WAIT } from '@perennial/core/engine';

import type { StepRuntime } from '../run/step-runtime.ts';
import type { Cursor, Link } from '../stages/link.ts';
import type { FencedLog } from './fenced-log.ts';
import { flatten, type SegmentStates } from './restored.ts';

/** An item that passed a checkpoint, as its log keeps it. */
export interface SavedItem {
  readonly v: unknown;
  /** States of the stages before the checkpoint, once it had passed. */
  readonly s: SegmentStates;
}

/** Options of {@link createLogLink}. */
export interface LogLinkOptions {
  readonly step: StepRuntime;
  readonly upstream: Link;
  readonly log: FencedLog<SavedItem>;
  /** Items found in the log. */
  readonly saved: readonly unknown[];
}

/** Puts items into a log on their way, after those that are in it already. What is behind can then start without what is before. */
export function createLogLink(options: LogLinkOptions): Link {
  return { pull: new LogPull(options), cursor: (): Cursor => ({ up: null, state: [] }) };
}

class LogPull implements Pull<unknown>, Receiver<unknown> {
  readonly #options: LogLinkOptions;
  #next = 0;
  #ended: boolean;
  #receiver: Receiver<unknown> | null = null;

  constructor(options: LogLinkOptions) {
    this.#options = options;
    this.#ended = options.log.ended;
  }

  next(receiver: Receiver<unknown>): unknown {
    const { saved, upstream } = this.#options;
    if (this.#next < saved.length) return saved[this.#next++];
    if (this.#ended) return END;
    this.#receiver = receiver;
    const item = upstream.pull.next(this);
    if (item === END) this.onEnd();
    else if (item !== WAIT) this.onValue(item);
    return WAIT;
  }

  async close(): Promise<void> {
    this.#receiver = null;
    await this.#options.upstream.pull.close();
  }

  rewind(): boolean {
    return false;
  }

  onValue(item: unknown): void {
    const { log, upstream } = this.#options;
    if (!this.#receiver) return;
    this.#after(log.append({ v: item, s: flatten(upstream.cursor()) }), () => item);
  }

  onEnd(): void {
    // A source that is closed may end by it; that is not the end of the items.
    if (!this.#receiver) return;
    this.#ended = true;
    this.#after(this.#options.log.end(), () => END);
  }

  onError(error: unknown): void {
    this.#receiver?.onError(error);
  }

  #after(logged: Promise<void>, next: () => unknown): void {
    const receiver = this.#receiver;
    if (!receiver) return;
    logged.then(
      () => answer(receiver, next),
      (cause: unknown) => receiver.onError(this.#options.step.fatal(this.#options.step.error(cause))),
    );
  }
}
