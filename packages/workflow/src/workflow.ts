import {
  type AsyncResult,
  err,
  InvalidArgumentError,
  quote,
  type Result,
  type RetryPolicy,
  runJournalId,
  type StreamStore,
} from '@perennial/core';

import { assertDuration } from './assert-duration.ts';
import { createStep, type Step } from './body/step-function.ts';
import { WorkflowError } from './errors.ts';
import type { WorkflowEvent } from './events.ts';
import { recordValue } from './journal/recorded.ts';
import { storeOfBegun } from './runs/begun-store.ts';
import { type CreatedRun, createRun, driveRun } from './runs/drive-run.ts';
import { createDurableWorkflow, type DurableWorkflow } from './runs/durable-workflow.ts';
import { createPatientStore } from './runs/patient-store.ts';
import type { RunExecution } from './runs/run-execution.ts';
import { cancelRun, createRunHandle, type RunHandle } from './runs/run-handle.ts';
import type { Runtime } from './runs/runtime.ts';
import type { ResultError, UnwrapResult } from './steps/result-value.ts';
import { UnnamedStreams } from './streams/unnamed-streams.ts';

/** Options of {@link createWorkflow}. */
export interface WorkflowOptions {
  /** Keeps the runs: their journals and their streams. */
  readonly streamStore: StreamStore;
  /** Is told what runs do. What it throws is reported as a warning of the process. */
  readonly onEvent?: (event: WorkflowEvent) => void;
  /** After this time without a sign of life of its worker, another one takes a run over, in ms. @default 15_000 */
  readonly leaseMs?: number;
  /** Sliding time to live of journals and streams, in ms; longer than the longest pause of a run. @default none */
  readonly ttlMs?: number;
  /** How long a replayed body may take to ask for its next recorded result, in ms. @default 30_000 */
  readonly replayTimeoutMs?: number;
  /** How failures of the store that may pass are repeated. */
  readonly retry?: RetryPolicy;
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: () => number;
  /** Ids of runs started without one. @default crypto.randomUUID */
  readonly randomId?: () => string;
  /** Milliseconds since the Unix epoch. @default Date.now */
  readonly now?: () => number;
  /** Milliseconds that never run backwards. @default performance.now */
  readonly monotonic?: () => number;
}

/** What the body of a run is given. */
export interface RunContext<D = unknown, I = unknown> {
  readonly step: Step;
  readonly deps: D;
  readonly runId: string;
  readonly input: I;
  /** Fires when the run stops, for instance because it is cancelled. */
  readonly signal: AbortSignal;
}

/** Options of a run. */
export interface RunOptions<I = unknown> {
  /**
   * Makes the run durable: a second run with the same id goes on where a crash stopped the first, waits for it while it is advanced
   * elsewhere, and gets its result once it has one. Without an id the run can be read, but not repeated.
   */
  readonly id?: string;
  /** Given to the body; of a durable run, the first one stands. JSON must be able to carry it. */
  readonly input?: I;
  /** Cancels the run. */
  readonly signal?: AbortSignal;
  /** Longest time of the run on one worker, in ms; then it fails with `TIMEOUT`. @default none */
  readonly timeout?: number;
}

/** Runs functions whose steps and streams survive crashes. */
export interface Workflow<D> {
  readonly name: string;
  /** Runs a body to its end. The `Result` has the body's value, or its error: that of a returned `Result`, or a {@link WorkflowError}. */
  run<R, I = unknown>(
    body: (context: RunContext<D, I>) => R | Promise<R>,
    options?: RunOptions<I>,
  ): AsyncResult<UnwrapResult<R>, ResultError<R> | WorkflowError>;
  /** Like {@link run}, but returns at once, with a handle on the run. */
  start<R, I = unknown>(
    body: (context: RunContext<D, I>) => R | Promise<R>,
    options?: RunOptions<I>,
  ): RunHandle<UnwrapResult<R>, ResultError<R>>;
  /** Names what runs of this workflow do, so that any process with the same definition can go on with a run that another one began. */
  define<I = unknown, R = unknown>(
    body: (context: RunContext<D, I>) => R | Promise<R>,
    options?: Pick<RunOptions, 'timeout'>,
  ): DurableWorkflow<I, UnwrapResult<R>, ResultError<R>>;
  /** Asks a run to stop, from any process. */
  cancel(runId: string, reason?: string): Promise<void>;
  /** Stops advancing runs; durable ones are left to other workers, at once. Idempotent. */
  close(): Promise<void>;
}

