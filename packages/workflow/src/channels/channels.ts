import {
  type AsyncResult,
  createLeaseObserver,
  err,
  getStreamReader,
  isStreamSuperseded,
  isStreamTimeout,
  ok,
  runJournalId,
  type StreamEnd,
  type StreamReader,
  type StreamReadError,
  type StreamStore,
  type StreamWriteError,
} from '@perennial/core';

import type { RunWriter, WritableOptions } from '../streams/run-writer.ts';

/** Where a run writes: the context of its body or of one of its steps. */
export type ChannelContext =
  | { readonly step: { getWritable<T>(options?: WritableOptions): RunWriter<T> } }
  | { writable<T>(options?: WritableOptions): RunWriter<T> };

/** Names a run to read from: its handle, or its id and store. */
export interface ChannelSource {
  readonly store: StreamStore;
  readonly runId: string;
}

/** What {@link readStream} found. */
export interface StreamContents<T> {
  readonly values: readonly T[];
  /** True once the stream has ended; false when the run lost its worker before, so that more may come. */
  readonly closed: boolean;
  /** How the stream ended. */
  readonly end: StreamEnd | null;
}

/** One turn of {@link readStreamAsync}: a value, an error, or the end. */
export interface StreamTurn<T> {
  readonly value?: T;
  /** Why reading failed, or that values handed out before were taken back. */
  readonly error?: StreamReadError;
  /** The stream has ended; with `end`, how. */
  readonly closed: boolean;
  readonly end?: StreamEnd;
}

/** Options of the readers. */
export interface ReadChannelOptions {
  /** First position wanted. @default 0 */
  readonly startIndex?: number;
  /** Stops reading. */
  readonly signal?: AbortSignal;
}

/** How often the sign of life of a run is looked at while its stream is silent, in ms. */
const LOOK_MS = 1_000;

/** Writes a value to a stream of the run, exactly once. A run may have any number of streams, each named by a key. */
export function writeStream<T>(context: ChannelContext, key: string, value: T): AsyncResult<void, StreamWriteError> {
  return writerOf<T>(context, key).write(value);
}

/** Ends a stream of the run. A stream that its run leaves open ends like the run. */
export function closeStream(context: ChannelContext, key: string): AsyncResult<void, StreamWriteError> {
  return writerOf(context, key).close();
}

/** Reads a stream of a run whole: resolves once it has ended, or when the run is inactive because its worker is lost. */
export async function readStream<T>(
  source: ChannelSource,
  key: string,
  options: ReadChannelOptions = {},
): AsyncResult<StreamContents<T>, StreamReadError> {
  for (;;) {
    const values: T[] = [];
    let isRetracted = false;
    for await (const { value, error, closed, end } of turnsOf<T>(source, key, options)) {
      if (error && isStreamSuperseded(error)) isRetracted = true;
      else if (error) return err(error);
      if (isRetracted) break;
      if (closed) return ok({ values, closed, end: end ?? null });
      values.push(value as T);
    }
    // A step was retried while this was reading: what stands is read again.
    if (!isRetracted) return ok({ values, closed: false, end: null });
  }
}

/** Reads a stream of a run as it is written. Ends with a turn that is `closed`, or with an error. */
export async function* readStreamAsync<T>(
  source: ChannelSource,
  key: string,
  options: ReadChannelOptions = {},
): AsyncGenerator<StreamTurn<T>, void, undefined> {
  for await (const turn of turnsOf<T>(source, key, { ...options, waitsForWorker: true })) yield turn;
}

function writerOf<T>(context: ChannelContext, key: string): RunWriter<T> {
  return 'step' in context ? context.step.getWritable<T>({ namespace: key }) : context.writable<T>({ namespace: key });
}

async function* turnsOf<T>(
  { store, runId }: ChannelSource,
  key: string,
  { waitsForWorker = false, ...options }: ReadChannelOptions & { readonly waitsForWorker?: boolean },
): AsyncGenerator<StreamTurn<T>, void, undefined> {
  const pollTimeout = waitsForWorker ? {} : { pollTimeout: LOOK_MS };
  const reader = getStreamReader<T>({ ...options, ...pollTimeout, store, workflowId: runId, namespace: key });
  const isInactive = inactivityOf(store, runId);
  try {
    for (;;) {
      const turn = await readTurn(reader);
      if (turn === null) {
        if (await isInactive()) return;
        continue;
      }
      yield turn;
      if (turn.closed || (turn.error && !isStreamSuperseded(turn.error))) return;
    }
  } finally {
    await reader.close();
  }
}

/** The next turn; null when nothing came for a while. */
async function readTurn<T>(reader: StreamReader<T>): Promise<StreamTurn<T> | null> {
  const result = await reader.read();
  if (result.ok) return { value: result.value, closed: false };
  const { error } = result;
  if (isStreamTimeout(error)) return null;
  return 'end' in error ? { closed: true, end: error.end } : { error, closed: false };
}

/** Tells whether nobody advances a run. */
function inactivityOf(store: StreamStore, runId: string): () => Promise<boolean> {
  const observer = createLeaseObserver();
  return async () => {
    const head = await store.head(runJournalId(runId));
    return head !== null && head.end === null && (head.lease === null || observer.observe(head).state === 'lapsed');
  };
}
