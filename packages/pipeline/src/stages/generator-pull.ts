import { END, type Pull, type Receiver, WAIT } from '@perennial/core/engine';

import { show } from '../errors/arguments.ts';
import { StreamingErrorStrategy } from '../errors/error-strategy.ts';
import { StreamingError } from '../errors/streaming-error.ts';
import type { StepRuntime } from '../run/step-runtime.ts';
import type { StreamingState } from '../step/streaming-state.ts';
import { backoff, mayRetry } from './attempts.ts';
import type { Cursor } from './link.ts';
import { ReplayFeed } from './replay-feed.ts';
import { SpanTimer } from './span-timer.ts';
import { createStepInput } from './step-input.ts';
import { Upstream } from './upstream.ts';

/** A generator step's function, its types checked where it entered the pipeline. */
export type StepFunction = (context: {
  readonly input: AsyncGenerator;
  readonly state: StreamingState<Record<string, unknown>>;
  readonly context: unknown;
  readonly signal: AbortSignal;
}) => AsyncGenerator;

/** Options of {@link GeneratorPull}. */
export interface GeneratorOptions {
  readonly step: StepRuntime;
  readonly execute: StepFunction;
  /** The stages before. */
  readonly source: Pull<unknown>;
  /** Where they could start again; null in a run that is not durable. */
  readonly sourceCursor: (() => Cursor) | null;
  readonly createState: (upstream: Upstream) => StreamingState<Record<string, unknown>>;
  /** The item whose fields the input carries. */
  readonly single: { readonly item: unknown } | null;
  /** Index of the one item this generator is for; absent: it reads the whole stream, and counts. */
  readonly index?: number;
  /** The outputs are the step's; otherwise a stage behind reports them. */
  readonly emits: boolean;
  /** The step keeps nothing from one item to the next, so that a resumed run may start it between two. */
  readonly stateless: boolean;
  /** Outputs that an earlier run handed out already. */
  readonly skip?: number;
}

/**
 * Runs a generator step.
 *
 * States: `idle` (nobody waits) -> `running` (the generator owes an output) -> `idle`, and `over`. A generator that threw is dead: where
 * the step has retries or a lenient strategy, another one is started and given again what the dead one had pulled since its last output.
 */
export class GeneratorPull implements Pull<unknown> {
  readonly #options: GeneratorOptions;
  readonly #upstream: Upstream;
  readonly #feed: ReplayFeed;
  readonly #timer: SpanTimer;
  #generator: AsyncGenerator | null = null;
  #running = false;
  #over = false;
  /** The current generator has emitted something. */
  #emitted = false;
  /** Failures in a row. */
  #failures = 0;
  #skip: number;
  #receiver: Receiver<unknown> | null = null;

