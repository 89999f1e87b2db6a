import { ActorError, type ActorErrorCode, isActorError } from '../errors.ts';

/** Codes of {@link AIError}. */
export type AIErrorCode = Extract<ActorErrorCode, `AI_${string}` | 'ABORTED' | 'NOT_CONFIGURED'>;

/** Why a model did not answer, or not to the end. */
export class AIError extends ActorError<AIErrorCode> {
  /** HTTP status of the endpoint's refusal; absent when there was none. */
  readonly status: number | undefined;
  /** True when the same call may succeed later. The service has tried as often as it may. */
  readonly retryable: boolean;
  /** How long the endpoint asks to wait, in ms; 0 when it does not say. */
  readonly retryAfterMs: number;

  constructor(
    code: AIErrorCode,
    message: string,
    details: {
      readonly status?: number | undefined;
      readonly retryable?: boolean;
      readonly retryAfterMs?: number;
      readonly cause?: unknown;
    } = {},
  ) {
    super(code, message, { cause: details.cause });
    this.name = 'AIError';
    this.status = details.status;
    this.retryable = details.retryable ?? false;
    this.retryAfterMs = details.retryAfterMs ?? 0;
  }
}

const PASSING_STATUS: ReadonlySet<number> = new Set([408, 409, 425, 429]);

/** What the SDK threw, as an {@link AIError}. Recognised by shape, so that the SDK need not be loaded to report an error. */
export function toAIError(thrown: unknown): AIError {
  if (thrown instanceof AIError) return thrown;
  if (isActorError(thrown, 'NOT_CONFIGURED')) return new AIError('NOT_CONFIGURED', thrown.message, { cause: thrown });
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const cause = thrown;
  if (thrown instanceof SyntaxError)
    return new AIError('AI_MALFORMED', `The endpoint's answer is malformed: ${message}`, { retryable: true, cause });
  const kind = thrown instanceof Error ? thrown.constructor.name : '';
  if (kind === 'APIConnectionTimeoutError')
    return new AIError('AI_TIMEOUT', 'The endpoint did not answer in time.', { retryable: true, cause });
  const status = statusOf(thrown);
  if (status !== undefined) {
    const retryable = PASSING_STATUS.has(status) || status >= 500;
    const retryAfterMs = retryAfter(thrown);
    return new AIError('AI_REFUSED', `The endpoint refused: ${message}`, { status, retryable, retryAfterMs, cause });
  }
  if (kind === 'APIConnectionError')
    return new AIError('AI_UNREACHABLE', `The endpoint cannot be reached: ${reason(thrown)}`, {
      retryable: true,
      cause,
    });
  // An error that the endpoint reports inside of its answer has the class, but no status.
  if (kind === 'APIError') return new AIError('AI_REFUSED', `The endpoint reported an error: ${message}`, { cause });
  return new AIError('AI_INCOMPLETE', `The answer broke off: ${message}`, { retryable: true, cause });
}

function statusOf(thrown: unknown): number | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('status' in thrown)) return undefined;
  return typeof thrown.status === 'number' ? thrown.status : undefined;
}

function retryAfter(thrown: unknown): number {
  if (typeof thrown !== 'object' || thrown === null || !('headers' in thrown)) return 0;
  const seconds = thrown.headers instanceof Headers ? Number(thrown.headers.get('retry-after')) : NaN;
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : 0;
}

/** The SDK says "Connection error." and keeps what happened below it. */
function reason(thrown: unknown): string {
  let deepest = thrown;
  while (deepest instanceof Error && deepest.cause instanceof Error) deepest = deepest.cause;
  return deepest instanceof Error ? deepest.message : String(deepest);
}
