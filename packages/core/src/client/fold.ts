/** What is known of a value besides itself. */
export interface ItemInfo {
  readonly position: number;
  /** Milliseconds since the Unix epoch, by the store's clock. */
  readonly timestamp: number;
}

/** A value on its way into a {@link Fold}. */
export interface FoldEntry<TItem> extends ItemInfo {
  readonly value: TItem;
  readonly step?: string;
  readonly attempt?: number;
}

/** For each step, the lowest attempt whose values are in some data: what a retraction would have to take out again. */
export type StepFloors = Readonly<Record<string, number>>;

/** The state that a restart begins with. */
export interface FoldSnapshot<TData> {
  readonly data: TData;
  /** Values in the data, or that were in it before `maxItems` dropped them. */
  readonly count: number;
  /** Steps that have values in the data. Absent: none. */
  readonly steps?: StepFloors;
}

/** Turns values into data, and takes values out of it again when they are retracted. */
export interface Fold<TItem, TData> {
  /** The same object until something changes. */
  readonly data: TData;
  readonly count: number;
  add(entry: FoldEntry<TItem>): void;
  /**
   * Takes out the values of a step's attempts below `belowAttempt`.
   *
   * @returns False when it cannot: the values came from a snapshot or have been merged for good. The data must be built again.
   */
  retract(step: string, belowAttempt: number): boolean;
  snapshot(): FoldSnapshot<TData>;
}

/** Keeps the lowest attempt per step. */
export class StepFloorMap {
  readonly #floors: Map<string, number>;

  constructor(floors: StepFloors = {}) {
    this.#floors = new Map(Object.entries(floors));
  }

  note(step: string, attempt: number): void {
    this.#floors.set(step, Math.min(attempt, this.#floors.get(step) ?? Infinity));
  }

  /** Notes that no attempt of the step below this is left. */
  raise(step: string, belowAttempt: number): void {
    const floor = this.#floors.get(step);
    if (floor !== undefined && floor < belowAttempt) this.#floors.set(step, belowAttempt);
  }

  /** True when values of the step with an attempt below this were noted. */
  has(step: string, belowAttempt: number): boolean {
    return (this.#floors.get(step) ?? Infinity) < belowAttempt;
  }

  /** Plain data; undefined when there are none. */
  toFloors(): StepFloors | undefined {
    return this.#floors.size === 0 ? undefined : Object.fromEntries(this.#floors);
  }
}
