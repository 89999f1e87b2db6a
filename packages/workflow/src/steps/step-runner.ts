import { callContext } from '../body/call-context.ts';
import { WorkflowError } from '../errors.ts';
import type { CallPoint, ResultNote } from '../journal/notes.ts';
import { recordError, recordValue } from '../journal/recorded.ts';
import type { RunExecution } from '../runs/run-execution.ts';
import { Attempt } from './attempt.ts';
import { unwrapResult } from './result-value.ts';
import { retryDelay, type StepRetry } from './retry.ts';
import { supersedeEarlier } from './supersede.ts';

/** What {@link StepRunner.start} runs. */
export interface StepCall {
  readonly key: string;
  readonly call: CallPoint;
  readonly retry?: StepRetry;
  /** Longest time of one attempt, in ms. */
  readonly timeoutMs?: number;
  readonly work: (attempt: Attempt) => unknown;
}

type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown };

/** Injectable sources of time and chance. */
export interface StepClock {
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** Runs the steps of a run: attempts, retries, barriers, and the note of each result. */
export class StepRunner {
  readonly #run: RunExecution;
  readonly #clock: StepClock;
  readonly #running = new Map<Attempt, AbortController>();

  constructor(run: RunExecution, clock: StepClock) {
    this.#run = run;
    this.#clock = clock;
  }

  /** Attempts that may write now. */
  writing(): Attempt[] {
    return [...this.#running.keys()].flatMap((attempt) => attempt.writing);
  }

  /** Runs a step in the background until its result is in the journal or the run stops. */
  start(call: StepCall): void {
    void this.#runStep(call).catch((error: unknown) => this.#run.stepBroke(error));
  }

  /** Stops all steps; resolves once it is known what became of what they wrote. */
  async stop(): Promise<void> {
    const attempts = [...this.#running];
    for (const [, controller] of attempts) controller.abort(this.#run.signal.reason);
    await Promise.all(attempts.map(([attempt]) => attempt.drop()));
  }

  async #runStep(step: StepCall): Promise<void> {
    const { key, call } = step;
    const run = this.#run;
    let n = run.state.attempts.get(key) ?? 0;
    for (let failures = 1; ; failures++) {
      n++;
      const controller = new AbortController();
      const attempt = new Attempt({ scope: run, step: key, key, n, signal: controller.signal, call });
      this.#running.set(attempt, controller);
      try {
        const outcome = await this.#attempt(step, attempt, controller);
        if (run.signal.aborted) return;
        const delayMs = outcome.ok
          ? null
          : retryDelay(step.retry, { failures, error: outcome.error, random: this.#clock.random });
        if (delayMs === null) return await this.#settle(step, attempt, outcome);
        const error = outcome.ok ? null : outcome.error;
        run.emit({ type: 'step_retrying', step: key, attempt: n, error, delayMs });
        await sleep(delayMs, run.signal);
        if (run.signal.aborted) return;
      } finally {
        this.#running.delete(attempt);
      }
    }
  }

  async #attempt(step: StepCall, attempt: Attempt, controller: AbortController): Promise<Outcome> {
    const { key, n } = attempt;
    if (n > 1) {
      await attempt.note();
      await supersedeEarlier(this.#run, attempt);
      if (this.#run.signal.aborted) return { ok: false, error: this.#run.signal.reason };
    }
    this.#run.emit({ type: 'step_started', step: key, attempt: n });
    let outcome = await this.#perform(step, attempt, controller);
    attempt.seal();
    if (outcome.ok) {
      const failure = await attempt.flush();
      if (failure) outcome = { ok: false, error: failure };
    }
    if (!outcome.ok) await attempt.drop();
    return outcome;
  }

  /** Runs the function of a step until it is over, its time is up, or the run stops. */
  #perform({ key, timeoutMs, work }: StepCall, attempt: Attempt, controller: AbortController): Promise<Outcome> {
    return new Promise((resolve) => {
      const timer =
        timeoutMs === undefined
          ? undefined
          : setTimeout(() => {
              const message = `Attempt ${attempt.n} of step ${JSON.stringify(key)} took longer than ${timeoutMs} ms.`;
              controller.abort(new WorkflowError('TIMEOUT', message));
            }, timeoutMs);
      const finish = (outcome: Outcome): void => {
        clearTimeout(timer);
        resolve(outcome);
      };
      controller.signal.addEventListener('abort', () => finish({ ok: false, error: controller.signal.reason }), {
        once: true,
      });
      callContext
        .run({ run: this.#run, attempt }, async () => work(attempt))
        .then(
          (returned) => finish(toOutcome(returned, `The result of step ${JSON.stringify(key)}`)),
          (error: unknown) => finish({ ok: false, error }),
        );
    });
  }

  async #settle({ key, call }: StepCall, attempt: Attempt, outcome: Outcome): Promise<void> {
    const { n, closes } = attempt;
    const run = this.#run;
    const note: ResultNote = outcome.ok
      ? { t: 'result', key, n, ok: true, value: outcome.value, call, ...(closes.length > 0 && { closes }) }
      : { t: 'result', key, n, ok: false, error: recordError(outcome.error), call };
    await run.journal.note(note);
    if (outcome.ok) run.emit({ type: 'step_completed', step: key, attempt: n });
    else run.emit({ type: 'step_failed', step: key, attempt: n, error: outcome.error });
    run.learnt();
  }
}

function toOutcome(returned: unknown, what: string): Outcome {
  const result = unwrapResult(returned);
  if (!result.ok) return result;
  try {
    return { ok: true, value: recordValue(result.value, what) };
  } catch (error) {
    return { ok: false, error };
  }
}

/** Resolves after a time, or when the signal fires. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
