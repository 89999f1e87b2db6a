import {
  type AsyncResult,
  err,
  ok,
  type StreamEnd,
  StreamError,
  StreamWriteError,
  toStreamFailure,
  writeErrorReason,
} from '@perennial/core';

import type { RunExecution } from '../runs/run-execution.ts';
import type { Caller } from '../runs/run-scope.ts';
import { type Attempt, encodeFor } from '../steps/attempt.ts';
import type { RunStream, RunStreamOptions } from './run-stream.ts';

/** Options of `getWritable`. Those of the first call for a namespace stand for the stream. */
export interface WritableOptions extends RunStreamOptions {
  /** Named stream of the run. @default 'default' */
  readonly namespace?: string;
  /**
   * When a step's writes become visible: `write`: at once, to be retracted if the step is retried. `step`: when the step succeeds; for
   * readers that cannot take anything back.
   * @default 'write'
   */
  readonly commit?: 'write' | 'step';
}

/**
 * Writes one stream of a run, exactly once, from the body and from its steps. No call throws or rejects: each resolves with a `Result`.
 *
 * A writer opened in the body may be used inside a step: it knows which step calls it.
 */
export interface RunWriter<T> {
  readonly namespace: string;
  readonly streamId: string;
  /** True while the stream takes writes from the caller. */
  readonly writable: boolean;
  /** Number of values written through this writer. */
  readonly position: number;
  /** Resolves once the value is accepted; pauses while `highWaterMark` is reached. */
  write(value: T): AsyncResult<void, StreamWriteError>;
  /** Resolves once everything the caller has written is durable. */
  flush(): AsyncResult<void, StreamWriteError>;
  /** Ends the stream as completed: from the body, after the steps called before; from a step, when the step succeeds. Idempotent. */
  close(): AsyncResult<void, StreamWriteError>;
  /** Ends the stream as failed with `reason`, like {@link close}. */
  abort(reason?: unknown): AsyncResult<void, StreamWriteError>;
}

/** What makes a {@link RunWriter}. */
export interface RunWriterOptions {
  readonly run: RunExecution;
  readonly stream: RunStream;
  readonly commit: 'write' | 'step';
  /** The attempt whose writes these are, whoever calls; null: found out at each call. */
  readonly attempt: Attempt | null;
}

/** Opens a writer. */
export function createRunWriter<T>(options: RunWriterOptions): RunWriter<T> {
  return new Writer<T>(options);
}

class Writer<T> implements RunWriter<T> {
  readonly #run: RunExecution;
  readonly #stream: RunStream;
  readonly #holds: boolean;
  readonly #attempt: Attempt | null;
  #position = 0;

  constructor({ run, stream, commit, attempt }: RunWriterOptions) {
    this.#run = run;
    this.#stream = stream;
    this.#holds = commit === 'step';
    this.#attempt = attempt;
  }

  get namespace(): string {
    return this.#stream.namespace;
  }

  get streamId(): string {
    return this.#stream.streamId;
  }

  get writable(): boolean {
    if (!this.#run.isRunning) return false;
    const caller = this.#caller();
    if (caller.kind === 'attempt') return !caller.attempt.isSealed && this.#stream.isOpenTo(caller.attempt.step);
    return !this.#stream.isClosing;
  }

  get position(): number {
    return this.#position;
  }

  write(value: T): AsyncResult<void, StreamWriteError> {
    const caller = this.#caller();
    switch (caller.kind) {
      case 'body':
        return this.#inBody(this.#writeFromBody(value));
      case 'attempt':
        return this.#counted(caller.attempt.write(this.#stream, value, { hold: this.#holds }));
      case 'unknown':
        return this.#lostContext();
    }
  }

  flush(): AsyncResult<void, StreamWriteError> {
    const caller = this.#caller();
    switch (caller.kind) {
      case 'body':
        return this.#inBody(this.#stream.flush());
      case 'attempt':
        return this.#result(caller.attempt.flushStream(this.#stream));
      case 'unknown':
        return this.#lostContext();
    }
  }

  close(): AsyncResult<void, StreamWriteError> {
    return this.#end({ outcome: 'completed' });
  }

  abort(reason?: unknown): AsyncResult<void, StreamWriteError> {
    const error = toStreamFailure(reason ?? new StreamError('ABORTED', 'The writer aborted the stream.'));
    return this.#end({ outcome: 'failed', error });
  }

  #end(end: StreamEnd): AsyncResult<void, StreamWriteError> {
    const caller = this.#caller();
    switch (caller.kind) {
      case 'body':
        return this.#result(this.#run.closeFromBody(this.namespace, end).then((failure) => this.#blame(failure)));
      case 'attempt':
        return this.#result(Promise.resolve(caller.attempt.close(this.#stream, end)));
      case 'unknown':
        return this.#lostContext();
    }
  }

  #caller(): Caller {
    return this.#attempt ? { kind: 'attempt', attempt: this.#attempt } : this.#run.caller();
  }

  async #writeFromBody(value: T): Promise<StreamError | null> {
    const stream = this.#stream;
    const { namespace, streamId, position } = stream;
    if (!this.#run.isRunning) return this.#over();
    if (stream.isClosing) return new StreamError('CLOSED', `Stream ${streamId} was closed.`);
    let data;
    try {
      data = encodeFor(stream.contentType, value);
    } catch (error) {
      return error instanceof StreamError ? error : new StreamError('UNSERIALISABLE', String(error), { cause: error });
    }
    if (!stream.isReplaying) this.#run.emit({ type: 'stream_write', namespace, streamId, position });
    this.#position++;
    return this.#blame(await stream.write({ data }));
  }

  /** What the body wrote and the stream refused is missing from it: the run cannot claim to have written it. */
  #blame(failure: StreamError | null): StreamError | null {
    if (failure && failure.code !== 'ABORTED' && this.#run.isRunning) this.#run.fault(failure);
    return failure;
  }

  #inBody(outcome: Promise<StreamError | null>): AsyncResult<void, StreamWriteError> {
    return this.#result(this.#run.scheduler.operation(outcome, () => this.#over()));
  }

  async #counted(outcome: Promise<StreamError | null>): AsyncResult<void, StreamWriteError> {
    const failure = await outcome;
    if (!failure) this.#position++;
    return failure ? err(this.#error(failure)) : ok();
  }

  async #result(outcome: Promise<StreamError | null>): AsyncResult<void, StreamWriteError> {
    const failure = await outcome;
    return failure ? err(this.#error(failure)) : ok();
  }

  #over(): StreamError {
    return new StreamError('CLOSED', `The run of stream ${this.streamId} is over; it takes no more writes.`);
  }

  #lostContext(): AsyncResult<void, StreamWriteError> {
    const message =
      `A write to ${JSON.stringify(this.namespace)} came without the asynchronous context of its step, while not exactly one step was running. ` +
      'Use the writer that the step function is given: `step(name, ({ writable }) => …)`.';
    return Promise.resolve(err(this.#error(new StreamError('WRITER_CONTEXT_LOST', message))));
  }

  #error(failure: StreamError): StreamWriteError {
    const { code, message } = failure;
    return new StreamWriteError(message, {
      reason: writeErrorReason(code),
      code,
      position: this.#position,
      cause: failure,
    });
  }
}
