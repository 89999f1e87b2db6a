import type { AI, AIOptions, Prompt } from '../ai/ai.ts';
import { ActorError } from '../errors.ts';

/** What an actor can use while it works. */
export interface ActorContext {
  /** The model. Its calls stop when the run is cancelled. Using it without one configured throws `NOT_CONFIGURED`. */
  readonly ai: AI;
  /** Fires when the consumer goes away or asks the work to stop. Pass it on to everything that waits. */
  readonly signal: AbortSignal;
  /** One-based; above 1 when a worker died or failed and the job is tried again. */
  readonly attempt: number;
  /** Stream that the chunks go to; absent for a local run. */
  readonly streamId?: string;
}

/** What a caller may pass for a context: the rest is filled in. */
export type ActorCallContext = Partial<ActorContext>;

const unconfigured = (): never => {
  throw new ActorError(
    'NOT_CONFIGURED',
    'The actor used `context.ai`, and no model is configured. Pass `ai` to the registry, the worker or the call.',
  );
};
const NO_AI: AI = { complete: async () => unconfigured(), streamCompletion: unconfigured };
const NEVER: AbortSignal = new AbortController().signal;

/** Fills in a context: no model, a signal that never fires, attempt 1. */
export function createActorContext(given: ActorCallContext = {}): ActorContext {
  const { ai = NO_AI, signal = NEVER, attempt = 1, streamId } = given;
  return { ai: bindAI(ai, signal), signal, attempt, ...(streamId !== undefined && { streamId }) };
}

/** True for a context in which nobody has set a model yet. */
export function lacksAI({ ai }: ActorCallContext): boolean {
  return ai === undefined || ai === NO_AI;
}

/** The same model, whose calls also stop when `signal` fires. */
function bindAI(ai: AI, signal: AbortSignal): AI {
  if (ai === NO_AI || signal === NEVER) return ai;
  const bound = (options: AIOptions = {}): AIOptions => ({
    ...options,
    signal: options.signal ? AbortSignal.any([options.signal, signal]) : signal,
  });
  return {
    complete: (prompt: Prompt, options?: AIOptions) => ai.complete(prompt, bound(options)),
    streamCompletion: (prompt: Prompt, options?: AIOptions) => ai.streamCompletion(prompt, bound(options)),
  };
}
