import { invalid, quote } from '../errors.ts';

/** Where a consumer of a job is. */
export interface Cursor {
  /** Next position to read. */
  readonly position: number;
  /** The attempt whose data the consumer has, and how many of them. */
  readonly attempt: number;
  readonly count: number;
}

const PATTERN = /^(\d{1,15})\.(\d{1,15})\.(\d{1,15})$/;

/** A cursor as clients carry it. */
export function formatCursor({ position, attempt, count }: Cursor): string {
  return `${position}.${attempt}.${count}`;
}

/** Absent: the beginning. @throws `INVALID_ARGUMENT` for what {@link formatCursor} did not make. */
export function parseCursor(text: string | undefined): Cursor {
  if (text === undefined) return { position: 0, attempt: 0, count: 0 };
  const [, position, attempt, count] = PATTERN.exec(text) ?? [];
  if (position === undefined)
    throw invalid(`\`cursor\` must be one that came with a chunk, such as "12.1.9"; got ${quote(text)}.`);
  return { position: Number(position), attempt: Number(attempt), count: Number(count) };
}
