import type { CallPoint, Note, OpenNote, ProgressNote, ResultNote, SettledNote, StartNote } from './notes.ts';
import { parsePartKey } from './part-key.ts';

/** What the notes of a journal say: read at a takeover, kept current while the run is advanced. */
export class JournalState {
  start: StartNote | null = null;
  settled: SettledNote | null = null;
  /** Namespaces that were opened, in order. */
  readonly opened: Map<string, OpenNote> = new Map();
  /** Highest attempt that may have written, by step. */
  readonly attempts: Map<string, number> = new Map();
  /** Where the body called the steps that may have written. */
  readonly calls: Map<string, CallPoint> = new Map();
  /** Results in the order in which the body gets them. */
  readonly results: ResultNote[] = [];
  readonly progress: Map<string, ProgressNote> = new Map();
  readonly #resultOf = new Map<string, ResultNote>();

  /** The recorded result of a step. */
  result(key: string): ResultNote | undefined {
    return this.#resultOf.get(key);
  }

  /** True for a step, or a part of one, whose attempts are all behind it. */
  isFinished(key: string): boolean {
    const part = parsePartKey(key);
    if (!part) return this.#resultOf.has(key);
    // By its first item: the last part of a source may be shorter than its key says.
    return this.#resultOf.has(part.step) || part.from < (this.progress.get(part.step)?.items ?? 0);
  }

  /** Takes note of a record that is durable. */
  learn(note: Note): void {
    switch (note.t) {
      case 'start':
        this.start = note;
        return;
      case 'open':
        this.opened.set(note.ns, note);
        return;
      case 'attempt':
        this.attempts.set(note.key, Math.max(note.n, this.attempts.get(note.key) ?? 0));
        if (note.call) this.calls.set(note.key, note.call);
        return;
      case 'result':
        this.results.push(note);
        this.#resultOf.set(note.key, note);
        if (note.call) this.calls.set(note.key, note.call);
        return;
      case 'progress':
        this.progress.set(note.key, note);
        return;
      case 'settled':
        this.settled = note;
    }
  }
}
