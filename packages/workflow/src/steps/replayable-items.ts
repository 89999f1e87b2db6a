import { PULL } from '@perennial/core';

import { WorkflowError } from '../errors.ts';

/** A source of items. A reader of a run is gone on with at the position of the last checkpoint; of others, what was done is skipped. */
export type ItemSource<T> = AsyncIterable<T> | Iterable<T>;

interface Checkpoint {
  readonly items: number;
  /** Position of the source behind these items. */
  readonly at?: number;
}

/** The items of a source, as often as a step is repeated. */
export class ReplayableItems<T> {
  readonly #source: ItemSource<T>;
  #isUsed = false;

  constructor(source: ItemSource<T>) {
    this.#source = source;
  }

  /** Position of a source that has one. */
  get position(): number | undefined {
    const source: object = this.#source;
    return 'position' in source && typeof source.position === 'number' ? source.position : undefined;
  }

  /**
   * The items behind a checkpoint.
   *
   * @throws {@link WorkflowError} `NONDETERMINISTIC` when a source that can be read only once would have to be read again.
   */
  async *after(checkpoint: Checkpoint | undefined): AsyncGenerator<T, void, undefined> {
    let skip = checkpoint?.items ?? 0;
    if (isSeekable(this.#source)) {
      if (checkpoint?.at !== undefined || this.#isUsed) this.#source.seek(checkpoint?.at ?? null);
      if (checkpoint?.at !== undefined) skip = 0;
    } else if (this.#isUsed && !rewind(this.#source)) {
      const message =
        'The source of items can be read only once, so its step cannot be repeated. Pass a reader or an array.';
      throw new WorkflowError('NONDETERMINISTIC', message);
    }
    this.#isUsed = true;
    for await (const item of this.#source) {
      if (skip > 0) skip--;
      else yield item;
    }
    if (skip === 0) return;
    const message = `The source ended ${skip} items before the last checkpoint; it has to give the same items each time.`;
    throw new WorkflowError('NONDETERMINISTIC', message);
  }
}

interface Seekable {
  /** Goes on at a position; null: where it began. */
  seek(position: number | null): void;
}

function isSeekable(source: object): source is Seekable {
  return 'seek' in source && typeof source.seek === 'function';
}

/** True when the next iteration begins from the start. */
function rewind(source: ItemSource<unknown>): boolean {
  if (PULL in source) {
    const pull = (source as { [PULL](): unknown })[PULL]();
    return (
      typeof pull === 'object' &&
      pull !== null &&
      'rewind' in pull &&
      typeof pull.rewind === 'function' &&
      pull.rewind() === true
    );
  }
  // Generators are their own iterators: the second iteration would go on where the first stopped.
  if (Symbol.asyncIterator in source) return (source as object) !== source[Symbol.asyncIterator]();
  return (source as object) !== source[Symbol.iterator]();
}
