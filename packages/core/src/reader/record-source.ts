import type { StreamEnd } from '../log/end.ts';
import type { SupersedeRecord } from '../log/record.ts';

/** What the reader needs to know of a value's record. */
export interface SourceRecord {
  readonly kind: 'data';
  readonly position: number;
  readonly step?: string;
  readonly attempt?: number;
}

/** What a source has at a position. */
export interface SourcePage<R extends SourceRecord> {
  /** In order and dense; empty at the tail. */
  readonly records: readonly (R | SupersedeRecord)[];
  /** How the stream ended, if it has. */
  readonly end: StreamEnd | null;
  /** Position after the stream's last record, with `end`. */
  readonly tail: number;
}

/** Where a reader gets its records: a store, or a connection to one. */
export interface RecordSource<R extends SourceRecord> {
  /** The records from a position on; returns at once at the tail. */
  read(from: number): Promise<SourcePage<R>>;
  /** Waits until there is more at a position, the stream has ended, or the time is over. */
  wait(position: number, options: { readonly signal: AbortSignal; readonly timeoutMs: number }): Promise<unknown>;
  /** The value of a record; throws for one that is damaged. */
  decode(record: R): unknown;
  /** Is called once, when the reader is closed or aborted. */
  close?(): void;
}
