import { type Fold, type FoldEntry, type FoldSnapshot, type ItemInfo, StepFloorMap } from './fold.ts';
import { StreamItemError } from './stream-item-error.ts';

/** Adds a value to the data. Must not change the data it is given: earlier states are kept to undo retracted values. */
export type Reducer<TItem, TData> = (data: TData, item: TItem, info: ItemInfo) => TData;

/** Options of {@link createReduceFold}. */
export interface ReduceFoldOptions<TItem, TData> {
  /** Supplies the reducer as it is now. */
  readonly reducer: () => Reducer<TItem, TData>;
  readonly from: FoldSnapshot<TData>;
  /** Values kept so that they can be taken out again. */
  readonly maxUndo: number;
}

/**
 * Reduces values to data. From the first value of a step on, values are kept, so that a retraction can be carried out by reducing again
 * what stays; a stream without steps keeps nothing.
 */
export function createReduceFold<TItem, TData>(options: ReduceFoldOptions<TItem, TData>): Fold<TItem, TData> {
  return new ReduceFold(options);
}

class ReduceFold<TItem, TData> implements Fold<TItem, TData> {
  readonly #options: ReduceFoldOptions<TItem, TData>;
  /** The data without the kept entries. */
  #base: TData;
  /** Steps that have values in the base, out of which they cannot be taken again. */
  readonly #merged: StepFloorMap;
  /** All steps that have values in the data. */
  readonly #steps: StepFloorMap;
  /** Values on top of the base, in order. */
  #entries: FoldEntry<TItem>[] = [];
  #data: TData;
  #count: number;

  constructor(options: ReduceFoldOptions<TItem, TData>) {
    this.#options = options;
    this.#base = options.from.data;
    this.#data = options.from.data;
    this.#count = options.from.count;
    this.#merged = new StepFloorMap(options.from.steps);
    this.#steps = new StepFloorMap(options.from.steps);
  }

  get data(): TData {
    return this.#data;
  }

  get count(): number {
    return this.#count;
  }

  add(entry: FoldEntry<TItem>): void {
    this.#data = this.#reduce(this.#data, entry);
    this.#count++;
    if (entry.step === undefined && this.#entries.length === 0) {
      this.#base = this.#data;
      return;
    }
    this.#entries.push(entry);
    if (entry.step !== undefined) this.#steps.note(entry.step, entry.attempt ?? 1);
    if (this.#entries.length > this.#options.maxUndo) this.#mergeOldest();
  }

  retract(step: string, belowAttempt: number): boolean {
    if (this.#merged.has(step, belowAttempt)) return false;
    if (!this.#steps.has(step, belowAttempt)) return true;
    this.#steps.raise(step, belowAttempt);
    const staying = this.#entries.filter((entry) => entry.step !== step || (entry.attempt ?? 1) >= belowAttempt);
    this.#count -= this.#entries.length - staying.length;
    this.#entries = staying;
    this.#data = staying.reduce((data, entry) => this.#reduce(data, entry), this.#base);
    return true;
  }

  snapshot(): FoldSnapshot<TData> {
    const steps = this.#steps.toFloors();
    return { data: this.#data, count: this.#count, ...(steps && { steps }) };
  }

  /** Makes the older half permanent; half, so that the cost per value stays constant. */
  #mergeOldest(): void {
    const merged = this.#entries.splice(0, Math.ceil(this.#entries.length / 2));
    for (const entry of merged) {
      this.#base = this.#reduce(this.#base, entry);
      if (entry.step !== undefined) this.#merged.note(entry.step, entry.attempt ?? 1);
    }
  }

  #reduce(data: TData, { value, position, timestamp }: FoldEntry<TItem>): TData {
    try {
      return this.#options.reducer()(data, value, { position, timestamp });
    } catch (cause) {
      throw new StreamItemError(
        position,
        `made \`reduce\` throw: ${cause instanceof Error ? cause.message : String(cause)}`,
        { cause },
      );
    }
  }
}
