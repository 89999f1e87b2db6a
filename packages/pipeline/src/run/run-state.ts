import type { Pull } from '@perennial/core/engine';

import type { Definition } from '../builder/definition.ts';
import type { ExecuteOptions } from '../builder/options.ts';
import { type PipelineClock, systemClock } from '../clock/clock.ts';
import type { CursorKeeper } from '../durable/cursor-keeper.ts';
import { isDurable, openCheckpoints, type OpenedCheckpoints } from '../durable/open-checkpoints.ts';
import { Restored } from '../durable/restored.ts';
import { ErrorQueue } from '../errors/error-channel.ts';
import { codeOf, isStreamingError, messageOf, PipelineError, StreamingError } from '../errors/streaming-error.ts';
import type { PipelineMetadata, RunOutcome } from '../metadata/streaming-metadata.ts';
import type { Link } from '../stages/link.ts';
import { createSourceLink, sourceError, type SourceLink } from '../stages/source-link.ts';
import { registeredTracer } from '../trace/open-telemetry.ts';
import { idsOnly, type PipelineSpan } from '../trace/trace.ts';
import { createChain } from './chain.ts';
import { rate, type RunProgress } from './progress.ts';
import type { RunContext } from './run-context.ts';
import { closeUnopened, type RunInput } from './run-input.ts';
import { RunPull } from './run-pull.ts';
import { stateOf } from './state-view.ts';
import { StepRuntime } from './step-runtime.ts';

/** What a run is told besides its definition and its input. */
export interface RunStateOptions extends ExecuteOptions {
  /** Makes durable what the consumer was given, before a cursor behind it is saved. */
  readonly flushSink?: () => Promise<void>;
}

const DEFAULT_RETAIN_LIMIT = 100_000;
const DEFAULT_ERROR_BUFFER = 1_000;

/** Everything about one run: its stages while it lives, its figures for ever. */
export class RunState<T> {
  readonly pull: RunPull<T>;
  readonly errors: ErrorQueue;
  readonly metadata: Promise<PipelineMetadata>;
  readonly #definition: Definition;
  readonly #input: RunInput;
  readonly #options: RunStateOptions;
  readonly #clock: PipelineClock;
  /** Aborted when the run is over. */
  readonly #over = new AbortController();
  readonly #settleMetadata: (metadata: PipelineMetadata) => void;
  #span: PipelineSpan | null = null;
  #steps: readonly StepRuntime[] = [];
  #source: SourceLink | null = null;
  #chain: Link | null = null;
  #keeper: CursorKeeper | null = null;
  #startedAt = NaN;
  #endedAt = NaN;
  /** Position of the source when this run began. */
  #startPosition = 0;
  #resumedAt = 0;
  #outcome: RunOutcome | null = null;
  #error: StreamingError | null = null;

  constructor(definition: Definition, input: RunInput, options: RunStateOptions) {
    const { errorBuffer = DEFAULT_ERROR_BUFFER, clock = systemClock } = definition.options;
    this.#definition = definition;
    this.#input = input;
    this.#options = options;
    this.#clock = clock;
    this.errors = new ErrorQueue(errorBuffer);
    const { promise, resolve } = Promise.withResolvers<PipelineMetadata>();
    this.metadata = promise;
    this.#settleMetadata = resolve;
    this.pull = new RunPull<T>({
      open: () => this.#open(),
      used: isDurable(definition.operations) ? () => this.#used() : null,
      ended: () => this.#ended(),
      failed: (thrown) => this.#failed(thrown),
      left: () => this.#finish('left'),
      closeUnopened: () => closeUnopened(input),
    });
    this.#follow(options.signal);
  }

