import type { StreamEnd, StreamFailure } from '@perennial/core';

/** An error as the journal keeps it: a thrown error, or a value that was returned as the error of a `Result`. */
export interface RecordedError {
  readonly failure: StreamFailure;
  /** Fields of an error beside name, code, message and stack. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** An error that is a value and no `Error`. */
  readonly value?: unknown;
  /** Of the failure of a step: the step, its last attempt, and what it failed with. */
  readonly step?: { readonly key: string; readonly n: number; readonly error: RecordedError };
}

/** Where the body stood when it called a step: what a fork of the run keeps. */
export interface CallPoint {
  /** Results that the body had got. */
  readonly results: number;
  /** Sequences that the body had issued, by namespace; namespaces without one are left out. */
  readonly writes: Readonly<Record<string, number>>;
}

/** The first note of a journal. */
export interface StartNote {
  readonly t: 'start';
  readonly v: 1;
  readonly workflow: string;
  /** Nonce of the creator, so that it recognises a creation whose answer was lost. */
  readonly by: string;
  readonly input?: unknown;
  /** The run this one was forked from. */
  readonly fork?: { readonly run: string; readonly step: string };
}

/** A namespace is about to be created. */
export interface OpenNote {
  readonly t: 'open';
  readonly ns: string;
  readonly contentType?: string;
  readonly onRetry?: 'continue';
}

/** An attempt of a step may write from now on. */
export interface AttemptNote {
  readonly t: 'attempt';
  readonly key: string;
  readonly n: number;
  readonly call?: CallPoint;
}

/** A namespace that a step closed. */
export interface CloseNote {
  readonly ns: string;
  readonly end: StreamEnd;
}

/** A step succeeded or gave up; the order of these notes is the order in which the body gets them. */
export interface ResultNote {
  readonly t: 'result';
  readonly key: string;
  readonly n: number;
  readonly ok: boolean;
  /** Absent: undefined. */
  readonly value?: unknown;
  readonly error?: RecordedError;
  readonly closes?: readonly CloseNote[];
  readonly call?: CallPoint;
}

/** A step over items has done all items below `items`. */
export interface ProgressNote {
  readonly t: 'progress';
  readonly key: string;
  readonly items: number;
  /** Position of the source to go on from. */
  readonly at?: number;
}

/** How the run ended. */
export interface SettledNote {
  readonly t: 'settled';
  readonly end: StreamEnd;
  readonly value?: unknown;
  readonly error?: RecordedError;
}

/** A record of a run's journal (PROTOCOL.md, "Runs"). */
export type Note = StartNote | OpenNote | AttemptNote | ResultNote | ProgressNote | SettledNote;
