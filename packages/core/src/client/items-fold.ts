import { type Fold, type FoldEntry, type FoldSnapshot, StepFloorMap } from './fold.ts';

/** Which step and attempt a value belongs to. */
interface Owner {
  readonly step: string;
  readonly attempt: number;
}

/**
 * Collects values into an array, at most the last `maxItems`. The array is copied once per look at it, not once per value.
 *
 * @param maxItems Values kept; older ones are dropped, and still counted.
 */
export function createItemsFold<T>(maxItems: number, from?: FoldSnapshot<readonly T[]>): Fold<T, readonly T[]> {
  return new ItemsFold(maxItems, from);
}

class ItemsFold<T> implements Fold<T, readonly T[]> {
  readonly #maxItems: number;
  #values: T[];
  /** Owner of each value, by index; undefined for values outside steps. */
  #owners: (Owner | undefined)[];
  /** Steps whose values came with the snapshot: which of them is not known any more. */
  readonly #restored: StepFloorMap;
  /** All steps that have, or had, values here; kept as they come, because a snapshot is taken with each frame. */
  readonly #steps: StepFloorMap;
  /** Values of steps that `maxItems` dropped, to keep the count right when they are retracted. */
  readonly #dropped = new Map<string, Map<number, number>>();
  #count: number;
  /** The copy that was handed out; null since the last change. */
  #data: readonly T[] | null = null;

  constructor(maxItems: number, from: FoldSnapshot<readonly T[]> = { data: [], count: 0 }) {
    this.#maxItems = maxItems;
    this.#values = [...from.data];
    this.#owners = Array.from({ length: from.data.length });
    this.#restored = new StepFloorMap(from.steps);
    this.#steps = new StepFloorMap(from.steps);
    this.#count = from.count;
    this.#trim(maxItems);
  }

  get data(): readonly T[] {
    if (!this.#data) {
      this.#trim(this.#maxItems);
      this.#data = this.#values.slice();
    }
    return this.#data;
  }

  get count(): number {
    return this.#count;
  }

  add({ value, step, attempt = 1 }: FoldEntry<T>): void {
    this.#values.push(value);
    this.#owners.push(step === undefined ? undefined : { step, attempt });
    if (step !== undefined) this.#steps.note(step, attempt);
    this.#count++;
    this.#data = null;
    // In bulk: one at a time would move the whole array for each value.
    this.#trim(this.#maxItems * 2);
  }

  retract(step: string, belowAttempt: number): boolean {
    if (this.#restored.has(step, belowAttempt)) return false;
    if (!this.#steps.has(step, belowAttempt)) return true;
    this.#steps.raise(step, belowAttempt);
    const stays = (index: number): boolean => {
      const owner = this.#owners[index];
      return owner?.step !== step || owner.attempt >= belowAttempt;
    };
    const values = this.#values.filter((_, index) => stays(index));
    this.#count -= this.#values.length - values.length + this.#forgetDropped(step, belowAttempt);
    this.#owners = this.#owners.filter((_, index) => stays(index));
    this.#values = values;
    this.#data = null;
    return true;
  }

  snapshot(): FoldSnapshot<readonly T[]> {
    const steps = this.#steps.toFloors();
    return { data: this.data, count: this.#count, ...(steps && { steps }) };
  }

  #trim(limit: number): void {
    const excess = this.#values.length - this.#maxItems;
    if (excess <= 0 || this.#values.length <= limit) return;
    for (const owner of this.#owners.slice(0, excess)) if (owner) this.#noteDropped(owner);
    this.#values = this.#values.slice(excess);
    this.#owners = this.#owners.slice(excess);
  }

  #noteDropped({ step, attempt }: Owner): void {
    const attempts = this.#dropped.get(step) ?? new Map<number, number>();
    attempts.set(attempt, (attempts.get(attempt) ?? 0) + 1);
    this.#dropped.set(step, attempts);
  }

  #forgetDropped(step: string, belowAttempt: number): number {
    let forgotten = 0;
    const attempts = this.#dropped.get(step);
    for (const [attempt, count] of attempts ?? []) {
      if (attempt >= belowAttempt) continue;
      forgotten += count;
      attempts?.delete(attempt);
    }
    return forgotten;
  }
}