  /** The run's span; started when first asked for, at the latest by the first pull. */
  get span(): PipelineSpan {
    if (this.#span) return this.#span;
    const { tracer = registeredTracer() } = this.#definition.options;
    const { runId } = this.#options;
    this.#span = (tracer ?? idsOnly)('pipeline', runId === undefined ? {} : { 'perennial.run_id': runId });
    return this.#span;
  }

  /** Values handed out by earlier runs of the same id; known once the run is open. */
  get resumedAt(): number {
    return this.#resumedAt;
  }

  /** What each step emitted last. */
  accumulated(): Record<string, unknown> {
    return Object.fromEntries(this.#steps.map((step) => [step.key, stateOf(step)]));
  }

  get over(): AbortSignal {
    return this.#over.signal;
  }

  get clock(): PipelineClock {
    return this.#clock;
  }

  abort(reason?: unknown): void {
    if (this.#outcome) return;
    const why = reason === undefined ? '' : `: ${messageOf(reason)}`;
    const error = this.#createError('ABORTED', `The run was aborted${why}.`, reason);
    this.#finish('aborted', error);
    this.pull.stop(error);
  }

  progress(): RunProgress {
    const { total } = this.#options;
    const elapsedMs = this.#elapsedMs();
    const inputCount = this.#inputCount();
    const perSecond = rate(inputCount - this.#startPosition, elapsedMs);
    const steps = this.#steps.map((step) => {
      const { key, stepName, receivedCount, timing, errorCount } = step.metadata();
      const emittedCount = timing.itemCount;
      return { key, stepName, receivedCount, emittedCount, errorCount, perSecond: rate(emittedCount, elapsedMs) };
    });
    return {
      state: this.#outcome ?? (Number.isNaN(this.#startedAt) ? 'waiting' : 'running'),
      elapsedMs,
      inputCount,
      outputCount: this.#resumedAt + this.pull.outputs,
      errorCount: this.#errorCount(),
      perSecond,
      ...(total !== undefined && { total }),
      ...(total !== undefined &&
        perSecond > 0 && { remainingMs: (Math.max(total - inputCount, 0) / perSecond) * 1_000 }),
      ...(this.#error && {
        error: { code: this.#error.code, message: this.#error.message, stepName: this.#error.stepName },
      }),
      steps,
    };
  }

  #open(): Pull<unknown> | null | Promise<Pull<unknown> | null> {
    this.#startedAt = this.#clock.now();
    const { operations } = this.#definition;
    const durable = isDurable(operations);
    const run = this.#createContext(durable);
    this.#steps = operations.map((operation) => new StepRuntime(run, operation.step));
    if (!durable) return this.#createStages(run, new Restored(), () => null).pull;
    return this.#openDurable(run);
  }

  async #openDurable(run: RunContext): Promise<Pull<unknown> | null> {
    const { runId, flushSink } = this.#options;
    if (runId === undefined) {
      throw new PipelineError(
        'RUN_ID_REQUIRED',
        'A pipeline with a durable checkpoint needs `runId`, so that a later run can go on where this one stops: `execute(input, { runId })`.',
      );
    }
    const { operations } = this.#definition;
    const opened = await openCheckpoints({ operations, runId, clock: this.#clock, flushSink });
    this.#resumedAt = opened.resumedAt;
    if (opened.done) return null;
    this.#keeper = opened.keeper;
    return this.#createStages(run, opened.restored, opened.itemsOf).pull;
  }

  #createStages(run: RunContext, restored: Restored, itemsOf: OpenedCheckpoints['itemsOf']): Link {
    const source = createSourceLink(run, this.#input.source, { restored: restored.take() });
    this.#source = source;
    this.#startPosition = source.position() ?? 0;
    this.#chain = createChain({
      run,
      operations: this.#definition.operations,
      steps: this.#steps,
      source,
      restored,
      itemsOf,
    });
    return this.#chain;
  }

