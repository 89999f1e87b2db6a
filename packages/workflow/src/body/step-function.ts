import {
  type AsyncResult,
  DEFAULT_NAMESPACE,
  err,
  InvalidArgumentError,
  ok,
  quote,
  runStreamId,
  type StreamReader,
} from '@perennial/core';

import { assertDuration } from '../assert-duration.ts';
import { StepFailedError, WorkflowError } from '../errors.ts';
import { PART_SEPARATOR } from '../journal/part-key.ts';
import { restoreError } from '../journal/recorded.ts';
import type { RunExecution } from '../runs/run-execution.ts';
import {
  assertForEach,
  type ForEachOptions,
  type ForEachResult,
  forEachItem,
  type ItemContext,
} from '../steps/for-each.ts';
import { type ItemSource, ReplayableItems } from '../steps/replayable-items.ts';
import type { UnwrapResult } from '../steps/result-value.ts';
import { assertRetry, type StepRetry } from '../steps/retry.ts';
import { createStepContext, type StepContext } from '../steps/step-context.ts';
import type { StepCall } from '../steps/step-runner.ts';
import { createRunReader, type ReadableOptions } from '../streams/run-reader.ts';
import { createRunWriter, type RunWriter, type WritableOptions } from '../streams/run-writer.ts';
import { callContext } from './call-context.ts';

/** Options of a step. */
export interface StepOptions {
  /** Identifies the step in its run; a second call with the same key gets the result of the first. @default name, with its ordinal from the second on */
  readonly key?: string;
  /** Repeats after a failure. @default none */
  readonly retry?: StepRetry;
  /** Longest time of one attempt, in ms. @default none */
  readonly timeout?: number;
}

/** What a body does things with: each call is recorded, so that a replay gets the same result without doing it again. */
export interface Step {
  /**
   * Runs a function once and records its result. Returns the function's value; of a `Result`, its value. JSON must be able to carry it.
   *
   * @throws {@link StepFailedError} when the last attempt threw or returned the error of a `Result`.
   */
  <R>(name: string, fn: (context: StepContext) => R | Promise<R>, options?: StepOptions): Promise<UnwrapResult<R>>;
  /** Opens a writer of a stream of the run. The stream is created with the first write. */
  getWritable<T = unknown>(options?: WritableOptions): RunWriter<T>;
  /**
   * Opens a reader. It reads the run's own stream; in a run without an id that has not opened the namespace by its first read, the stream
   * of the latest run without an id of the same workflow that opened it, waiting for one if need be.
   */
  getReadable<T = unknown>(options?: ReadableOptions): StreamReader<T>;
  /** Processes the items of a source with bounded concurrency and checkpoints: a re-run goes on after the last one. */
  streamForEach<T>(
    source: ItemSource<T>,
    fn: (item: T, context: ItemContext) => unknown,
    options: ForEachOptions,
  ): AsyncResult<ForEachResult, StepFailedError>;
}

/** What the step function needs beside its run. */
export interface StepFunctionOptions {
  readonly run: RunExecution;
  /** Finds the stream that a run without an id reads from when it has not opened the namespace itself. */
  readonly bind: ((namespace: string) => Promise<string>) | null;
}

/** Longest key of a step, in UTF-16 code units. */
const MAX_KEY_LENGTH = 512;

