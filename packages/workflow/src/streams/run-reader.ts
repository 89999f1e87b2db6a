import type {
  AsyncResult,
  DataRecord,
  Pull,
  StreamEnd,
  StreamError,
  StreamReader,
  StreamReadError,
  StreamRecord,
} from '@perennial/core';
import { PULL, runStreamId, StreamTimeoutError } from '@perennial/core';
import { createRecordReader, createStoreSource, type RecordSource, type SourcePage } from '@perennial/core/engine';

import { recordError, restoreError } from '../journal/recorded.ts';
import type { RunExecution } from '../runs/run-execution.ts';

/** Options of `getReadable`. */
export interface ReadableOptions {
  /** Named stream of the run. @default 'default' */
  readonly namespace?: string;
  /** Run to read from. @default the run itself; see `getReadable` */
  readonly runId?: string;
  /** First position wanted. @default 0 */
  readonly startIndex?: number;
  /** How long one read waits for a record, in ms; then it reports `STREAM_TIMEOUT`. @default none */
  readonly pollTimeout?: number;
  /** `raw` also has what later attempts took back. @default 'live' */
  readonly view?: 'live' | 'raw';
  /** Is told of retractions of values already handed out; without it they are a `STREAM_SUPERSEDED` error. */
  readonly onSupersede?: (superseded: StreamError<'SUPERSEDED'>) => void;
}

/** What makes a run's reader. */
export interface RunReaderOptions extends ReadableOptions {
  readonly run: RunExecution;
  readonly namespace: string;
  /** Id of the stream, or a way to find it out with the first read. */
  readonly target: string | (() => Promise<string>);
}

/** What the journal keeps of a read of the body. */
interface ReadPage {
  readonly from: number;
  readonly to: number;
  readonly end?: StreamEnd;
  readonly tail?: number;
  readonly isTimeout?: true;
}

const PAGE_SIZE = 512;
/** Key of a read in the journal; no step's key begins like this. */
export const READ_KEY = '$read/';

/** Opens a reader for a body or a step. What a body reads is journalled, as ranges of positions, so that a replay reads the same. */
export function createRunReader<T>(options: RunReaderOptions): StreamReader<T> {
  return new RunReader<T>(options);
}

class RunReader<T> implements StreamReader<T> {
  readonly #options: RunReaderOptions;
  #source: RunSource;
  #inner: StreamReader<T>;

  constructor(options: RunReaderOptions) {
    this.#options = options;
    this.#source = new RunSource(options);
    this.#inner = this.#open(options.startIndex);
  }

  /** Goes on at a position, or where it began: for a step that is repeated. */
  seek(position: number | null): void {
    const { streamId } = this;
    this.#source = new RunSource({ ...this.#options, target: streamId });
    this.#inner = this.#open(position ?? this.#options.startIndex);
  }

  #open(startIndex: number | undefined): StreamReader<T> {
    const { run, onSupersede, view } = this.#options;
    return createRecordReader<T, DataRecord>(this.#source.streamId, this.#source, {
      signal: run.signal,
      ...(startIndex !== undefined && { startIndex }),
      ...(onSupersede && { onSupersede }),
      ...(view && { view }),
    });
  }

  get streamId(): string {
    return this.#source.streamId;
  }

  get readable(): boolean {
    return this.#inner.readable;
  }

  get position(): number {
    return this.#inner.position;
  }

  read(): AsyncResult<T, StreamReadError> {
    return this.#inner.read();
  }

  readBatch(options?: { readonly limit?: number }): AsyncResult<readonly T[], StreamReadError> {
    return this.#inner.readBatch(options);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return this.#inner[Symbol.asyncIterator]();
  }

  [PULL](): Pull<T> {
    return this.#inner[PULL]();
  }
}

class RunSource implements RecordSource<DataRecord> {
  readonly #options: RunReaderOptions;
  #streamId: string;
  #inner: Promise<RecordSource<DataRecord>> | null = null;
  readonly #closing = new AbortController();
  readonly #signal: AbortSignal;
  /** Number of this reader among those of the body, in the order of their first reads. */
  #index: number | null = null;
  #reads = 0;

  constructor(options: RunReaderOptions) {
    this.#options = options;
    this.#signal = AbortSignal.any([options.run.signal, this.#closing.signal]);
    this.#streamId =
      typeof options.target === 'string' ? options.target : runStreamId(options.run.runId, options.namespace);
  }