  #createContext(durable: boolean): RunContext {
    const { contextBuilder, options } = this.#definition;
    const { samplingRate = 'auto', retainLimit = DEFAULT_RETAIN_LIMIT, random = Math.random } = options;
    let context: unknown;
    try {
      context = contextBuilder?.();
    } catch (cause) {
      throw this.#createError(
        codeOf(cause) ?? 'CONTEXT_FAILED',
        `The context builder failed: ${messageOf(cause)}`,
        cause,
      );
    }
    return {
      clock: this.#clock,
      random,
      signal: this.#over.signal,
      errors: this.errors,
      span: this.span,
      samplingRate,
      retainLimit,
      context,
      single: this.#input.single,
      durable,
    };
  }

  #used(): void {
    const chain = this.#chain;
    if (chain) this.#keeper?.offer(chain.cursor, this.#resumedAt + this.pull.outputs);
  }

  #ended(): void | Promise<void> {
    const chain = this.#chain;
    if (!this.#keeper || !chain) return this.#finish('completed');
    return this.#keeper
      .complete(chain.cursor, this.#resumedAt + this.pull.outputs)
      .then(() => this.#finish('completed'));
  }

  #failed(thrown: unknown): StreamingError {
    const error = isStreamingError(thrown) ? thrown : this.#wrap(thrown);
    this.#finish('failed', error);
    return error;
  }

  /** Steps and checkpoints report errors as their own; what is left is the source's, or happened before there was one. */
  #wrap(thrown: unknown): StreamingError {
    if (this.#source) return sourceError(this.span, thrown, { count: this.#inputCount() });
    return this.#createError(codeOf(thrown) ?? 'STEP_FAILED', messageOf(thrown), thrown);
  }

  #finish(outcome: RunOutcome, error: StreamingError | null = null): void {
    if (this.#outcome) return;
    this.#outcome = outcome;
    this.#error = error;
    this.#endedAt = this.#clock.now();
    this.#options.signal?.removeEventListener('abort', this.#onSignal);
    const metadata = this.#createMetadata(outcome);
    for (const step of this.#steps) {
      const { errorCount, timing } = step.metadata();
      step.span.end(
        { 'perennial.items': timing.itemCount, 'perennial.errors': errorCount },
        error?.spanId === step.span.spanId ? error : undefined,
      );
    }
    this.span.end({ 'perennial.items': this.pull.outputs, 'perennial.outcome': outcome }, error ?? undefined);
    this.errors.close();
    this.#settleMetadata(metadata);
    this.#over.abort(error ?? new DOMException('The run is over.', 'AbortError'));
  }

  #createMetadata(outcome: RunOutcome): PipelineMetadata {
    return {
      stepName: 'pipeline_complete',
      outcome,
      ...(this.#error && { error: this.#error }),
      itemCount: this.pull.outputs,
      resumedAt: this.#resumedAt,
      durationMs: this.#elapsedMs(),
      errorCount: this.#errorCount(),
      droppedErrorCount: this.errors.dropped,
      traceId: this.span.traceId,
      spanId: this.span.spanId,
      steps: this.#steps.map((step) => step.metadata()),
    };
  }

  /** Where nobody counts at the source, its values are those that the first step received. */
  #inputCount(): number {
    return this.#source?.position() ?? this.#steps[0]?.received ?? this.pull.outputs;
  }

  #elapsedMs(): number {
    if (Number.isNaN(this.#startedAt)) return 0;
    return (Number.isNaN(this.#endedAt) ? this.#clock.now() : this.#endedAt) - this.#startedAt;
  }

  #errorCount(): number {
    return this.#steps.reduce((sum, step) => sum + step.errorCount, 0);
  }

  #createError(code: string, message: string, cause: unknown): StreamingError {
    const { traceId, spanId } = this.span;
    return new StreamingError(code, message, { stepName: 'pipeline', retryable: false, traceId, spanId, cause });
  }

  #follow(signal: AbortSignal | undefined): void {
    if (signal?.aborted) this.abort(signal.reason);
    else signal?.addEventListener('abort', this.#onSignal, { once: true });
  }

  readonly #onSignal = (): void => this.abort(this.#options.signal?.reason);
}