const DEFAULT_LEASE_MS = 15_000;
const DEFAULT_REPLAY_TIMEOUT_MS = 30_000;

/**
 * Creates a workflow: a name, dependencies that its bodies get, and the store its runs live in.
 *
 * @example
 * const workflow = createWorkflow('answer', { generate }, { streamStore });
 * const result = await workflow.run(async ({ step, deps }) => {
 *   const tokens = step.getWritable<string>({ namespace: 'tokens' });
 *   await step('generate', () => deps.generate({ onToken: (token) => tokens.write(token) }));
 *   await tokens.close();
 * });
 *
 * @throws {@link InvalidArgumentError} naming the first argument that makes no sense.
 */
export function createWorkflow<D>(name: string, deps: D, options: WorkflowOptions): Workflow<D> {
  if (typeof name !== 'string' || name === '')
    throw new InvalidArgumentError('name', `A workflow needs a name; got ${quote(name)}.`);
  if (typeof options?.streamStore?.append !== 'function')
    throw new InvalidArgumentError('streamStore', `A workflow needs a store; got ${quote(options?.streamStore)}.`);
  assertDuration('leaseMs', options.leaseMs);
  if (options.ttlMs !== undefined && !(Number.isFinite(options.ttlMs) && options.ttlMs > 0))
    throw new InvalidArgumentError(
      'ttlMs',
      `\`ttlMs\` must be a number of milliseconds above 0; got ${quote(options.ttlMs)}.`,
    );
  assertDuration('replayTimeoutMs', options.replayTimeoutMs);
  return new WorkflowObject(name, deps, options);
}

type Body = (context: RunContext<never, never>) => unknown;

class WorkflowObject<D> implements Workflow<D> {
  readonly name: string;
  readonly #deps: D;
  readonly #runtime: Runtime;
  readonly #closing = new AbortController();
  readonly #unnamed = new UnnamedStreams();
  /** Runs that this object drives, by id. */
  readonly #driven = new Map<string, Promise<Result<unknown, unknown>>>();
  /** Resolve once the journals of these runs are there. */
  readonly #beginning = new Map<string, Promise<void>>();