  constructor(options: GeneratorOptions) {
    const { step, source, sourceCursor, stateless, index, skip = 0 } = options;
    const { retry, errorStrategy } = step.description;
    this.#options = options;
    this.#upstream = new Upstream(source);
    this.#timer = new SpanTimer(step);
    this.#skip = skip;
    this.#feed = new ReplayFeed({
      step,
      upstream: this.#upstream,
      timer: this.#timer,
      survives: retry !== undefined || (errorStrategy ?? 'FAIL_FAST') !== StreamingErrorStrategy.FAIL_FAST,
      sourceCursor,
      stateless,
      index,
    });
  }

  next(receiver: Receiver<unknown>): unknown {
    if (this.#over) return END;
    this.#receiver = receiver;
    this.#run();
    return WAIT;
  }

  async close(): Promise<void> {
    this.#over = true;
    const generator = this.#generator;
    this.#generator = null;
    // First the input, so that a generator which waits for an item learns that none will come.
    const closed = Promise.resolve(this.#upstream.close());
    const left = generator?.return(undefined);
    this.#feed.end();
    // A generator answers return() only after its pending next(), which may never come: ask, but do not wait for it.
    if (this.#running) left?.catch(() => undefined);
    else await left;
    await closed;
  }

  rewind(): boolean {
    return false;
  }

  /** See {@link Link.cursor}. */
  cursor(): Cursor {
    return this.#feed.cursor(this.#skip);
  }

  #run(): void {
    this.#running = true;
    this.#timer.start();
    try {
      this.#generator ??= this.#start();
      this.#generator.next().then(this.#onStep, this.#onFailure);
    } catch (cause) {
      this.#onFailure(cause);
    }
  }

  #start(): AsyncGenerator {
    const { step, execute, single, createState } = this.#options;
    this.#emitted = false;
    const generator: unknown = execute({
      input: createStepInput(step, this.#feed.open(), single),
      state: createState(this.#upstream),
      context: step.run.context,
      signal: step.run.signal,
    });
    if (isGenerator(generator)) return generator;
    throw new TypeError(`a step's function has to be an async generator, but it returned ${show(generator)}`);
  }

  readonly #onStep = ({ done, value }: IteratorResult<unknown>): void => {
    this.#running = false;
    if (this.#over) return;
    if (done) {
      void this.#finish();
      return;
    }
    this.#timer.stop();
    this.#failures = 0;
    this.#emitted = true;
    this.#feed.emitted();
    if (this.#skip > 0) {
      this.#skip--;
      this.#run();
      return;
    }
    try {
      if (this.#options.emits) this.#options.step.emit(value);
    } catch (error) {
      this.#receiver?.onError(error);
      return;
    }
    this.#receiver?.onValue(value);
  };

  readonly #onFailure = (cause: unknown): void => {
    this.#running = false;
    this.#generator = null;
    if (this.#over) return;
    this.#timer.discard();
    void this.#recover(cause).then(
      () => this.#over || this.#run(),
      (error: unknown) => {
        this.#over = true;
        this.#receiver?.onError(error);
      },
    );
  };

  /** Prepares the next try; throws where there is none. */
  async #recover(cause: unknown): Promise<void> {
    const { step } = this.#options;
    const feed = this.#feed;
    const { failed } = this.#upstream;
    // Not this step's failure: the step that failed has had its retries and its strategy already.
    if (failed) throw failed.error === cause ? cause : this.#fatal(cause);
    if (feed.overflowed) throw this.#overflow(cause);
    // Without items to give again, another try would repeat outputs, unless there were none.
    const repeatable = feed.pulled > 0 || !this.#emitted;
    if (repeatable && mayRetry(step, cause, ++this.#failures)) {
      await backoff(step, this.#failures);
      feed.replay();
      return;
    }
    if (!feed.survives || !feed.touched) throw this.#fatal(cause);
    step.failItem(cause, { ...feed.last, attempts: Math.max(this.#failures, 1) });
    this.#failures = 0;
    feed.replayWithoutLast();
  }

  #fatal(cause: unknown): StreamingError {
    const { step } = this.#options;
    return step.fatal(step.error(cause, { ...this.#feed.last, attempts: Math.max(this.#failures, 1) }));
  }

  #overflow(cause: unknown): StreamingError {
    const { step } = this.#options;
    const limit = step.run.retainLimit;
    return step.fatal(
      new StreamingError(
        'LIMIT_EXCEEDED',
        `Step '${step.description.stepName}' failed after it had pulled more than ${limit} items without an output, so they cannot be given to it again. Raise \`retainLimit\`, or drop \`retry\` and \`errorStrategy\` from this step.`,
        step.errorContext(cause, this.#feed.last),
      ),
    );
  }

  async #finish(): Promise<void> {
    this.#over = true;
    this.#generator = null;
    this.#timer.discard();
    try {
      await this.#upstream.close();
    } catch (error) {
      this.#receiver?.onError(error);
      return;
    }
    this.#receiver?.onEnd();
  }
}

function isGenerator(value: unknown): value is AsyncGenerator {
  return typeof value === 'object' && value !== null && 'next' in value && typeof value.next === 'function';
}
