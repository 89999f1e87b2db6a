import { join } from 'node:path';

import { isExpired, type StreamHead } from '@perennial/core';

import { TOUCH_FILE } from './layout.ts';
import type { StoreContext } from './store-context.ts';

/** How much of the ttl may pass before a read is noted on disk: a note per read would make every read a write. */
const TOUCH_SHARE = 1 / 8;

/** When a stream was last used, and whether it has expired. */
export class StreamLife {
  readonly #context: StoreContext;
  readonly #folder: string;
  #touchedAt = 0;
  #notedAt = 0;
  #noting: Promise<void> | null = null;

  constructor(context: StoreContext, folder: string) {
    this.#context = context;
    this.#folder = folder;
  }

  /** Last read or write that is known of, in ms since the Unix epoch. */
  get touchedAt(): number {
    return this.#touchedAt;
  }

  /** True while a use is being noted on disk. */
  get busy(): boolean {
    return this.#noting !== null;
  }

  /** Another stream takes the place. */
  reset(): void {
    this.#touchedAt = 0;
    this.#notedAt = 0;
  }

  /** The disk knows of a use at this time. */
  learn(touchedAt: number): void {
    this.#touchedAt = Math.max(this.#touchedAt, touchedAt);
    this.#notedAt = Math.max(this.#notedAt, touchedAt);
  }

  isExpired(head: StreamHead): boolean {
    return isExpired(head, this.#touchedAt, this.#context.options.now());
  }

  /** The stream is used now. `written`: by a write, whose commit notes the time. */
  touch({ ttlMs }: StreamHead, written: boolean): void {
    if (ttlMs === null) return;
    const now = this.#context.options.now();
    this.#touchedAt = now;
    if (written) this.#notedAt = now;
    if (now - this.#notedAt < ttlMs * TOUCH_SHARE) return;
    this.#notedAt = now;
    this.#noting = this.#note(new Date(now)).finally(() => {
      this.#noting = null;
    });
  }

  /** Resolves once everything is noted. */
  async settled(): Promise<void> {
    await this.#noting;
  }

  async #note(time: Date): Promise<void> {
    await this.#noting;
    // Where the folder cannot be written, reads by this process do not prolong the stream's life.
    await this.#context.fs.utimes(join(this.#folder, TOUCH_FILE), time, time).catch(() => undefined);
  }
}
