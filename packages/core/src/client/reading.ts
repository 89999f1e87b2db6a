import { Retractions } from '../view/views.ts';
import type { Fold, FoldSnapshot } from './fold.ts';
import { createItemsFold } from './items-fold.ts';
import type { ReceivedData, ReceivedRecord } from './received-record.ts';
import { createReduceFold } from './reduce-fold.ts';
import type { AnySessionOptions } from './session-options.ts';
import { validateItem } from './validate-item.ts';

const DEFAULT_MAX_UNDO = 10_000;

/** Where a reading begins. */
export interface ReadingStart<TData> {
  /** Position of the next record; null until the server has said where it begins. */
  readonly position: number | null;
  /** Position at which the data begins; null until known. */
  readonly start: number | null;
  /** Data to go on from. @default none */
  readonly snapshot?: FoldSnapshot<TData> | undefined;
  /** Retractions that are known already: what they retract is never added. @default none */
  readonly retractions?: Retractions;
  /** Incarnation of the stream that is read; null until known. */
  readonly incarnation: string | null;
}

/** What a reading asks and tells while it takes records. */
export interface ReadingSink<TItem> {
  /** False once another reading has taken its place: nothing more is taken. */
  isCurrent(): boolean;
  /** A value was added. */
  onValue(position: number, value: TItem): void;
  /** A retraction reaches further back than can be undone: the data has to be built again. */
  onLost(): void;
}

/** Data under construction: the records of a stream, validated and folded, up to a position. */
export class Reading<TItem, TData> {
  readonly fold: Fold<TItem, TData>;
  readonly #options: () => AnySessionOptions<TItem, TData>;
  /** Retractions met so far. A reading that starts over needs them: it could undo no more than this one. */
  readonly retractions: Retractions;
  /** Incarnation of the stream that is read; null until known. */
  incarnation: string | null;
  #position: number | null;
  #start: number | null;

  /** `options` supplies the options as they are now. */
  constructor(
    options: () => AnySessionOptions<TItem, TData>,
    { position, start, snapshot, retractions, incarnation }: ReadingStart<TData>,
  ) {
    this.#options = options;
    this.#position = position;
    this.#start = start;
    this.incarnation = incarnation;
    this.retractions = retractions ?? new Retractions();
    this.fold = createFold(options, snapshot);
  }

  /** Position of the next record; null until known. */
  get position(): number | null {
    return this.#position;
  }

  /** Position at which the data begins; null until known. */
  get start(): number | null {
    return this.#start;
  }

  /** Takes note of where the server begins, if that was left to it. */
  beginAt(position: number | null): void {
    this.#position ??= position;
    this.#start ??= position;
  }

  /**
   * Takes records in order; those taken before, as after a failure in mid-page, are left out.
   *
   * @returns A promise when the schema is asynchronous.
   * @throws {@link StreamItemError} for a value that does not fit; those before it are taken.
   */
  take(records: readonly ReceivedRecord[], sink: ReadingSink<TItem>, from = 0): void | Promise<void> {
    for (let i = from; i < records.length && sink.isCurrent(); i++) {
      const record = records[i];
      const late = record && this.#takeOne(record, sink);
      if (late) return late.then(() => this.take(records, sink, i + 1));
    }
    return undefined;
  }

  #takeOne(record: ReceivedRecord, sink: ReadingSink<TItem>): void | Promise<void> {
    const { position } = record;
    this.beginAt(position);
    if (position !== this.#position) return undefined;
    if (record.kind === 'supersede') {
      this.retractions.note(record);
      // Not past it: a snapshot of this data has to meet the retraction again.
      if (!this.fold.retract(record.step, record.belowAttempt)) return sink.onLost();
      this.#position = position + 1;
      return undefined;
    }
    if (this.retractions.hides(record)) {
      this.#position = position + 1;
      return undefined;
    }
    const { schema } = this.#options();
    // Without a schema the type of the values is the caller's word.
    if (!schema) return this.#add(record, record.value as TItem, sink);
    const value = validateItem(schema, record.value, position);
    if (value instanceof Promise) return value.then((valid: TItem) => this.#add(record, valid, sink));
    return this.#add(record, value, sink);
  }

  #add({ position, timestamp, step, attempt }: ReceivedData, value: TItem, sink: ReadingSink<TItem>): void {
    if (position !== this.#position || !sink.isCurrent()) return;
    const owner = step === undefined ? {} : { step, attempt: attempt ?? 1 };
    this.fold.add({ value, position, timestamp, ...owner });
    this.#position = position + 1;
    sink.onValue(position, value);
  }
}

function createFold<TItem, TData>(
  options: () => AnySessionOptions<TItem, TData>,
  snapshot: FoldSnapshot<TData> | undefined,
): Fold<TItem, TData> {
  const now = options();
  if (now.reduce) {
    const { initial, maxUndo = DEFAULT_MAX_UNDO, reduce } = now;
    const reducer = (): typeof reduce => options().reduce ?? reduce;
    return createReduceFold<TItem, TData>({ reducer, from: snapshot ?? { data: initial, count: 0 }, maxUndo });
  }
  // Without `reduce`, TData is the array of values: the overloads of `createStreamSession` say so.
  const items = snapshot as unknown as FoldSnapshot<readonly TItem[]> | undefined;
  return createItemsFold<TItem>(now.maxItems ?? Infinity, items) as unknown as Fold<TItem, TData>;
}