/** Makes the `step` that a body is given. */
export function createStep({ run, bind }: StepFunctionOptions): Step {
  const ordinals = new Map<string, number>();

  function keyOf(name: string, key: string | undefined): string {
    assertKey('name', name);
    if (key !== undefined) {
      assertKey('key', key);
      return key;
    }
    const ordinal = (ordinals.get(name) ?? 0) + 1;
    ordinals.set(name, ordinal);
    return ordinal === 1 ? name : `${name}#${ordinal}`;
  }

  /** Starts a step unless the journal has its result; resolves with the result in its turn. */
  async function perform(call: Omit<StepCall, 'call'>): Promise<unknown> {
    const { key } = call;
    assertBody(run, key);
    const isNew = !run.startedSteps().has(key);
    if (isNew) {
      const started = { ...call, call: run.callPoint() };
      run.begin(key);
      if (!run.state.result(key) && run.isRunning) run.steps.start(started);
    }
    const note = await run.scheduler.result(key);
    if (note.ok) return note.value;
    const recorded = note.error ?? { failure: { code: 'ERROR', message: 'The step failed.' } };
    throw new StepFailedError(key, note.n, { error: restoreError(recorded), failure: recorded.failure });
  }

  async function callStep<R>(
    name: string,
    fn: (context: StepContext) => R | Promise<R>,
    { key, retry, timeout }: StepOptions,
  ): Promise<UnwrapResult<R>> {
    if (typeof fn !== 'function') throw new InvalidArgumentError('fn', `A step needs a function; got ${quote(fn)}.`);
    if (retry) assertRetry(retry);
    assertDuration('timeout', timeout);
    const value = await perform({
      key: keyOf(name, key),
      work: (attempt) => fn(createStepContext(run, attempt)),
      ...(retry && { retry }),
      ...(timeout !== undefined && { timeoutMs: timeout }),
    });
    return value as UnwrapResult<R>;
  }

  const step = <R>(
    name: string,
    fn: (context: StepContext) => R | Promise<R>,
    options: StepOptions = {},
  ): Promise<UnwrapResult<R>> => mayBeIgnored(callStep(name, fn, options));

  async function callForEach<T>(
    source: ItemSource<T>,
    fn: (item: T, context: ItemContext) => unknown,
    options: ForEachOptions,
  ): AsyncResult<ForEachResult, StepFailedError> {
    assertForEach(options);
    assertItems(source, fn);
    const { name, retry, timeout } = options;
    if (retry) assertRetry(retry);
    assertDuration('timeout', timeout);
    const items = new ReplayableItems(source);
    try {
      const value = await perform({
        key: keyOf(name, name),
        work: (attempt) => forEachItem({ run, items, fn, options }, attempt),
        ...(retry && { retry }),
        ...(timeout !== undefined && { timeoutMs: timeout }),
      });
      return ok(value as ForEachResult);
    } catch (error) {
      if (error instanceof StepFailedError) return err(error);
      throw error;
    }
  }

  return Object.assign(step, {
    getWritable: <T>({
      namespace = DEFAULT_NAMESPACE,
      commit = 'write',
      ...options
    }: WritableOptions = {}): RunWriter<T> =>
      createRunWriter<T>({ run, stream: run.streams.get(namespace, options), commit, attempt: null }),

    getReadable: <T>({ namespace = DEFAULT_NAMESPACE, runId, ...options }: ReadableOptions = {}): StreamReader<T> => {
      const own = runStreamId(run.runId, namespace);
      const target =
        runId !== undefined
          ? runStreamId(runId, namespace)
          : bind
            ? async () => (run.state.opened.has(namespace) ? own : bind(namespace))
            : own;
      return createRunReader<T>({ ...options, run, namespace, target });
    },

    streamForEach: <T>(
      source: ItemSource<T>,
      fn: (item: T, context: ItemContext) => unknown,
      options: ForEachOptions,
    ): AsyncResult<ForEachResult, StepFailedError> => mayBeIgnored(callForEach(source, fn, options)),
  });
}

function assertItems(source: unknown, fn: unknown): void {
  const isSource =
    typeof source === 'object' && source !== null && (Symbol.asyncIterator in source || Symbol.iterator in source);
  if (!isSource)
    throw new InvalidArgumentError('source', `Items come from a reader or another iterable; got ${quote(source)}.`);
  if (typeof fn !== 'function') throw new InvalidArgumentError('fn', `Items need a function; got ${quote(fn)}.`);
}

/** A step that the body does not await, or not any more, must not take the process down when it fails or the run stops. */
function mayBeIgnored<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

function assertKey(argument: string, key: string): void {
  const isFit =
    typeof key === 'string' &&
    key !== '' &&
    key.length <= MAX_KEY_LENGTH &&
    key.isWellFormed() &&
    !key.startsWith('$') &&
    !key.includes(PART_SEPARATOR);
  if (isFit) return;
  throw new InvalidArgumentError(
    argument,
    `\`${argument}\` must be a string of 1 to ${MAX_KEY_LENGTH} characters that does not begin with $; got ${quote(key)}.`,
  );
}

/** A step inside a step would be forgotten by a replay, which does not run the outer one again. */
function assertBody(run: RunExecution, key: string): void {
  const context = callContext.getStore();
  if (context?.run !== run || !context.attempt) return;
  const message = `Step ${JSON.stringify(key)} was called inside step ${JSON.stringify(context.attempt.step)}. Call it in the body.`;
  throw new WorkflowError('NESTED_STEP', message);
}
