import { StreamError } from '../log/errors.ts';
import type { ReceivedRecord } from './received-record.ts';

/**
 * Follows the positions of what arrives, so that a consumer gets each record once and in order whatever the network repeats, and a hole
 * never goes unnoticed.
 */
export interface RecordCursor {
  /** Position of the next record; null until a start relative to the tail (`now`, the last n) is known. */
  readonly position: number | null;
  /**
   * Takes a page and returns what is new of it.
   *
   * @throws {@link StreamError} `CORRUPT` at a hole; what came before the hole in this page is not taken.
   */
  admit(records: readonly ReceivedRecord[]): readonly ReceivedRecord[];
  /**
   * Takes note of where the server says it stands.
   *
   * @param atTail It says that nothing more is there.
   * @throws {@link StreamError} `CORRUPT` when records before that place are missing, or the stream is shorter than what was read.
   */
  reach(position: number, atTail: boolean): void;
}

/** Creates a cursor. `start`: the first position wanted, or null for wherever the server begins. */
export function createRecordCursor(start: number | null): RecordCursor {
  let next = start;
  return {
    get position() {
      return next;
    },
    admit(records) {
      const first = records[0];
      if (!first) return records;
      const known = next ?? first.position;
      let expected = known;
      for (const { position } of records) {
        if (position > expected) throw hole(expected, position);
        if (position === expected) expected++;
      }
      next = expected;
      return records.length === expected - known ? records : records.filter(newFrom(known));
    },
    reach(position, atTail) {
      if (next === null) next = position;
      else if (position > next) throw hole(next, position);
      // A response that begins before our position passes through earlier ones.
      else if (atTail && position < next)
        throw new StreamError(
          'CORRUPT',
          `The stream reaches position ${position} only, though ${next} records were read from it.`,
        );
    },
  };
}

/** Lets each position from `known` on pass once; needed only where a page repeats positions. */
function newFrom(known: number): (record: ReceivedRecord) => boolean {
  let expected = known;
  return ({ position }) => position === expected && expected++ >= 0;
}

function hole(expected: number, found: number): StreamError<'CORRUPT'> {
  return new StreamError(
    'CORRUPT',
    `The records from position ${expected} to ${found - 1} are missing from what the server sent. They are read again.`,
  );
}
