import type { DataRecord, StreamRecord, SupersedeRecord } from '../log/record.ts';

/** Which retractions are in force: for each step, data below this attempt is no longer part of the live view. */
export class Retractions {
  readonly #below = new Map<string, number>();

  /** Takes note of a record; true when it is a supersede record that retracts more than was known. */
  note(record: SupersedeRecord | { readonly kind: 'data' }): boolean {
    if (record.kind !== 'supersede') return false;
    if ((this.#below.get(record.step) ?? 0) >= record.belowAttempt) return false;
    this.#below.set(record.step, record.belowAttempt);
    return true;
  }

  /** True for data that a noted record retracts. */
  hides(record: Pick<DataRecord, 'step' | 'attempt'>): boolean {
    return (
      record.step !== undefined && this.#below.size > 0 && (record.attempt ?? 1) < (this.#below.get(record.step) ?? 0)
    );
  }
}

/** The live view of a whole log: the data that no supersede record retracts (PROTOCOL.md, "Views"). */
export function liveView(records: Iterable<StreamRecord>): DataRecord[] {
  const retractions = new Retractions();
  const list = [...records];
  for (const record of list) retractions.note(record);
  return list.filter((record): record is DataRecord => record.kind === 'data' && !retractions.hides(record));
}

/** The committed view of a whole log: data written outside steps, and data of the attempt with which its step succeeded. */
export function committedView(
  records: Iterable<StreamRecord>,
  isCommitted: (step: string, attempt: number) => boolean,
): DataRecord[] {
  return [...records].filter(
    (record): record is DataRecord =>
      record.kind === 'data' && (record.step === undefined || isCommitted(record.step, record.attempt ?? 1)),
  );
}
