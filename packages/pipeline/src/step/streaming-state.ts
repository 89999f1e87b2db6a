/** Marks the array of a checkpoint, so that its items are known as such. */
export const SNAPSHOT: unique symbol = Symbol('checkpoint');

/** What `state.accumulated` holds for a checkpoint: the items that passed it. */
export type Snapshot<T> = readonly T[] & { readonly [SNAPSHOT]: true };

/** The values behind a key of the state: a checkpoint's items, or what the step emitted. */
export type StateItem<TValue> = TValue extends Snapshot<infer TItem> ? TItem : TValue;

/** Adds a step's key to the state of a pipeline. A key that is only known as `string` cannot be. */
export type AddToState<TState, TKey extends string, TValue> = string extends TKey
  ? TState
  : TState & Record<TKey, TValue>;

/** `never` for a key that is taken, which makes its use a compile error. */
export type ValidateNewKey<TState, TKey extends string> = TKey extends keyof TState ? never : TKey;

/** What a step can see of the steps before it. Nothing is kept for it beyond one value per step, unless somebody asks. */
export interface StreamingState<TAccumulated> {
  /**
   * For each earlier step, the value it emitted last, `undefined` before the first one. For a checkpoint, its items: one array, which is
   * there from the beginning, fills as the items pass, and with a barrier is whole before the first item gets here.
   */
  readonly accumulated: TAccumulated;
  /**
   * The values of an earlier step, from its first one on. They are recorded from this call on, so it has to come before the step's first
   * value; later it needs a checkpoint, or `retain` on that step. Reading it pulls the pipeline where necessary.
   *
   * Iteration throws a {@link CheckpointOverflow} once more values wait than `retainLimit` of the pipeline allows.
   *
   * @throws {@link StateNotRetained} where values were emitted and not kept.
   */
  stream<K extends keyof TAccumulated>(key: K): AsyncGenerator<StateItem<TAccumulated[K]>, undefined, undefined>;
  /** All values of an earlier step as an array, under the conditions of {@link StreamingState.stream}. Runs the steps before this one to their end. */
  materialize<K extends keyof TAccumulated>(key: K): Promise<StateItem<TAccumulated[K]>[]>;
  /** True once `accumulated[key]` holds something. */
  hasSnapshot(key: keyof TAccumulated): boolean;
}
