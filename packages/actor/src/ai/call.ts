import { AIError, toAIError } from './ai-error.ts';

/** One try of a call: its signal, its time limit, and why it failed. */
export interface Call {
  /** Fires when the caller aborts, and when the time is over. */
  readonly signal: AbortSignal;
  /** From now on the endpoint has this much time. */
  allow(ms: number): void;
  /** Stops the clock. */
  pause(): void;
  /** What was thrown, as the error it stands for: the SDK reports an abort, whoever aborted and why. */
  explain(thrown: unknown): AIError;
  /** Releases the connection and the timer. */
  end(): void;
}

/** Starts a try. `outer` is the caller's signal. */
export function createCall(outer?: AbortSignal): Call {
  const own = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let timedOutAfterMs: number | null = null;
  return {
    signal: outer ? AbortSignal.any([outer, own.signal]) : own.signal,
    allow(ms) {
      clearTimeout(timer);
      timer = setTimeout(() => {
        timedOutAfterMs = ms;
        own.abort();
      }, ms);
    },
    pause: () => clearTimeout(timer),
    explain(thrown) {
      if (outer?.aborted) return new AIError('ABORTED', 'The call was aborted.', { cause: outer.reason });
      if (timedOutAfterMs !== null)
        return new AIError('AI_TIMEOUT', `The endpoint sent nothing for ${timedOutAfterMs} ms.`, {
          retryable: true,
          cause: thrown,
        });
      return toAIError(thrown);
    },
    end() {
      clearTimeout(timer);
      own.abort();
    },
  };
}