  constructor(name: string, deps: D, options: WorkflowOptions) {
    const { streamStore: store, onEvent, ttlMs, retry, leaseMs = DEFAULT_LEASE_MS } = options;
    this.name = name;
    this.#deps = deps;
    this.#runtime = {
      name,
      store: createPatientStore(store, retry),
      leaseMs,
      replayTimeoutMs: options.replayTimeoutMs ?? DEFAULT_REPLAY_TIMEOUT_MS,
      signal: this.#closing.signal,
      random: options.random ?? Math.random,
      randomId: options.randomId ?? (() => crypto.randomUUID()),
      now: options.now ?? Date.now,
      monotonic: options.monotonic ?? (() => performance.now()),
      emit: onEvent ? safely(onEvent) : () => undefined,
      ...(ttlMs !== undefined && { ttlMs }),
      ...(retry && { retry }),
    };
  }

  async run<R, I>(
    body: (context: RunContext<D, I>) => R | Promise<R>,
    options?: RunOptions<I>,
  ): AsyncResult<UnwrapResult<R>, ResultError<R> | WorkflowError> {
    return this.start(body, options).result;
  }

  start<R, I>(
    body: (context: RunContext<D, I>) => R | Promise<R>,
    { id, input, signal, timeout }: RunOptions<I> = {},
  ): RunHandle<UnwrapResult<R>, ResultError<R>> {
    assertBody(body);
    const runId = id ?? this.#runtime.randomId();
    // Also refuses what cannot be an id.
    runJournalId(runId);
    assertDuration('timeout', timeout);
    const begun = Promise.withResolvers<void>();
    const beginning = this.#beginning.get(runId) ?? begun.promise;
    const result = this.#drive(runId, async () => {
      this.#beginning.set(runId, begun.promise);
      const kept = recordValue(input, 'The input of the run');
      const created = await createRun(this.#runtime, { runId, input: kept, isDurable: id !== undefined });
      begun.resolve();
      return this.#advance(runId, {
        body,
        created,
        isDurable: id !== undefined,
        timeoutMs: timeout,
        signal,
      });
    });
    void result.finally(() => {
      begun.resolve();
      this.#beginning.delete(runId);
    });
    return createRunHandle<UnwrapResult<R>, ResultError<R>>(
      storeOfBegun(this.#runtime.store, beginning),
      runId,
      () => result as AsyncResult<UnwrapResult<R>, ResultError<R>>,
    );
  }

  define<I, R>(
    body: (context: RunContext<D, I>) => R | Promise<R>,
    { timeout }: Pick<RunOptions, 'timeout'> = {},
  ): DurableWorkflow<I, UnwrapResult<R>, ResultError<R>> {
    assertBody(body);
    assertDuration('timeout', timeout);
    const options = { body: body as Body, isDurable: true, timeoutMs: timeout };
    return createDurableWorkflow<I, UnwrapResult<R>, ResultError<R>>(this.#runtime, {
      drive: (runId, created, onEnd) =>
        this.#drive(runId, async () => {
          const result = await this.#advance(runId, { ...options, created });
          await onEnd();
          return result;
        }),
      isDriven: (runId) => this.#driven.has(runId),
    });
  }

  cancel(runId: string, reason?: string): Promise<void> {
    return cancelRun(this.#runtime.store, runId, reason);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#driven.values());
  }

  /** Drives a run once, however often it is started here. */
  #drive(runId: string, drive: () => Promise<Result<unknown, unknown>>): Promise<Result<unknown, unknown>> {
    const known = this.#driven.get(runId);
    if (known) return known;
    const driven = (async () => {
      try {
        if (this.#closing.signal.aborted)
          throw new WorkflowError('CLOSED', `Workflow ${JSON.stringify(this.name)} was closed.`);
        return await drive();
      } catch (error) {
        return err(error);
      } finally {
        this.#driven.delete(runId);
      }
    })();
    this.#driven.set(runId, driven);
    return driven;
  }

  async #advance(
    runId: string,
    { body, created, isDurable, timeoutMs, signal }: Advance,
  ): Promise<Result<unknown, unknown>> {
    const unnamed = isDurable ? null : this.#unnamed;
    const runtime: Runtime = unnamed ? { ...this.#runtime, emit: this.#noteOpened(unnamed) } : this.#runtime;
    try {
      return await driveRun(
        runtime,
        {
          runId,
          isDurable,
          body: (run) => body(this.#contextOf(run, unnamed)),
          ...(timeoutMs !== undefined && { timeoutMs }),
          ...(signal && { onExecution: (run) => cancelWith(run, signal) }),
        },
        created,
      );
    } finally {
      unnamed?.end(runId);
    }
  }

  #noteOpened(unnamed: UnnamedStreams): Runtime['emit'] {
    return (event) => {
      if (event.type === 'stream_created') unnamed.open(event.runId, event.namespace);
      this.#runtime.emit(event);
    };
  }

  #contextOf(run: RunExecution, unnamed: UnnamedStreams | null): RunContext<never, never> {
    const bind = unnamed && ((namespace: string) => unnamed.find(run.runId, namespace));
    const context: RunContext<D> = {
      step: createStep({ run, bind }),
      deps: this.#deps,
      runId: run.runId,
      input: run.state.start?.input,
      signal: run.signal,
    };
    return context as RunContext<never, never>;
  }
}

function assertBody(body: unknown): void {
  if (typeof body !== 'function')
    throw new InvalidArgumentError('body', `The body of a run is a function; got ${quote(body)}.`);
}

interface Advance {
  readonly body: Body;
  readonly created: CreatedRun;
  readonly isDurable: boolean;
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

function cancelWith(run: RunExecution, signal: AbortSignal): void {
  const cancel = (): void => {
    const { reason } = signal as { readonly reason: unknown };
    run.cancelled({ reason: reason instanceof Error ? reason.message : String(reason) });
  };
  if (signal.aborted) return cancel();
  signal.addEventListener('abort', cancel, { once: true });
  run.signal.addEventListener('abort', () => signal.removeEventListener('abort', cancel), { once: true });
}

/** A listener that fails must not fail the run. */
function safely(listener: (event: WorkflowEvent) => void): (event: WorkflowEvent) => void {
  return (event) => {
    try {
      listener(event);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      process.emitWarning(`onEvent threw on ${event.type}: ${message}`, 'PerennialWarning');
    }
  };
}
