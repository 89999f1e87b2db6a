import { runJournalId, type AppendRequest, type AppendSegment, type Mark } from '@perennial/core';

/** What a worker is about to do, or has just done, when it dies. The order is that of the printed table. */
export const BOUNDARIES = [
  'creation of the journal',
  'entry in the index of open runs',
  'note: stream opened',
  'creation of a stream',
  'write of the body',
  'note: attempt begins',
  'write of a step',
  'retraction',
  'wait before a retry',
  'note: progress',
  'note: result',
  'close of a stream',
  'note: outcome',
  'end of a stream with its run',
  'end of the journal',
  'removal from the index',
  'takeover: token raised',
  'takeover: journal read',
  'takeover: stream fenced',
] as const;

/** One of {@link BOUNDARIES}. */
export type Boundary = (typeof BOUNDARIES)[number];

const NOTES: Readonly<Record<string, Boundary[]>> = {
  open: ['note: stream opened'],
  attempt: ['note: attempt begins'],
  progress: ['note: progress'],
  result: ['note: result'],
  settled: ['note: outcome'],
};

/** Tells the boundaries of one run's store calls apart. None: a call that changes nothing of the run, or comes when it likes. */
export class BoundaryMap {
  readonly #journalId: string;
  /** From the takeover on, a creation fences a stream that an earlier worker opened. */
  readonly #isTakeover: () => boolean;

  constructor(runId: string, isTakeover: () => boolean) {
    this.#journalId = runJournalId(runId);
    this.#isTakeover = isTakeover;
  }

  create(id: string): Boundary[] {
    if (id === this.#journalId) return ['creation of the journal'];
    if (id.startsWith('$open-runs/')) return ['entry in the index of open runs'];
    return [this.#isTakeover() ? 'takeover: stream fenced' : 'creation of a stream'];
  }

  /** What goes out in one append is at all its boundaries at once. */
  append(id: string, { segments }: AppendRequest): Boundary[] {
    const isJournal = id === this.#journalId;
    return [...new Set(segments.flatMap((segment) => (isJournal ? notesOf(segment) : writesOf(segment))))];
  }

  mark({ type }: Mark): Boundary[] {
    return type === 'fence' ? ['takeover: token raised'] : [];
  }

  read(id: string): Boundary[] {
    return id === this.#journalId && this.#isTakeover() ? ['takeover: journal read'] : [];
  }
}

function notesOf({ records, end }: AppendSegment): Boundary[] {
  const notes = records.flatMap((record): Boundary[] => {
    if (record.kind === 'supersede') return [];
    const { t } = JSON.parse(String(record.data)) as { readonly t: string };
    return NOTES[t] ?? [];
  });
  return end ? [...notes, 'end of the journal'] : notes;
}

function writesOf({ records, end, producer }: AppendSegment): Boundary[] {
  const write = producer?.id.startsWith('step:') ? 'write of a step' : 'write of the body';
  const written = records.map(({ kind }): Boundary => (kind === 'supersede' ? 'retraction' : write));
  if (!end) return written;
  return [...written, producer?.id.startsWith('run:') ? 'end of a stream with its run' : 'close of a stream'];
}