  get streamId(): string {
    return this.#streamId;
  }

  read(from: number): Promise<SourcePage<DataRecord>> {
    const { run } = this.#options;
    return run.isDurable && run.caller().kind === 'body' ? this.#readJournalled(from) : this.#readNow(from);
  }

  async wait(
    position: number,
    options: { readonly signal: AbortSignal; readonly timeoutMs: number },
  ): Promise<unknown> {
    return (await this.#open()).wait(position, options);
  }

  decode(record: DataRecord): unknown {
    return typeof record.data === 'string' ? JSON.parse(record.data) : record.data;
  }

  close(): void {
    this.#closing.abort();
  }

  #open(): Promise<RecordSource<DataRecord>> {
    this.#inner ??= (async () => {
      const { target, run } = this.#options;
      if (typeof target !== 'string') this.#streamId = await target();
      return createStoreSource(this.#streamId, { store: run.store, pageSize: PAGE_SIZE });
    })();
    return this.#inner;
  }

  /** Waits for a page: something to read, the end, or the end of the patience. */
  async #readNow(from: number): Promise<SourcePage<DataRecord>> {
    const { pollTimeout, run, namespace } = this.#options;
    const deadline = pollTimeout === undefined ? Infinity : performance.now() + pollTimeout;
    const inner = await this.#open();
    for (;;) {
      const page = await inner.read(from);
      const { length } = page.records;
      if (length > 0 || page.end) {
        run.emit({ type: 'stream_read', namespace, streamId: this.#streamId, position: from + length });
        return page;
      }
      const timeoutMs = deadline - performance.now();
      if (timeoutMs <= 0) throw new StreamTimeoutError(from, pollTimeout ?? 0);
      await inner.wait(from, { signal: this.#signal, timeoutMs });
    }
  }

  async #readJournalled(from: number): Promise<SourcePage<DataRecord>> {
    const { run, pollTimeout } = this.#options;
    this.#index ??= run.nextReaderIndex();
    const key = `${READ_KEY}${this.#index}/${this.#reads++}`;
    let page: SourcePage<DataRecord> | null = null;
    const isRecorded = run.state.result(key) !== undefined;
    const result = run.scheduler.result(key, { isReady: !isRecorded });
    if (isRecorded) {
      const { value } = run.state.result(key) ?? {};
      page = await this.#readAgain(value as ReadPage | undefined);
      run.scheduler.ready(key);
    } else {
      void this.#readAndNote(key, from).then(
        (read) => (page = read),
        (error: unknown) => run.stepBroke(error),
      );
    }
    const { ok, error, value } = await result;
    if (!ok && error) throw restoreError(error);
    if ((value as ReadPage).isTimeout) throw new StreamTimeoutError(from, pollTimeout ?? 0);
    return page ?? { records: [], end: null, tail: from };
  }

  async #readAndNote(key: string, from: number): Promise<SourcePage<DataRecord> | null> {
    const { run } = this.#options;
    let page: SourcePage<DataRecord> | null = null;
    let value: ReadPage = { from, to: from, isTimeout: true };
    let failed: unknown = null;
    try {
      page = await this.#readNow(from);
      const { records, end, tail } = page;
      value = { from, to: from + records.length, ...(end && records.length === 0 && { end, tail }) };
      // The end counts once nothing lies before it, so that a replay ends at the same read.
      if (records.length > 0) page = { records, end: null, tail };
    } catch (error) {
      if (!run.isRunning || this.#closing.signal.aborted) return null;
      if (!(error instanceof StreamTimeoutError)) failed = error;
    }
    await run.journal.note(
      failed === null
        ? { t: 'result', key, n: 1, ok: true, value }
        : { t: 'result', key, n: 1, ok: false, error: recordError(failed) },
    );
    run.learnt();
    return page;
  }

  /** Reads a journalled range again. */
  async #readAgain(page: ReadPage | undefined): Promise<SourcePage<DataRecord> | null> {
    if (!page || page.isTimeout) return null;
    if (page.end) return { records: [], end: page.end, tail: page.tail ?? page.from };
    await this.#open();
    const records: StreamRecord[] = [];
    for (let from = page.from; from < page.to; from = page.from + records.length) {
      const read = await this.#options.run.store.read(this.#streamId, { from, limit: page.to - from });
      if (read.records.length === 0) break;
      records.push(...read.records);
    }
    return { records, end: null, tail: page.to };
  }
}
